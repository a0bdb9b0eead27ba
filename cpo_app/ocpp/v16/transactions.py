"""OCPP 1.6 StartTransaction and StopTransaction. They have happened: neither is ever refused.

A message that comes again is answered as before. What an answer speaks of is committed before.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

from cpo_app.ocpp.charging import beginning, ending, readings, times
from cpo_app.ocpp.charging.cards import Authority, Card, ToBeDecided, decide
from cpo_app.ocpp.handlers import PASSED_ON, Handler, Incoming, Refused
from cpo_app.ocpp.v16.authorizing import id_tag_info
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.transaction import Tx
from domain.authorization.whitelist import Allowed
from domain.ocpp import transactions
from domain.ocpp.energy_counter import Counter, counted, started
from domain.ocpp.ids import folded_tag
from domain.ocpp.meter_values import Measured, measured_of
from domain.ocpp.transactions import Transaction, key_of

logger = logging.getLogger("cpo.ocpp")

NO_REASON = "Local"
"""What StopTransaction means without a reason."""
WITHOUT_START = "its start is not known"


@dataclass(frozen=True)
class _Told:
    """A message, its own time, and whether it may have waited in a queue."""

    payload: JsonMapping
    at: datetime
    waited: bool


def _told(incoming: Incoming, payload: JsonMapping) -> _Told:
    at = times.told_at(incoming, payload.get("timestamp"))
    return _Told(payload, at, times.may_have_waited(incoming, at))


async def _start_transaction(incoming: Incoming, payload: JsonObject) -> JsonObject:
    told = _told(incoming, payload)
    authority: Authority | None = None
    while True:
        try:
            work = partial(_start, incoming=incoming, told=told, authority=authority)
            transaction = await incoming.transact(work)
        except ToBeDecided as asked:
            authority = await decide(incoming, asked)
        else:
            break
    answer = transactions.answer_of(transaction)
    return {
        "transactionId": transaction["transaction_id"],
        "idTagInfo": id_tag_info(answer.get("allowed"), answer.get("group")),
    }


async def _start(
    tx: Tx, incoming: Incoming, told: _Told, authority: Authority | None
) -> Transaction:
    payload, station = told.payload, incoming.connection.station_id
    seat = await incoming.seat(tx, 0, payload["connectorId"] or 1)
    if seat is None:
        raise Refused("PropertyConstraintViolation", "connectorId: there is no such connector")
    clock = await times.times_of(tx, incoming, seat.cp_id, told.at, waited=told.waited)
    never_set = clock.never_set(told.at)
    start_key = key_of(
        payload["connectorId"],
        folded_tag(payload["idTag"]),
        payload["meterStart"],
        told.at,
    )
    known = await transactions.by_start(tx, station, start_key)
    if known is not None and not (known["ended"] and never_set):
        return known
    at = clock.ours(told.at)
    transaction = transactions.new(
        tx,
        station=station,
        transaction_id=await transactions.free_number(tx, station),
        cp_id=seat.cp_id,
        evse=seat.evse,
        connector_id=seat.connector_id,
        counter=started(at, max(0.0, float(payload["meterStart"]))),
        told_at=told.at,
    )
    start: Transaction = {
        "start_key": start_key,
        "start_number": 0 if known is None else known["start_number"] + 1,
        "started_at": at,
    }
    card = Card(payload["idTag"]) if payload["idTag"] else None
    transaction = await beginning.begin(
        tx,
        incoming,
        {**transaction, **start},
        seat=seat,
        card=card,
        remote_start=None,
        authority=authority,
        clock=clock,
        told_at=told.at,
        offline=False,
    )
    began = beginning.began_message(transaction, card, at)
    letters = await incoming.central.take_in(tx, seat.cp_id, [began], clock=clock.changed)
    await transactions.insert(tx, {**transaction, "letters": letters})
    return transaction


async def _stop_transaction(incoming: Incoming, payload: JsonObject) -> JsonObject:
    told = _told(incoming, payload)
    try:
        await incoming.transact(partial(_stop, incoming=incoming, told=told))
    except PASSED_ON:
        raise
    except Exception as error:
        # The charge point would give it up after a few attempts, and it is money.
        logger.exception("%s: a StopTransaction is set aside", incoming.connection.station_id)
        why = f"{type(error).__name__}: {error}"
        await incoming.transact(partial(_set_aside, incoming=incoming, told=told, why=why))
    if "idTag" not in payload:
        return {}
    return {"idTagInfo": id_tag_info(Allowed.ALLOWED.value, None)}


async def _stop(tx: Tx, incoming: Incoming, told: _Told) -> None:
    payload, station = told.payload, incoming.connection.station_id
    stop_key = key_of(payload["transactionId"], payload["meterStop"], told.at)
    known = await transactions.find(tx, station, payload["transactionId"])
    if known is None:
        await _keep_without_start(tx, incoming, told, stop_key)
        return
    if known.get("stop_key") == stop_key:
        return
    clock = await times.times_of(tx, incoming, known["cp_id"], told.at, waited=told.waited)
    at = clock.ours(told.at)
    moments = clock.moments(measured_of(payload.get("transactionData") or (), told.at))
    bound = await readings.bound_w(tx, known)
    before = [moment for moment in moments if moment.at < at]
    changes, messages = readings.read(known, before, bound)
    at_end: Transaction = {**known, **changes}
    for moment in moments[len(before) :]:
        at_end.update(readings.read(at_end, [moment], bound)[0])
    last = Measured(
        max(at, at_end["counter"]["at"]), register_wh=Decimal(max(0, payload["meterStop"]))
    )
    at_end["counter"] = counted(at_end["counter"], last, bound)
    await ending.prepare(tx, incoming, at_end, clock)
    reason = payload.get("reason") or NO_REASON
    messages.append(ending.ended_message(at_end, at, reason))
    await incoming.central.take_in(tx, known["cp_id"], messages, clock=clock.changed)
    await ending.conclude(tx, at_end)
    await transactions.change(
        tx,
        known,
        {
            **changes,
            "counter": at_end["counter"],
            "signed": at_end.get("signed", []),
            "ended": True,
            "stop_key": stop_key,
            "end": {"at": at, "reason": reason},
        },
    )


async def _keep_without_start(tx: Tx, incoming: Incoming, told: _Told, stop_key: str) -> None:
    """Nothing says who has charged, or where: it is kept and shown, and billed to nobody."""
    station = incoming.connection.station_id
    seat = await incoming.seat(tx, 0, 1)
    if seat is None:
        return
    transaction = transactions.new(
        tx,
        station=station,
        transaction_id=told.payload["transactionId"],
        cp_id=seat.cp_id,
        evse=seat.evse,
        connector_id=seat.connector_id,
        counter=_counter_of(told),
        told_at=told.at,
    )
    reason = told.payload.get("reason") or NO_REASON
    at = min(told.at, incoming.received_at)
    message = ending.ended_message(transaction, at, reason)
    kept = await ending.keep_lost(tx, seat.cp_id, message, WITHOUT_START)
    over: Transaction = {
        **transaction,
        "nobodys": True,
        "ended": True,
        "stop_key": stop_key,
        "letters": [kept["_id"]],
        "end": {"at": at, "reason": reason},
        "forget": tx.now + transactions.KEPT_FOR,
    }
    await transactions.insert(tx, over)


async def _set_aside(tx: Tx, incoming: Incoming, told: _Told, why: str) -> None:
    station, payload = incoming.connection.station_id, told.payload
    known = await transactions.find(tx, station, payload["transactionId"])
    if known is None:
        raise Refused("InternalError", "it could not be handled")
    counter = known["counter"]
    last = Measured(counter["at"], register_wh=Decimal(max(0, payload["meterStop"])))
    # Without what it may have broken off at.
    at_end: Transaction = {**known, "counter": counted(counter, last, None), "signed": []}
    reason = payload.get("reason") or NO_REASON
    message = ending.ended_message(at_end, min(told.at, incoming.received_at), reason)
    await ending.keep_lost(tx, known["cp_id"], message, why)


def _counter_of(told: _Told) -> Counter:
    """As far as the message's own meter values tell of a beginning."""
    counter = started(told.at, None)
    moments = measured_of(told.payload.get("transactionData") or (), told.at)
    last = Measured(told.at, register_wh=Decimal(max(0, told.payload["meterStop"])))
    for moment in (*(one for one in moments if one.at < told.at), last):
        counter = counted(counter, moment, None)
    return counter


HANDLERS: dict[str, Handler] = {
    "StartTransaction": _start_transaction,
    "StopTransaction": _stop_transaction,
}
