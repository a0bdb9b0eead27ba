"""What was measured in a transaction: counted, and told to Central as its engines tell it.

A charge point that does not measure power tells by its registers how much flowed, and by its
status that nothing does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from db_interface.collection import Where
from db_interface.json_data import JsonObject
from domain.ocpp.energy_counter import Counter, counted, energy_wh, steady_register_wh
from domain.ocpp.meter_values import Measured
from domain.ocpp.signed_values import kept
from domain.ocpp.status_mapping import DRAWS_NOTHING, PAUSED_BY_EVSE
from domain.ocpp.transactions import Transaction
from domain.sessions import session_records

_USABLE_W = 6.0 * 230.0  # IEC 61851-1: below 6 A a car cannot charge
_LONG_ENOUGH = timedelta(seconds=50)
_COARSE_WH = 100
"""A register that moves in larger steps tells no power."""


async def bound_w(where: Where, transaction: Transaction) -> float | None:
    """What the connector can give, where its session says so."""
    session = await session_records.get(where, transaction["session_id"])
    return None if session is None else session.get("power_bound_w")


def read(
    transaction: Transaction, moments: Sequence[Measured], bound: float | None
) -> tuple[Transaction, list[JsonObject]]:
    """(what changes of the transaction, Central's messages); of moments that are not newer than
    the last only what counts whenever it comes."""
    counter = transaction["counter"]
    latest = transaction.get("last_reading")
    messages: list[JsonObject] = []
    signed = transaction.get("signed", [])
    for moment in moments:
        before = counter
        counter = counted(counter, moment, bound)
        signed = kept(signed, moment.signed)
        if latest is not None and moment.at <= latest and energy_wh(counter) <= energy_wh(before):
            continue
        latest = moment.at if latest is None else max(latest, moment.at)
        if transaction["begun"]:
            messages.append(_message(transaction, before, counter, moment))
    changes: Transaction = {"counter": counter}
    if latest is not None:
        changes["last_reading"] = latest
    if signed:
        changes["signed"] = signed
    return changes, messages


def standing(transaction: Transaction, charging_state: str, at: datetime) -> JsonObject:
    """That charging has paused, or goes on, told by status alone."""
    changed: Transaction = {**transaction, "charging_state": charging_state}
    counter = transaction["counter"]
    return _message(changed, counter, counter, Measured(at))


def _message(
    transaction: Transaction, before: Counter, after: Counter, moment: Measured
) -> JsonObject:
    state = transaction.get("charging_state")
    power_w = moment.power_w
    if power_w is None and state in DRAWS_NOTHING:
        power_w = 0.0
    if power_w is None:
        power_w = _average(before, after, moment)
    offered = moment.offered_w
    nothing_offered = offered is not None and offered < _USABLE_W * moment.phases
    none = state == PAUSED_BY_EVSE or nothing_offered
    return {
        "kind": "meter",
        "session_id": transaction["session_id"],
        "connector_id": transaction["session_connector"],
        "at": moment.at,
        "energy_wh": energy_wh(after),
        "register_wh": steady_register_wh(after),
        "power_w": power_w,
        "current_a": moment.current_a,
        "voltage_v": moment.voltage_v,
        "phases": moment.phases,
        "soc": moment.soc,
        "limit_w": 0.0 if none else None,
    }


def _average(before: Counter, after: Counter, moment: Measured) -> float | None:
    """By what flowed since the register was told last."""
    if moment.register_wh is None or moment.register_step_wh > _COARSE_WH:
        return None
    passed = after["at"] - before["at"]
    if passed < _LONG_ENOUGH:
        return None
    flowed = max(0.0, energy_wh(after) - energy_wh(before))
    return round(flowed * 3600 / passed.total_seconds(), 1)
