"""The collection `ocpp_questions`: what is asked of a station, wherever it is connected. Here is
the asker's side; the gateway's is `question_taking.py`.

    ASKED -> TAKEN -> ANSWERED       a gateway has taken it, and has its answer
    ASKED -> UNSENT                  nobody took it in time, or it surely was not sent
             TAKEN -> UNSENT
             TAKEN -> LOST           sent, and no answer came: what it did is not known

Its id is the asker's: the same question again is answered alike, and is sent again only where it
surely was not sent before. Times by the database's clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import TypedDict
from weakref import WeakKeyDictionary

from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.gathered import Gathered
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.together import Together
from db_interface.transaction import Tx
from domain.ocpp import connections
from domain.trace import TRACEPARENT, bound_id

KEPT_FOR = timedelta(days=1)
FORGOTTEN = {"fields": ""}
"""Once it is taken, or is so no more: they may be a card's or a password."""
LOOKED_AFTER_S = 0.03
PRESENT_FOR_S = 0.02
"""Look-ups of who is connected, this far apart; who asks alone waits for nobody."""
MAX_TOGETHER = 100


class State(str, Enum):
    ASKED = "ASKED"
    TAKEN = "TAKEN"
    ANSWERED = "ANSWERED"
    UNSENT = "UNSENT"
    LOST = "LOST"


class Question(TypedDict, total=False):
    """A document of `ocpp_questions`."""

    _id: str
    station: str
    evse: int
    """0: the whole station"""
    op: str
    fields: JsonMapping
    """until it is taken"""
    state: str
    asked: datetime
    deadline: datetime
    """nobody takes it afterwards"""
    traceparent: str
    """the trace that it was asked in, where traces are kept"""
    connection: str
    """which took it"""
    answer: JsonObject
    expires: datetime


QUESTIONS: Collection[Question] = Collection("ocpp_questions")


class Unanswered(Exception):
    """No answer came. `sent` False: the charge point surely was not asked; None: it may have
    been."""

    def __init__(self, why: str, *, sent: bool | None) -> None:
        super().__init__(why)
        self.sent = sent


async def ask(
    store: DbInterface,
    *,
    station: str,
    evse: int,
    op: str,
    fields: JsonMapping,
    question_id: str,
    timeout_s: float,
    again: bool = False,
) -> JsonObject:
    """The answer of the gateway that holds the station. `again`: it is harmless twice, and asked
    anew where its answer was lost. Raises Unanswered."""
    anew = (State.UNSENT.value, State.LOST.value) if again else (State.UNSENT.value,)

    def made(now: datetime) -> Question:
        question: Question = {
            "_id": question_id,
            "station": station,
            "evse": evse,
            "op": op,
            "fields": fields,
            "state": State.ASKED.value,
            "asked": now,
            "deadline": now + timedelta(seconds=timeout_s),
            "expires": now + KEPT_FOR,
        }
        traceparent = bound_id(TRACEPARENT)
        if traceparent is not None:
            question["traceparent"] = traceparent
        return question

    async def work(tx: Tx) -> Question | None:
        known = await _as_it_is(tx, question_id)
        if known is not None and known["state"] not in anew:
            return known
        if await connections.of_station(tx, station) is None:
            return None
        if known is not None:
            # Anew, and not changed: a gateway hears of new ones at once.
            await QUESTIONS.of(tx).delete_one({"_id": question_id})
        question = made(tx.now)
        await QUESTIONS.of(tx).insert_one(question)
        return question

    asking = _asking(store.db)
    question = made(store.db.now())
    # Nearly all are asked once, of who is there: that takes no transaction.
    if await asking.connected.get(station) is None or not await asking.new.ask(question):
        known = await store.transact_jointly(work, station, brief=True)
        if known is None:
            raise Unanswered(f"{station} is not connected", sent=False)
        question = known
    return await _answer_to(store.db, question, timeout_s)


async def _as_it_is(tx: Tx, question_id: str) -> Question | None:
    """One that was taken by a connection that is no more will not be answered any more."""
    known = await QUESTIONS.of(tx).find_one({"_id": question_id})
    if known is None or known["state"] != State.TAKEN.value:
        return known
    if await connections.still_holds(tx, known["station"], known["connection"]):
        return known
    lost: Question = {**known, "state": State.LOST.value}
    await QUESTIONS.of(tx).replace_one({"_id": question_id}, lost)
    return lost


async def _answer_to(db: Database, question: Question, timeout_s: float) -> JsonObject:
    loop = asyncio.get_running_loop()
    ends = loop.time() + timeout_s
    looks = _asking(db).looks
    seen: Question | None = question
    while seen is not None and seen["state"] in (State.ASKED.value, State.TAKEN.value):
        if loop.time() > ends:
            return await _given_up(db, question["_id"])
        await asyncio.sleep(LOOKED_AFTER_S)
        seen = await looks.get(question["_id"])
    return _read(seen)


async def _given_up(db: Database, question_id: str) -> JsonObject:
    """What came of it in this very moment, or that nobody takes it any more."""
    unsent = await QUESTIONS.of(db).update_one(
        {"_id": question_id, "state": State.ASKED.value},
        {"$set": {"state": State.UNSENT.value}, "$unset": FORGOTTEN},
    )
    if unsent:
        raise Unanswered("no gateway has taken it in time", sent=False)
    return _read(await QUESTIONS.of(db).find_one({"_id": question_id}))


def _read(question: Question | None) -> JsonObject:
    if question is None:
        raise Unanswered("it was forgotten", sent=None)
    if question["state"] == State.ANSWERED.value:
        return question["answer"]
    if question["state"] == State.UNSENT.value:
        raise Unanswered("the charge point was not reached", sent=False)
    raise Unanswered("no answer in time", sent=None)


class _Asking:
    """What those who ask in this process ask the store for, together."""

    def __init__(self, db: Database) -> None:
        async def read(ids: Sequence[str]) -> Mapping[str, Question]:
            found = await QUESTIONS.of(db).find({"_id": {"$in": list(ids)}})
            return {one["_id"]: one for one in found}

        async def present(stations: Sequence[str]) -> Mapping[str, connections.Connection]:
            return await connections.some(db, stations)

        self.looks = Gathered(db, read, LOOKED_AFTER_S)
        self.connected = Gathered(db, present, PRESENT_FOR_S)
        self.new: Together[Question, bool] = Together(db, QUESTIONS.of(db).insert_new, MAX_TOGETHER)
        """Whether it is kept; False: there is one of its id."""


_ASKING: WeakKeyDictionary[Database, _Asking] = WeakKeyDictionary()


def _asking(db: Database) -> _Asking:
    if db not in _ASKING:
        _ASKING[db] = _Asking(db)
    return _ASKING[db]
