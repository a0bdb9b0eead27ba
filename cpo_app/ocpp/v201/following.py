"""What a TransactionEvent makes of its transaction, and what Central is told of it.

The session begins with the event that names a token, which may come long after the transaction has
started, or before that start is heard of; it ends when start and end are both known.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from cpo_app.ocpp.charging import beginning, ending, readings, times
from cpo_app.ocpp.charging.cards import Authority
from cpo_app.ocpp.charging.station_clock import Times
from cpo_app.ocpp.handlers import Incoming, Refused
from cpo_app.ocpp.v201.transaction_event import ENDED_EVENT, NO_REASON, STARTED, Event
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.charge_points import charge_points, dead_letters
from domain.charge_points.evse_states import IN_SESSION, ConnectorState
from domain.ocpp import transactions
from domain.ocpp.energy_counter import energy_wh, started, with_start
from domain.ocpp.seats import Seat
from domain.ocpp.status_mapping import DRAWS_NOTHING, ENDED, told_2, told_by_transaction
from domain.ocpp.transactions import End, Transaction
from domain.sessions.session_holds import hold, settle

NOTHING_WH = 1.0
"""Less energy than this without a token is nobody's loss."""
BEFORE_A_CARD = "it flowed before a card was shown"
WITHOUT_START = "its start is not known"


async def follow(
    tx: Tx,
    incoming: Incoming,
    event: Event,
    known: Transaction,
    authority: Authority | None,
    *,
    is_new: bool,
) -> Transaction:
    clock = await times.times_of(tx, incoming, known["cp_id"], event.told_at, waited=event.waited)
    at = clock.ours(event.told_at)
    after: Transaction = {**known, **(await _facts(tx, incoming, event, known, clock))}
    moments = clock.moments(list(event.measured))
    bound = await readings.bound_w(tx, known)
    changes, metered = readings.read({**after, "begun": True}, moments, bound)
    after.update(changes)
    messages: list[JsonObject] = []
    # Whoever ends it may be another card of the group than whoever began.
    names = event.kind != ENDED_EVENT and (event.card is not None or event.remote_start is not None)
    if names and _may_begin(known, after) and _is_placed(incoming, known, event):
        counted_from = after["counter"]["start_wh"]
        after = await _parted(tx, after, at)
        if after["counter"]["start_wh"] != counted_from:
            metered = []
        after = await _begin(tx, incoming, event, after, authority, clock)
        messages.append(beginning.began_message(after, event.card, at))
    over = after.get("end")
    if after["begun"] and over is not None:
        over = await _if_started(tx, incoming, known, after, over)
    if after["begun"]:
        # What is measured with the end the end itself tells.
        told = [one for one in metered if over is None or one["at"] < over["at"]]
        began = after["begun_at"]
        messages += [_of_session(after, message) for message in told if message["at"] >= began]
    if known["begun"] and over is None and not messages and _turns(known, event):
        messages.append(readings.standing(after, event.charging_state or "", at))
    untold = after["begun"] and not known.get("end_told")
    if over is not None and (untold or event.kind == ENDED_EVENT):
        after, ended = await _end(tx, incoming, after, over, clock)
        messages += ended
    newest = event.told_at >= known["told_until"]
    messages += await _state(tx, after, event, at) if newest else []
    letters = await incoming.central.take_in(tx, after["cp_id"], messages, clock=clock.changed)
    if over is not None:
        await ending.conclude(tx, after)
    if letters:
        after["letters"] = [*after.get("letters", []), *letters]
    if is_new:
        await transactions.insert(tx, after)
        return after
    return await transactions.change(tx, known, after)


def _may_begin(known: Transaction, after: Transaction) -> bool:
    """It has no session; or a card that nobody knows has begun it, and another is shown now."""
    return not after["begun"] or (bool(known.get("nobodys")) and not known["ended"])


async def _parted(tx: Tx, after: Transaction, at: datetime) -> Transaction:
    """What has flowed before any card that is known is not that card's: it is kept by itself, and
    counting begins anew."""
    if after["begun"]:
        # What is kept of the card before it stays kept.
        after = {**after, "session_id": str(uuid.uuid4()), "letters": []}
    counter = after["counter"]
    if counter["at"] > at or energy_wh(counter) <= NOTHING_WH:
        return after
    before: Transaction = {**after, "session_id": str(uuid.uuid4())}
    message = ending.ended_message(before, at, NO_REASON)
    await ending.keep_lost(tx, after["cp_id"], message, BEFORE_A_CARD)
    return {**after, "counter": started(at, counter["register_wh"])}


async def _if_started(
    tx: Tx, incoming: Incoming, known: Transaction, after: Transaction, end: End
) -> End | None:
    """The end, once the start is known, too: without its reading nobody can tell the energy."""
    session_id, rules = after["session_id"], incoming.central.rules
    if after.get("started_at") is None:
        await hold(tx, session_id, WITHOUT_START, rules)
        return None
    if known.get("started_at") is None:
        await settle(tx, session_id, WITHOUT_START, rules)
    return end


def _turns(known: Transaction, event: Event) -> bool:
    """Whether its car draws nothing from now on, or draws again."""
    before, now = known.get("charging_state"), event.charging_state
    if now is None or event.told_at < known["told_until"]:
        return False
    return (before in DRAWS_NOTHING) != (now in DRAWS_NOTHING)


async def _facts(
    tx: Tx, incoming: Incoming, event: Event, known: Transaction, clock: Times
) -> Transaction:
    """What the event says of the transaction by itself."""
    at = clock.ours(event.told_at)
    facts: Transaction = {
        "seen": transactions.with_seen(known["seen"], event.number),
        "told_until": max(known["told_until"], event.told_at),
    }
    if event.charging_state is not None and event.told_at >= known["told_until"]:
        facts["charging_state"] = event.charging_state
    if event.kind == STARTED:
        facts["started_at"] = at
        register = next((one for one in event.measured if one.register_wh is not None), None)
        if register is not None and register.register_wh is not None:
            facts["counter"] = with_start(
                known["counter"], clock.ours(register.at), float(register.register_wh)
            )
        if event.payload.get("evse") and not known["begun"]:
            seat = await seat_of(tx, incoming, event)
            facts.update(
                {
                    "cp_id": seat.cp_id,
                    "evse": seat.evse,
                    "connector_id": seat.connector_id,
                    "session_connector": seat.connector_id,
                }
            )
    if event.kind == ENDED_EVENT and "end" not in known:
        facts["end"] = {"at": at, "reason": event.reason}
    return facts


async def _begin(
    tx: Tx,
    incoming: Incoming,
    event: Event,
    after: Transaction,
    authority: Authority | None,
    clock: Times,
) -> Transaction:
    """Its token is known now. What was kept as nobody's goes."""
    for letter in after.get("letters", []):
        try:
            await dead_letters.remove(tx, letter)
        except dead_letters.NoSuchLetter:
            continue
    return await beginning.begin(
        tx,
        incoming,
        {**after, "letters": [], "nobodys": False},
        seat=Seat(after["cp_id"], after["connector_id"], after["evse"]),
        card=event.card,
        remote_start=event.remote_start,
        authority=authority,
        clock=clock,
        told_at=event.told_at,
        offline=event.offline,
    )


async def _end(
    tx: Tx, incoming: Incoming, after: Transaction, end: End, clock: Times
) -> tuple[Transaction, Sequence[JsonObject]]:
    """The transaction after its end, and what Central is told of it."""
    over: Transaction = {**after, "ended": True, "forget": tx.now + transactions.KEPT_FOR}
    message = ending.ended_message(over, end["at"], end["reason"])
    if over["begun"]:
        await ending.prepare(tx, incoming, over, clock)
        return {**over, "end_told": True}, [message]
    without_start = over.get("started_at") is None
    if without_start or energy_wh(over["counter"]) > NOTHING_WH:
        why = WITHOUT_START if without_start else "no token was told with it"
        kept = await ending.keep_lost(tx, over["cp_id"], message, why)
        over.update({"nobodys": True, "letters": [kept["_id"]]})
    return over, []


def _of_session(after: Transaction, message: JsonObject) -> JsonObject:
    named = {"session_id": after["session_id"], "connector_id": after["session_connector"]}
    return {**message, **named}


async def _state(tx: Tx, after: Transaction, event: Event, at: datetime) -> Sequence[JsonObject]:
    """What the event says of its connector."""
    charge_point = await charge_points.get(tx, after["cp_id"]) or {"connectors": []}
    connectors = {one["id"]: one for one in charge_point["connectors"]}
    there = connectors.get(after["connector_id"])
    known = None if there is None else ConnectorState(there["state"])
    told = told_by_transaction(known, event.charging_state)
    if event.kind == ENDED_EVENT:
        told = told_2(after.get("connector_status", ""))
        occupied = told is None or told.state is ConnectorState.PREPARING
        told = ENDED if occupied and known in IN_SESSION else told
    if told is None:
        return []
    return [
        {
            "kind": "state",
            "connector_id": after["connector_id"],
            "state": told.state.value,
            "ev_state": told.ev_state,
            "at": at,
            "error_code": None,
            "session_id": after["session_id"] if after["begun"] else None,
        }
    ]


async def seat_of(tx: Tx, incoming: Incoming, event: Event) -> Seat:
    evse = event.payload.get("evse") or {}
    seat = await incoming.seat(tx, evse.get("id") or 1, evse.get("connectorId") or 1)
    if seat is None:
        raise Refused("PropertyConstraintViolation", "evse: there is no such EVSE")
    return seat


def _is_placed(incoming: Incoming, known: Transaction, event: Event) -> bool:
    """Whether it is told at which EVSE it is: where there are several nothing is guessed."""
    if event.payload.get("evse") or known.get("started_at") is not None:
        return True
    return len(incoming.connection.station["evses"]) <= 1
