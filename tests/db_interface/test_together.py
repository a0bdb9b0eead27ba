"""Questions that come at the same moment are asked in one query."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from db_interface.database import Database, StoreUnavailable
from db_interface.together import Together
from tests.conftest import Loop


class Asked:
    """A store that says everything twice, and writes down what it was asked together."""

    def __init__(self, db: Database, max_at_once: int = 4) -> None:
        self.queries: list[list[str]] = []
        self.away = False
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.together: Together[str, str] = Together(db, self._read, max_at_once)

    async def _read(self, questions: Sequence[str]) -> list[str]:
        self.queries.append(list(questions))
        await self.may_answer.wait()
        if self.away:
            raise StoreUnavailable("no primary at the moment")
        if "nonsense" in questions:
            raise ValueError("nonsense")
        return [question * 2 for question in questions]

    async def at_once(self, *questions: str) -> list[str | BaseException]:
        asking = (self.together.ask(question) for question in questions)
        return await asyncio.gather(*asking, return_exceptions=True)


@pytest.fixture
def asked(db: Database, loop: Loop) -> Asked:
    async def made() -> Asked:
        return Asked(db)

    return loop.run(made())


def test_who_asks_at_once_is_answered_by_one_query(asked: Asked, loop: Loop) -> None:
    assert loop.run(asked.at_once("a", "b", "c")) == ["aa", "bb", "cc"]
    assert asked.queries == [["a", "b", "c"]]


def test_one_query_has_no_more_than_it_may(asked: Asked, loop: Loop) -> None:
    assert loop.run(asked.at_once(*"abcde")) == ["aa", "bb", "cc", "dd", "ee"]
    assert sorted(len(query) for query in asked.queries) == [2, 3]


def test_nobody_waits_for_a_query_that_is_under_way(asked: Asked, loop: Loop) -> None:
    async def second_while_the_first_waits() -> list[str]:
        asked.may_answer.clear()
        first = asyncio.create_task(asked.together.ask("a"))
        while not asked.queries:
            await asyncio.sleep(0)
        second = asyncio.create_task(asked.together.ask("b"))
        while len(asked.queries) < 2:
            await asyncio.sleep(0)
        asked.may_answer.set()
        return [await first, await second]

    assert loop.run(second_while_the_first_waits()) == ["aa", "bb"]
    assert asked.queries == [["a"], ["b"]]


def test_one_that_cannot_be_asked_is_nobody_elses_trouble(asked: Asked, loop: Loop) -> None:
    first, wrong, last = loop.run(asked.at_once("a", "nonsense", "c"))
    assert (first, last) == ("aa", "cc")
    assert isinstance(wrong, ValueError)


def test_a_store_that_is_away_is_not_asked_again_for_each(asked: Asked, loop: Loop) -> None:
    asked.away = True
    answers = loop.run(asked.at_once("a", "b"))
    assert all(isinstance(answer, StoreUnavailable) for answer in answers)
    assert asked.queries == [["a", "b"]]


def test_who_goes_away_leaves_the_others_their_answers(asked: Asked, loop: Loop) -> None:
    async def one_goes() -> str:
        asked.may_answer.clear()
        gone = asyncio.create_task(asked.together.ask("a"))
        stays = asyncio.create_task(asked.together.ask("b"))
        while not asked.queries:
            await asyncio.sleep(0)
        gone.cancel()
        asked.may_answer.set()
        return await stays

    assert loop.run(one_goes()) == "bb"
