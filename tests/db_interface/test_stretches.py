"""A deep offset is found by counted stretches, and shows what it would show without them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

import orjson
import pytest

from db_interface import stretches
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.owned_objects import OwnedObject
from db_interface.page_rows import PageRows
from db_interface.pages import PageQuery
from db_interface.stretches import STRETCHES, count_again, cut
from db_interface.transaction import Tx
from tests.conftest import Loop

MODULE = "tariffs"
NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
AUDIENCES = ("*", "guests", "")
OWNERS = ("AAA", "BBB")
NUMBER = 47


def thing(number: int, audience: str | None = None, value: int = 0) -> OwnedObject:
    owner, its = OWNERS[number % 3 % 2], AUDIENCES[number % 5 % 3]
    fields = {"country_code": "DE", "party_id": owner, "id": f"T{number}", "value": value}
    audience = its if audience is None else audience
    return OwnedObject("DE", owner, (f"T{number}",), fields, NOW, audience)


@pytest.fixture
def store(db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> DbInterface:
    """Stretches of seven objects, of what is settled this moment."""
    monkeypatch.setattr(stretches, "SIZE", 7)
    monkeypatch.setattr(stretches, "SETTLED_AFTER", timedelta(0))
    store = DbInterface(db)
    things = [thing(number) for number in range(NUMBER)]
    loop.run(store.transact(partial(store.objects(MODULE).put_new, things)))
    return store


async def cut_all(store: DbInterface) -> int:
    """The clock of a place is its millisecond: what has just been written is settled soon."""
    number = 0
    while number < NUMBER // stretches.SIZE:
        if await cut(store, MODULE):
            number += 1
        else:
            await asyncio.sleep(0.005)
    return number


async def shown(
    store: DbInterface, audiences: Sequence[str], owners: Sequence[str] | None = None
) -> list[list[str]]:
    """By offset, the ids of each page of three."""
    pages = []
    for offset in range(0, NUMBER + 10):
        query = PageQuery(audiences, limit=3, offset=offset, owners=owners)
        page = await store.objects(MODULE).page(query)
        pages.append([orjson.loads(raw)["id"] for raw in page.raws])
    return pages


def expected(
    things: Sequence[OwnedObject], audiences: Sequence[str], owners: Sequence[str] | None = None
) -> list[list[str]]:
    ids = [
        one.key_parts[-1]
        for one in things
        if one.audience in audiences and (owners is None or one.owner in owners)
    ]
    return [ids[offset : offset + 3] for offset in range(0, NUMBER + 10)]


async def keep(store: DbInterface, obj: OwnedObject) -> None:
    await store.transact(partial(store.objects(MODULE).put, obj))


def test_each_offset_shows_what_it_shows_without(store: DbInterface, loop: Loop) -> None:
    things = [thing(number) for number in range(NUMBER)]

    async def story() -> None:
        assert await cut_all(store) == 6
        for audiences in (["*"], ["*", "guests"], ["nobody's"]):
            for owners in (None, ["de*bbb"]):
                pages = await shown(store, audiences, owners)
                assert pages == expected(things, audiences, owners)

    loop.run(story())


def test_what_opens_closes_goes_or_comes_is_counted_where_it_lies(
    store: DbInterface, loop: Loop
) -> None:
    things = [thing(number) for number in range(NUMBER)]

    async def story() -> None:
        await cut_all(store)
        for number, audience in ((0, ""), (2, "guests"), (20, "*"), (46, "guests")):
            things[number] = thing(number, audience, value=1)
            await keep(store, things[number])
        gone = [15, 45]
        for number in gone:
            await store.transact(partial(store.objects(MODULE).remove, things[number].key))
        things.append(thing(NUMBER, "*"))
        await keep(store, things[-1])
        left = [one for number, one in enumerate(things) if number not in gone]
        for audiences in (["*"], ["*", "guests"]):
            assert await shown(store, audiences) == expected(left, audiences)

    loop.run(story())


def test_only_a_stretch_is_passed_over(
    store: DbInterface, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, skipped = PageRows.read, dict[int, int]()

    async def watched(rows: PageRows, query: PageQuery, as_of: Any) -> Any:
        skipped[query.offset] = query.passed_over
        return await read(rows, query, as_of)

    monkeypatch.setattr(PageRows, "read", watched)

    async def story() -> None:
        await cut_all(store)
        await shown(store, ["*", "guests", ""])

    loop.run(story())
    cut_off = NUMBER // stretches.SIZE * stretches.SIZE
    assert {passed for offset, passed in skipped.items() if offset < cut_off} == {*range(7)}


def test_a_cut_and_a_move_behind_it_meet(store: DbInterface, loop: Loop) -> None:
    """Whoever commits second does it again, and sees what the other did."""
    things = [thing(number) for number in range(NUMBER)]
    things[3] = thing(3, "guests", value=1)
    ready, go = asyncio.Event(), asyncio.Event()
    runs = 0

    async def held(tx: Tx) -> None:
        nonlocal runs
        runs += 1
        await STRETCHES.of(tx).find_one({"_id": "its snapshot is from before the cut"})
        if runs == 1:
            ready.set()
            await go.wait()
        await tx.store.objects(MODULE).put(things[3], tx)

    async def story() -> None:
        moving = asyncio.create_task(store.transact(held))
        await ready.wait()
        end = (await store.objects(MODULE).documents({}, sort=[("seq", 1)], skip=7))[0]["seq"]
        await store.transact(partial(stretches._cut, MODULE, 0, end))
        go.set()
        await moving
        assert runs == 2
        assert await shown(store, ["*"]) == expected(things, ["*"])

    loop.run(story())


def test_numbers_that_went_wrong_are_set_right(store: DbInterface, loop: Loop) -> None:
    things = [thing(number) for number in range(NUMBER)]

    async def story() -> None:
        await cut_all(store)
        await STRETCHES.of(store.db).update_many({"audience": "*"}, {"$inc": {"n": 3}})
        await STRETCHES.of(store.db).delete_many({"audience": "guests"})
        assert await shown(store, ["*"]) != expected(things, ["*"])
        begin: int | None = -1
        while begin is not None:
            begin = await count_again(store, MODULE, begin)
        for audiences in (["*"], ["*", "guests"]):
            assert await shown(store, audiences) == expected(things, audiences)

    loop.run(story())
