"""A question is one gateway's to ask: of a station that is there, in time, as it was read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from db_interface.database import Database
from domain.ocpp import connections, question_taking
from domain.ocpp.question_taking import Offer
from domain.ocpp.questions import QUESTIONS, Question
from tests.clock import Clock
from tests.conftest import Loop


@pytest.fixture
def clock(db: Database) -> Clock:
    clock = db.clock = Clock()
    return clock


async def offers(db: Database, clock: Clock, *stations: str) -> list[Offer]:
    """Of open questions to stations that are at the connection "here"."""
    for station in stations:
        await connections.take(
            db,
            {
                "_id": station,
                "connection": "here",
                "holder": "gateway",
                "protocol": "ocpp1.6",
                "address": "192.0.2.1",
                "since": db.now(),
            },
        )
    questions: list[Question] = [
        {
            "_id": f"to {station}",
            "station": station,
            "evse": 0,
            "op": "call",
            "fields": {"id_tag": "A CARD"},
            "state": "ASKED",
            "asked": db.now(),
            "deadline": clock.now() + timedelta(seconds=10),
        }
        for station in stations
    ]
    assert await QUESTIONS.of(db).insert_new(questions) == [True for _ in stations]
    return [Offer(one, "here") for one in await question_taking.open_ones(db, 100)]


def test_those_that_are_taken_are_nobody_else_s_and_forget_the_card(
    db: Database, loop: Loop, clock: Clock
) -> None:
    async def story() -> None:
        offered = await offers(db, clock, "A", "B", "C")
        assert await question_taking.take(db, offered[:2]) == {"to A", "to B"}
        kept = await QUESTIONS.of(db).find({"state": "TAKEN"})
        assert [one["connection"] for one in kept] == ["here", "here"]
        assert "A CARD" not in str(kept)
        # Whoever did not hear that it has them asks once more; nobody else gets them.
        assert await question_taking.take(db, offered) == {"to A", "to B", "to C"}
        await connections.take(db, {**await _connection(db, "A"), "connection": "there"})
        assert await question_taking.take(db, [Offer(offered[0].question, "there")]) == set()

    loop.run(story())


async def _connection(db: Database, station: str) -> connections.Connection:
    found = await connections.CONNECTIONS.of(db).find_one({"_id": station})
    assert found is not None
    return found


@pytest.mark.parametrize("why", ["elsewhere", "gone", "over", "asked anew"])
def test_what_is_not_to_be_asked_is_not_taken(
    db: Database, loop: Loop, clock: Clock, why: str
) -> None:
    async def story() -> None:
        a, b = await offers(db, clock, "A", "B")
        if why == "elsewhere":
            a = replace(a, connection="an older one")
        elif why == "gone":
            await connections.let_go(db, {"here": "A"})
        elif why == "asked anew":
            await QUESTIONS.of(db).update_one(
                {"_id": a.id}, {"$set": {"asked": clock.now() + timedelta(seconds=1)}}
            )
        else:
            clock.advance(10)
        taken = await question_taking.take(db, [a, b])
        assert taken == (set() if why == "over" else {"to B"})
        assert await QUESTIONS.of(db).count({"_id": "to A", "state": "ASKED"}) == 1

    loop.run(story())


def test_of_new_ones_those_that_are_there_stay(db: Database, loop: Loop, clock: Clock) -> None:
    async def story() -> None:
        a, b = (one.question for one in await offers(db, clock, "A", "B"))
        await QUESTIONS.of(db).delete_one({"_id": b["_id"]})
        new: list[Question] = [{**a, "op": "other"}, b]
        assert await QUESTIONS.of(db).insert_new(new) == [False, True]
        assert [one["op"] for one in await QUESTIONS.of(db).find({})] == ["call", "call"]

    loop.run(story())
