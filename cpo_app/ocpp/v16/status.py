"""OCPP 1.6 StatusNotification: the state of a connector, and whether its car draws anything."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from cpo_app.ocpp.charging import readings, times
from cpo_app.ocpp.charging.no_news import is_no_news
from cpo_app.ocpp.handlers import Handler, Incoming
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.transaction import Tx
from domain.charge_points import charge_points
from domain.charge_points.charge_point_documents import Fault
from domain.charge_points.engine_clocks import by_our_clock
from domain.charge_points.evse_states import IN_SESSION
from domain.ocpp import stations, transactions
from domain.ocpp.status_mapping import told_16
from domain.ocpp.transactions import Transaction

NO_ERROR, OTHER_ERROR = "NoError", "OtherError"
_MAX_CODE = 64
CHARGING, FAULTED = "Charging", "Faulted"


async def _status_notification(incoming: Incoming, payload: JsonObject) -> JsonObject:
    number, told = payload["connectorId"], told_16(payload["status"])
    if number == 0:
        if _faults(payload) == list(incoming.connection.station.get("faults", ())):
            return {}
    elif told is not None and await is_no_news(incoming, 0, number, told, error_code(payload)):
        return {}
    await incoming.transact(partial(_take, incoming=incoming, payload=payload))
    return {}


async def _take(tx: Tx, incoming: Incoming, payload: JsonMapping) -> None:
    told = told_16(payload["status"])
    if payload["connectorId"] == 0:
        await _of_the_station(tx, incoming, payload)
        return
    seat = await incoming.seat(tx, 0, payload["connectorId"])
    if told is None or seat is None:
        return
    charge_point = await charge_points.get(tx, seat.cp_id)
    told_at = times.told_at(incoming, payload.get("timestamp"))
    clock = (charge_point or {}).get("clock")
    at = min(by_our_clock(told_at, clock, incoming.received_at), incoming.received_at)
    running = await transactions.running_at(tx, seat.cp_id, seat.connector_id)
    messages: list[JsonObject] = [
        {
            "kind": "state",
            "connector_id": seat.connector_id,
            "state": told.state.value,
            "ev_state": told.ev_state,
            "at": at,
            "error_code": error_code(payload),
            "session_id": None if running is None else running["session_id"],
        }
    ]
    if running is not None and told.state in IN_SESSION:
        messages += await _standing(tx, running, payload["status"], at)
    await incoming.central.take_in(tx, seat.cp_id, messages)


async def _of_the_station(tx: Tx, incoming: Incoming, payload: JsonMapping) -> None:
    """A fault of the whole station is one of each of its EVSEs, told with their next sign of
    life; whether it is in service they tell themselves."""
    await stations.set_faults(tx, incoming.connection.station_id, _faults(payload))
    incoming.connection.outdated = True


def _faults(payload: JsonMapping) -> list[Fault]:
    if payload["status"] != FAULTED:
        return []
    said = payload.get("info") or payload.get("vendorErrorCode") or ""
    return [{"code": error_code(payload) or FAULTED, "message": str(said)}]


async def _standing(tx: Tx, running: Transaction, status: str, at: datetime) -> list[JsonObject]:
    """A car that draws nothing, or draws again, is told to its session at once."""
    before = running.get("charging_state", CHARGING)
    if before == status:
        return []
    await transactions.change(tx, running, {"charging_state": status})
    return [readings.standing(running, status, at)]


def error_code(payload: JsonMapping) -> str | None:
    """The vendor's own where the standard has no better one."""
    code = payload.get("errorCode") or NO_ERROR
    if code == NO_ERROR:
        return None
    if code == OTHER_ERROR:
        code = payload.get("vendorErrorCode") or payload.get("info") or code
    return str(code)[:_MAX_CODE]


HANDLERS: dict[str, Handler] = {"StatusNotification": _status_notification}
