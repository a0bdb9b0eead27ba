"""The gateway's side of questions to stations: which wait, whose they are, what was answered.

A question is taken by one write that names the state that it is in: of several gateways one has
it. A gateway takes it for a connection that the store still has as the station's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from db_interface.bulk import update_if_all
from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from domain.ocpp import connections
from domain.ocpp.questions import FORGOTTEN, QUESTIONS, Question, State


@dataclass(frozen=True)
class Offer:
    """A question, and the connection by which this process would put it."""

    question: Question
    connection: str

    @property
    def id(self) -> str:
        return self.question["_id"]


async def open_ones(db: Database, limit: int) -> list[Question]:
    """Those that wait to be taken, the oldest first."""
    return await QUESTIONS.of(db).find(
        {"state": State.ASKED.value, "deadline": {"$gt": db.now()}},
        sort=[("deadline", 1)],
        limit=limit,
    )


async def take(db: Database, offers: Sequence[Offer]) -> set[str]:
    """The ids of those that are this process's to ask, whose own lease is good; the others are
    over, somebody else's, or of a station that is elsewhere. Once more is the same again."""
    there = await connections.those_at(
        db, {offer.question["station"]: offer.connection for offer in offers}
    )
    ours = {offer.id: offer for offer in offers if offer.question["station"] in there}
    now, changes = db.now(), list[tuple[JsonMapping, JsonMapping]]()
    for offer in ours.values():
        taken: Question = {"state": State.TAKEN.value, "connection": offer.connection}
        waits = {
            "_id": offer.id,
            "state": State.ASKED.value,
            "asked": offer.question["asked"],
            "deadline": {"$gt": now},
        }
        changes.append((waits, {"$set": taken, "$unset": FORGOTTEN}))
    if await update_if_all(QUESTIONS.of(db), changes):
        return set(ours)
    wanted = {"_id": {"$in": sorted(ours)}, "state": State.TAKEN.value}
    found = await QUESTIONS.of(db).find(wanted, {"connection": 1})
    return {one["_id"] for one in found if one["connection"] == ours[one["_id"]].connection}


async def answer(db: Database, question_id: str, answer: JsonObject) -> None:
    await _end(db, question_id, {"state": State.ANSWERED.value, "answer": answer})


async def not_answered(db: Database, question_id: str, *, sent: bool | None) -> None:
    """`sent` False: it was surely not sent."""
    state = State.UNSENT if sent is False else State.LOST
    await _end(db, question_id, {"state": state.value})


async def _end(db: Database, question_id: str, changes: Question) -> None:
    await QUESTIONS.of(db).update_one(
        {"_id": question_id, "state": State.TAKEN.value},
        # Cards and addresses of files are nobody's business any more.
        {"$set": changes, "$unset": FORGOTTEN},
    )
