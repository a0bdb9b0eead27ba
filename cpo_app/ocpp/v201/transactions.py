"""OCPP 2.0.1 and 2.1 TransactionEvent: late, twice or out of order, each event counts once.

An event's number (`seqNo`) says whether it was here before; a time after all that was told before
says that it was not, whatever its number: some charge points count anew after a restart. The
session begins with the event that names a token, which may come long after the transaction has
started, or before that start is heard of.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from cpo_app.ocpp.charging import beginning, ending, readings, times
from cpo_app.ocpp.charging.cards import Authority, Card, ToBeDecided, decide
from cpo_app.ocpp.charging.gathered_readings import Readings
from cpo_app.ocpp.charging.station_clock import Times
from cpo_app.ocpp.handlers import PASSED_ON, Handler, Incoming, Refused, is_taken
from cpo_app.ocpp.v201.authorizing import card_of, id_token_info
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.transaction import Tx
from domain.authorization.whitelist import Allowed
from domain.charge_points import charge_points, dead_letters
from domain.charge_points.evse_states import IN_SESSION, ConnectorState
from domain.ocpp import transactions
from domain.ocpp.energy_counter import energy_wh, started, with_start
from domain.ocpp.meter_values import Measured, measured_of
from domain.ocpp.seats import Seat
from domain.ocpp.status_mapping import DRAWS_NOTHING, ENDED, told_2, told_by_transaction
from domain.ocpp.transactions import End, Transaction
from domain.sessions.session_holds import hold, settle

logger = logging.getLogger("cpo.ocpp")

STARTED, UPDATED, ENDED_EVENT = "Started", "Updated", "Ended"
NO_REASON = "Local"
NOTHING_WH = 1.0
"""Less energy than this without a token is nobody's loss."""
WITHOUT_START = "its start is not known"


@dataclass(frozen=True)
class _Event:
    payload: JsonMapping
    kind: str
    id: str
    number: int
    told_at: datetime
    offline: bool
    waited: bool
    """It may come out of a queue: not all that were offline say so."""
    card: Card | None
    remote_start: int | None
    measured: tuple[Measured, ...]

    @property
    def charging_state(self) -> str | None:
        state = self.payload["transactionInfo"].get("chargingState")
        return None if state is None else str(state)

    @property
    def is_metering(self) -> bool:
        """It may be nothing but meter values."""
        plain = "idToken" not in self.payload and self.remote_start is None
        return self.kind == UPDATED and plain

    @property
    def reason(self) -> str:
        return str(self.payload["transactionInfo"].get("stoppedReason") or NO_REASON)


def _event_of(incoming: Incoming, payload: JsonMapping) -> _Event:
    info = payload["transactionInfo"]
    told_at = times.told_at(incoming, payload["timestamp"])
    return _Event(
        payload=payload,
        kind=payload["eventType"],
        id=info["transactionId"],
        number=payload["seqNo"],
        told_at=told_at,
        offline=bool(payload.get("offline")),
        waited=times.may_have_waited(incoming, told_at) or bool(payload.get("offline")),
        card=card_of(payload.get("idToken")),
        remote_start=info.get("remoteStartId"),
        measured=tuple(measured_of(payload.get("meterValue") or (), told_at)),
    )


async def _transaction_event(incoming: Incoming, payload: JsonObject) -> JsonObject:
    event = _event_of(incoming, payload)
    if event.is_metering and await is_taken(incoming, _readings(incoming, event)):
        return {}
    try:
        transaction = await _taken(incoming, event)
    except PASSED_ON:
        raise
    except Exception as error:
        if event.kind != ENDED_EVENT:
            raise
        # The charge point would give it up after a few attempts, and it is money.
        logger.exception(
            "%s: the end of a transaction is set aside", incoming.connection.station_id
        )
        why = f"{type(error).__name__}: {error}"
        await incoming.transact(partial(_set_aside, incoming=incoming, event=event, why=why))
        return {}
    if "idToken" not in payload:
        return {}
    answer = transactions.answer_of(transaction)
    if event.kind != STARTED and transaction["begun"]:
        answer = {**answer, "allowed": answer.get("allowed", Allowed.ALLOWED.value)}
    return {"idTokenInfo": id_token_info(answer.get("allowed"), answer.get("group"))}


def _readings(incoming: Incoming, event: _Event) -> Readings:
    return Readings(
        station=incoming.connection.station_id,
        connection=incoming.connection.id,
        transaction_id=event.id,
        measured=event.measured,
        told_at=event.told_at,
        received_at=incoming.received_at,
        waited=event.waited,
        number=event.number,
        charging_state=event.charging_state,
    )


async def _taken(incoming: Incoming, event: _Event) -> Transaction:
    authority: Authority | None = None
    while True:
        try:
            work = partial(_take, incoming=incoming, event=event, authority=authority)
            return await incoming.transact(work)
        except ToBeDecided as asked:
            authority = await decide(incoming, asked)


async def _take(
    tx: Tx, incoming: Incoming, event: _Event, authority: Authority | None
) -> Transaction:
    known = await transactions.find(tx, incoming.connection.station_id, event.id)
    if known is not None and _is_another(known, event):
        fresh = await _new(tx, incoming, event, known["number"] + 1)
        return await _follow(tx, incoming, event, fresh, authority, is_new=True)
    if known is None:
        fresh = await _new(tx, incoming, event, 0)
        return await _follow(tx, incoming, event, fresh, authority, is_new=True)
    if _is_repeated(known, event):
        return known
    return await _follow(tx, incoming, event, known, authority, is_new=False)


def _is_another(known: Transaction, event: _Event) -> bool:
    """The charge point has given the name away anew."""
    return (
        event.kind == STARTED
        and known.get("started_at") is not None
        and event.told_at > known["told_until"]
    )


def _is_repeated(known: Transaction, event: _Event) -> bool:
    seen = transactions.has_seen(known["seen"], event.number)
    return seen and event.told_at <= known["told_until"]


async def _new(tx: Tx, incoming: Incoming, event: _Event, number: int) -> Transaction:
    seat = await _seat(tx, incoming, event)
    return transactions.new(
        tx,
        station=incoming.connection.station_id,
        transaction_id=event.id,
        cp_id=seat.cp_id,
        evse=seat.evse,
        connector_id=seat.connector_id,
        counter=started(event.told_at, None),
        told_at=event.told_at,
        number=number,
    )


async def _seat(tx: Tx, incoming: Incoming, event: _Event) -> Seat:
    evse = event.payload.get("evse") or {}
    seat = await incoming.seat(tx, evse.get("id") or 1, evse.get("connectorId") or 1)
    if seat is None:
        raise Refused("PropertyConstraintViolation", "evse: there is no such EVSE")
    return seat


def _is_placed(incoming: Incoming, known: Transaction, event: _Event) -> bool:
    """Whether it is told at which EVSE it is: where there are several nothing is guessed."""
    if event.payload.get("evse") or known.get("started_at") is not None:
        return True
    return len(incoming.connection.station["evses"]) <= 1


async def _follow(
    tx: Tx,
    incoming: Incoming,
    event: _Event,
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
    if not after["begun"] and names and _is_placed(incoming, known, event):
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


def _turns(known: Transaction, event: _Event) -> bool:
    """Whether its car draws nothing from now on, or draws again."""
    before, now = known.get("charging_state"), event.charging_state
    if now is None or event.told_at < known["told_until"]:
        return False
    return (before in DRAWS_NOTHING) != (now in DRAWS_NOTHING)


async def _facts(
    tx: Tx, incoming: Incoming, event: _Event, known: Transaction, clock: Times
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
            seat = await _seat(tx, incoming, event)
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
    event: _Event,
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


async def _state(tx: Tx, after: Transaction, event: _Event, at: datetime) -> Sequence[JsonObject]:
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


async def _set_aside(tx: Tx, incoming: Incoming, event: _Event, why: str) -> None:
    known = await transactions.find(tx, incoming.connection.station_id, event.id)
    if known is None:
        known = await _new(tx, incoming, event, 0)
    changes, _ = readings.read({**known, "signed": []}, list(event.measured), None)
    # Without what it may have broken off at.
    after: Transaction = {**known, **changes, "signed": []}
    at = min(event.told_at, incoming.received_at)
    message = ending.ended_message(after, at, event.reason)
    await ending.keep_lost(tx, known["cp_id"], message, why)


HANDLERS: dict[str, Handler] = {"TransactionEvent": _transaction_event}
