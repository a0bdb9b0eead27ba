"""OCPP 1.6 MeterValues: those of a transaction go into its session; others say nothing of money.

Many charge points leave the transactionId out: what their connector measures while a transaction
runs there is that transaction's.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from cpo_app.ocpp.charging import readings, times
from cpo_app.ocpp.charging.gathered_readings import Readings
from cpo_app.ocpp.handlers import Handler, Incoming, is_taken
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.transaction import Tx
from domain.ocpp import transactions
from domain.ocpp.meter_values import Measured, measured_of
from domain.ocpp.seats import Seat


async def _meter_values(incoming: Incoming, payload: JsonObject) -> JsonObject:
    measured = measured_of(payload["meterValue"], incoming.received_at)
    if not measured:
        return {}
    latest = measured[-1].at
    waited = times.may_have_waited(incoming, latest)
    number = payload.get("transactionId")
    if number and await is_taken(incoming, _readings(incoming, number, measured, waited)):
        return {}
    work = partial(
        _take, incoming=incoming, payload=payload, measured=measured, at=latest, waited=waited
    )
    await incoming.transact(work)
    return {}


def _readings(incoming: Incoming, number: int, measured: list[Measured], waited: bool) -> Readings:
    return Readings(
        station=incoming.connection.station_id,
        connection=incoming.connection.id,
        transaction_id=number,
        measured=measured,
        told_at=measured[-1].at,
        received_at=incoming.received_at,
        waited=waited,
    )


async def _take(
    tx: Tx,
    incoming: Incoming,
    payload: JsonMapping,
    measured: list[Measured],
    at: datetime,
    waited: bool,
) -> None:
    number = payload.get("transactionId")
    transaction = await transactions.find(tx, incoming.connection.station_id, number)
    if transaction is None:
        seat = await incoming.seat(tx, 0, payload["connectorId"])
        if seat is None:
            return  # of the whole station
        if number:
            await _unknown(tx, incoming, seat, number, measured)
            return
        transaction = await transactions.running_at(tx, seat.cp_id, seat.connector_id)
        if transaction is None:
            return
    clock = await times.times_of(tx, incoming, transaction["cp_id"], at, waited=waited)
    moments = clock.moments(measured)
    if not number:
        since = transaction.get("started_at") or transaction["created"]
        moments = [moment for moment in moments if moment.at >= since]
    changes, messages = readings.read(transaction, moments, await readings.bound_w(tx, transaction))
    await incoming.central.take_in(tx, transaction["cp_id"], messages, clock=clock.changed)
    await transactions.change(tx, transaction, changes)


async def _unknown(
    tx: Tx, incoming: Incoming, seat: Seat, number: int, measured: list[Measured]
) -> None:
    """Energy flows, and nobody knows whose: an alarm, and the words are kept for a while."""
    latest = measured[-1]
    message: JsonObject = {
        "kind": "meter",
        "session_id": f"OCPP-{number}",
        "connector_id": seat.connector_id,
        "at": min(latest.at, incoming.received_at),
        "energy_wh": 0.0,
        "register_wh": float(latest.register_wh or 0),
        "power_w": latest.power_w or 0.0,
        "current_a": latest.current_a,
        "voltage_v": latest.voltage_v,
        "phases": latest.phases,
        "soc": latest.soc,
        "limit_w": None,
    }
    await incoming.central.take_in(tx, seat.cp_id, [message])


HANDLERS: dict[str, Handler] = {"MeterValues": _meter_values}
