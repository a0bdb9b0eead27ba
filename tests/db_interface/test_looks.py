"""Readers look at the writers together, and rely on what was seen for a moment."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta, timezone

import pytest

from db_interface import looks
from db_interface.database import Database
from db_interface.json_data import JsonObject
from db_interface.looks import Looks, Seen
from tests.conftest import Loop

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
CALM = Seen(late=False, slow=timedelta())


def sum_of(module: str) -> str:
    total = {"$group": {"_id": None, "n": {"$sum": "$n"}}}
    return json.dumps({"coll": "counts", "pipeline": [{"$match": {"module": module}}, total]})


class World:
    """Looks at the writers of a store by a clock in the test's hand."""

    def __init__(self, db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
        self.db, self.loop = db, loop
        self.uptime_s = 100.0
        self.queries = 0
        monkeypatch.setattr(looks, "uptime_s", lambda: self.uptime_s)
        self.looks = Looks(db, "writers", "numbers", self._others, lambda *_: 0.0)
        loop.run(self._fill())

    async def _fill(self) -> None:
        await self.db["writers"].insert_one({"_id": "numbers", "last": 1})
        await self.db["counts"].insert_many(
            [
                {"_id": "a/0", "module": "locations", "n": 2},
                {"_id": "a/1", "module": "locations", "n": 3},
                {"_id": "b/0", "module": "tariffs", "n": 1},
            ]
        )

    def another_writes(self, floor: datetime) -> None:
        async def begin() -> None:
            await self.db["writers"].insert_one({"_id": "other", "floor": floor})

        self.loop.run(begin())

    def _others(self) -> JsonObject:
        self.queries += 1
        return {"floor": {"$gt": NOW - timedelta(days=1)}}

    def look(self, *counted: str | None) -> list[Seen]:
        async def all_at_once() -> list[Seen]:
            return list(await asyncio.gather(*(self.looks.look(NOW, each) for each in counted)))

        return self.loop.run(all_at_once())


@pytest.fixture
def world(db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(db, loop, monkeypatch)


def test_who_looks_at_once_looks_together(world: World) -> None:
    seen = world.look(None, sum_of("locations"), sum_of("tariffs"), sum_of("locations"))
    assert [each.number for each in seen] == [None, 5, 1, 5]
    assert not any(each.late for each in seen)
    assert world.queries == 1


def test_what_nobody_has_counted_is_none_at_all(world: World) -> None:
    assert [each.number for each in world.look(sum_of("cdrs"))] == [0]


def test_calm_holds_for_a_moment(world: World) -> None:
    assert world.looks.calm(None) is None
    world.look(sum_of("locations"))
    world.uptime_s += looks.CALM_FOR_S / 2
    assert world.looks.calm(None) == CALM
    found = world.looks.calm(sum_of("locations"))
    assert found is not None and (found.late, found.number) == (False, 5)
    assert world.looks.calm(sum_of("tariffs")) is None  # not asked for yet
    world.uptime_s += looks.CALM_FOR_S
    assert world.looks.calm(None) is None
    assert world.looks.calm(sum_of("locations")) is None


def test_numbers_hold_until_this_process_writes(world: World) -> None:
    world.look(sum_of("locations"))
    world.looks.written()
    assert world.looks.calm(sum_of("locations")) is None
    assert world.looks.calm(None) == CALM


def test_a_number_that_was_counted_while_this_process_wrote_is_not_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = world.looks._others

    def and_meanwhile_it_writes() -> JsonObject:
        world.loop.loop.call_soon_threadsafe(world.looks.written)
        return others()

    monkeypatch.setattr(world.looks, "_others", and_meanwhile_it_writes)
    world.look(sum_of("locations"))
    assert world.looks.calm(None) == CALM
    assert world.looks.calm(sum_of("locations")) is None


@pytest.mark.parametrize(("floor", "late"), [(NOW - timedelta(seconds=1), True), (NOW, False)])
def test_where_others_write_nothing_is_kept(world: World, floor: datetime, late: bool) -> None:
    world.another_writes(floor)
    [seen] = world.look(sum_of("locations"))
    assert (seen.late, seen.number) == (late, 5)
    assert world.looks.calm(None) is None
    assert world.looks.calm(sum_of("locations")) is None
