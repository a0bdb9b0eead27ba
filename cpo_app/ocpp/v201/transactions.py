"""OCPP 2.0.1 and 2.1 TransactionEvent: late, twice or out of order, each event counts once.

An event's number (`seqNo`) says whether it was here before; a time after all that was told before
says that it was not, whatever its number: some charge points count anew after a restart.
"""

from __future__ import annotations

import logging
from functools import partial

from cpo_app.ocpp.charging import ending, readings
from cpo_app.ocpp.charging.cards import Authority, ToBeDecided, decide
from cpo_app.ocpp.charging.costs import total_cost
from cpo_app.ocpp.handlers import PASSED_ON, Handler, Incoming, is_taken
from cpo_app.ocpp.v201.authorizing import id_token_info
from cpo_app.ocpp.v201.following import follow, seat_of
from cpo_app.ocpp.v201.transaction_event import ENDED_EVENT, STARTED, Event, event_of, readings_of
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.authorization.whitelist import Allowed
from domain.ocpp import transactions
from domain.ocpp.energy_counter import started
from domain.ocpp.transactions import Transaction

logger = logging.getLogger("cpo.ocpp")


async def _transaction_event(incoming: Incoming, payload: JsonObject) -> JsonObject:
    event = event_of(incoming, payload)
    tells_cost = incoming.settings.CPO_OCPP_TOTAL_COST
    gathers = event.is_metering and not tells_cost
    if gathers and await is_taken(incoming, readings_of(incoming, event)):
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
    said: JsonObject = {}
    if tells_cost:
        cost = await total_cost(incoming, transaction)
        said = {} if cost is None else {"totalCost": cost}
    if "idToken" not in payload:
        return said
    answer = transactions.answer_of(transaction)
    if event.kind != STARTED and transaction["begun"]:
        answer = {**answer, "allowed": answer.get("allowed", Allowed.ALLOWED.value)}
    info = id_token_info(answer.get("allowed"), answer.get("group"))
    return {**said, "idTokenInfo": info}


async def _taken(incoming: Incoming, event: Event) -> Transaction:
    authority: Authority | None = None
    while True:
        try:
            work = partial(_take, incoming=incoming, event=event, authority=authority)
            return await incoming.transact(work)
        except ToBeDecided as asked:
            authority = await decide(incoming, asked)


async def _take(
    tx: Tx, incoming: Incoming, event: Event, authority: Authority | None
) -> Transaction:
    known = await transactions.find(tx, incoming.connection.station_id, event.id)
    if known is not None and _is_another(known, event):
        fresh = await _new(tx, incoming, event, known["number"] + 1)
        return await follow(tx, incoming, event, fresh, authority, is_new=True)
    if known is None:
        fresh = await _new(tx, incoming, event, 0)
        return await follow(tx, incoming, event, fresh, authority, is_new=True)
    if _is_repeated(known, event):
        return known
    return await follow(tx, incoming, event, known, authority, is_new=False)


def _is_another(known: Transaction, event: Event) -> bool:
    """The charge point has given the name away anew."""
    return (
        event.kind == STARTED
        and known.get("started_at") is not None
        and event.told_at > known["told_until"]
    )


def _is_repeated(known: Transaction, event: Event) -> bool:
    seen = transactions.has_seen(known["seen"], event.number)
    return seen and event.told_at <= known["told_until"]


async def _new(tx: Tx, incoming: Incoming, event: Event, number: int) -> Transaction:
    seat = await seat_of(tx, incoming, event)
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


async def _set_aside(tx: Tx, incoming: Incoming, event: Event, why: str) -> None:
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
