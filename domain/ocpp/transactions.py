"""OCPP transactions and the charging sessions that they are: the collection `ocpp_transactions`.

A transaction is found again by what its charge point calls it, in any process and after any
restart: it is how what comes twice, late or out of order is known for what it is. 1.6 gets its
number from us; in 2.0.1 the charge point names it, and may give a name away anew (`number`).

The money is charging_sessions'; here is what was told, and how much of it Central has been told.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypedDict

from db_interface.bulk import update_each
from db_interface.collection import Collection, Where
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.transaction import Tx
from domain.ocpp.energy_counter import Counter
from domain.ocpp.signed_values import SignedValue

KEPT_FOR = timedelta(days=90)
"""After its end: until then a message that comes again is known."""
UNENDED_KEPT_FOR = 4 * KEPT_FOR
"""One whose end was never heard, once another has begun in its place."""
MAX_NUMBER = 2**31 - 1
MAX_GAPS = 200
"""Gaps in the numbers of a transaction's events that are remembered."""


class End(TypedDict):
    """The charge point's last word, by our clock."""

    at: datetime
    reason: str


class Transaction(TypedDict, total=False):
    """A document of `ocpp_transactions`. Always there: `_id` to `updated`."""

    _id: str
    station: str
    transaction_id: int | str
    """1.6: int, 2.0.1: str"""
    number: int
    """how many before it had the same id"""
    cp_id: str
    evse: int
    connector_id: str
    """as its charge point's seat has it"""
    session_connector: str
    """of the session: the EVSE's first connector where the seat's is not among them"""
    session_id: str
    """what Central calls it, from the first message on"""
    begun: bool
    """Central was told that the session began"""
    ended: bool
    superseded: bool
    """another has begun at its connector since, and its end was not heard"""
    counter: Counter
    told_until: datetime
    """the latest of its messages' times, as its charge point told them"""
    seen: list[list[int]]
    """2.0.1: the numbers of its events, as ranges, both ends in"""
    created: datetime
    updated: datetime

    nobodys: bool
    """no token says whose session it is"""
    answer: JsonObject
    """what its start was answered, to be answered alike"""
    start_key: str
    start_number: int
    """how many before it began with the very same message, told by a clock that was never set"""
    stop_key: str
    started_at: datetime
    """of the start's own message; 2.0.1: None until that came"""
    begun_at: datetime
    """when the session began, by our clock"""
    begun_told_at: datetime
    """the same, where its charge point's clock was believed"""
    last_reading: datetime
    charging_state: str
    connector_status: str
    """2.0.1: what its connector said of itself last"""
    signed: list[SignedValue]
    end: End
    end_told: bool
    """2.0.1: Central has heard of its end"""
    letters: list[str]
    """what was refused of it, as dead letters: they go should its start come after all"""
    forget: datetime


TRANSACTIONS: Collection[Transaction] = Collection("ocpp_transactions")


def key_of(*parts: object) -> str:
    """What tells a message from every other, without what it says."""
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()


def new(
    tx: Tx,
    *,
    station: str,
    transaction_id: int | str,
    cp_id: str,
    evse: int,
    connector_id: str,
    counter: Counter,
    told_at: datetime,
    number: int = 0,
) -> Transaction:
    """A transaction of which nothing is known yet; not written."""
    return {
        "_id": uuid.uuid4().hex,
        "station": station,
        "transaction_id": transaction_id,
        "number": number,
        "cp_id": cp_id,
        "evse": evse,
        "connector_id": connector_id,
        "session_connector": connector_id,
        "session_id": str(uuid.uuid4()),
        "begun": False,
        "ended": False,
        "superseded": False,
        "counter": counter,
        "told_until": told_at,
        "seen": [],
        "created": tx.now,
        "updated": tx.now,
    }


async def find(where: Where, station: str, transaction_id: int | str | None) -> Transaction | None:
    """The latest that the station calls so."""
    if transaction_id is None:
        return None
    query = {"station": station, "transaction_id": transaction_id}
    return await TRANSACTIONS.of(where).find_one(query, sort=[("number", -1)])


async def some(where: Where, wanted: Mapping[str, int | str]) -> dict[str, Transaction]:
    """By station, the latest that it calls so."""
    query = {
        "station": {"$in": sorted(wanted)},
        "transaction_id": {"$in": sorted(set(wanted.values()), key=str)},
    }
    found = await TRANSACTIONS.of(where).find(query, sort=[("number", 1)]) if wanted else []
    return {one["station"]: one for one in found if wanted[one["station"]] == one["transaction_id"]}


async def by_start(where: Where, station: str, start_key: str) -> Transaction | None:
    """The latest that began with that very message."""
    query = {"station": station, "start_key": start_key}
    return await TRANSACTIONS.of(where).find_one(query, sort=[("start_number", -1)])


async def running_at(where: Where, cp_id: str, connector_id: str) -> Transaction | None:
    """The one that runs at the connector, as far as is known."""
    query = {"cp_id": cp_id, "ended": False, "superseded": False}
    running = await TRANSACTIONS.of(where).find(query, sort=[("created", -1)], limit=8)
    return next((one for one in running if one["connector_id"] == connector_id), None)


async def of_session(where: Where, session_id: str) -> Transaction | None:
    """What its charge point calls the session; None: it has not told of it."""
    return await TRANSACTIONS.of(where).find_one({"session_id": session_id}, sort=[("created", -1)])


async def latest(where: Where, station: str, limit: int) -> list[Transaction]:
    """Of a station, the latest first."""
    return await TRANSACTIONS.of(where).find(
        {"station": station}, sort=[("created", -1)], limit=limit
    )


async def free_number(tx: Tx, station: str) -> int:
    """A transactionId of 1.6 that the station never had from us."""
    while True:
        number = secrets.randbelow(MAX_NUMBER) + 1
        if await find(tx, station, number) is None:
            return number


async def supersede(tx: Tx, after: Transaction) -> None:
    """What ran at its connector before it, as far as we know, does so no more."""
    # Each by its id: what is written without a name is written alone (db_interface/joint).
    before = await TRANSACTIONS.of(tx).find(
        {
            "cp_id": after["cp_id"],
            "ended": False,
            "superseded": False,
            "connector_id": after["connector_id"],
        },
        {"_id": 1},
    )
    over: Transaction = {"superseded": True, "forget": tx.now + UNENDED_KEPT_FOR}
    await update_each(
        TRANSACTIONS.of(tx),
        [({"_id": one["_id"]}, {"$set": over}) for one in before if one["_id"] != after["_id"]],
    )


async def insert(tx: Tx, transaction: Transaction) -> None:
    await TRANSACTIONS.of(tx).insert_one(transaction)


async def change(tx: Tx, transaction: Transaction, changes: Transaction) -> Transaction:
    """The transaction after it; one that has ended is forgotten KEPT_FOR later."""
    written: Transaction = {**changes, "updated": tx.now}
    if changes.get("ended"):
        written["forget"] = tx.now + KEPT_FOR
    facts = {name: value for name, value in written.items() if name != "_id"}
    await TRANSACTIONS.of(tx).update_one({"_id": transaction["_id"]}, {"$set": facts})
    return {**transaction, **written}


async def change_each(tx: Tx, changed: Sequence[tuple[Transaction, Transaction]]) -> None:
    """(transaction, what changes of it) of many that go on."""
    await update_each(
        TRANSACTIONS.of(tx),
        [
            ({"_id": known["_id"]}, {"$set": {**changes, "updated": tx.now}})
            for known, changes in changed
        ],
    )


def has_seen(seen: Sequence[Sequence[int]], number: int) -> bool:
    index = bisect_right([one[0] for one in seen], number) - 1
    return index >= 0 and number <= seen[index][1]


def with_seen(seen: Sequence[Sequence[int]], number: int) -> list[list[int]]:
    """The ranges with one number more; of too many gaps the oldest are taken as filled."""
    ranges = sorted([*(list(one) for one in seen), [number, number]])
    joined: list[list[int]] = []
    for low, high in ranges:
        if joined and low <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], high)
        else:
            joined.append([low, high])
    while len(joined) > MAX_GAPS:
        joined[:2] = [[joined[0][0], joined[1][1]]]
    return joined


def answer_of(transaction: Transaction) -> JsonMapping:
    return transaction.get("answer") or {}
