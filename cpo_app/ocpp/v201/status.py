"""OCPP 2.0.1 and 2.1 StatusNotification, and MeterValues outside of transactions.

A transaction that runs at the connector says more than "Occupied" does: status_mapping.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from cpo_app.ocpp.charging import times
from cpo_app.ocpp.charging.no_news import is_no_news
from cpo_app.ocpp.handlers import Handler, Incoming
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.transaction import Tx
from domain.charge_points import charge_points
from domain.charge_points.engine_clocks import by_our_clock
from domain.ocpp import transactions
from domain.ocpp.status_mapping import told_2


async def _status_notification(incoming: Incoming, payload: JsonObject) -> JsonObject:
    told = told_2(payload["connectorStatus"])
    place = payload["evseId"], payload["connectorId"]
    if told is not None and await is_no_news(incoming, *place, told, None):
        return {}
    await incoming.transact(partial(_take, incoming=incoming, payload=payload))
    return {}


async def _take(tx: Tx, incoming: Incoming, payload: JsonMapping) -> None:
    seat = await incoming.seat(tx, payload["evseId"], payload["connectorId"])
    if seat is None:
        return
    status = payload["connectorStatus"]
    running = await transactions.running_at(tx, seat.cp_id, seat.connector_id)
    told = told_2(status, None if running is None else running.get("charging_state"))
    if told is None:
        return
    charge_point = await charge_points.get(tx, seat.cp_id)
    told_at = times.told_at(incoming, payload["timestamp"])
    clock = (charge_point or {}).get("clock")
    at = min(by_our_clock(told_at, clock, incoming.received_at), incoming.received_at)
    if running is not None:
        await transactions.change(tx, running, {"connector_status": status})
    state: JsonObject = {
        "kind": "state",
        "connector_id": seat.connector_id,
        "state": told.state.value,
        "ev_state": told.ev_state,
        "at": at,
        "error_code": None,
        "session_id": running["session_id"] if running is not None and running["begun"] else None,
    }
    await incoming.central.take_in(tx, seat.cp_id, [state])


async def connectors_told(incoming: Incoming, events: Sequence[JsonMapping]) -> None:
    """NotifyEvent may say the same by the device model: a connector's AvailabilityState (2.1
    prefers it)."""
    for event in events:
        component, variable = event["component"], event["variable"]["name"]
        place = component.get("evse") or {}
        if (component["name"], variable) != ("Connector", "AvailabilityState") or not place:
            continue
        payload = {
            "evseId": place["id"],
            "connectorId": place.get("connectorId") or 1,
            "connectorStatus": event["actualValue"],
            "timestamp": event["timestamp"],
        }
        await incoming.transact(partial(_take, incoming=incoming, payload=payload))


async def _meter_values(incoming: Incoming, payload: JsonObject) -> JsonObject:
    """What is measured outside of transactions is no session's."""
    return {}


HANDLERS: dict[str, Handler] = {
    "StatusNotification": _status_notification,
    "MeterValues": _meter_values,
}
