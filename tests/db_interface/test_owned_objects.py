"""Objects as bytes: created, updated, unchanged; pages in order; counts exact."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mongomock_motor import AsyncMongoMockClient

from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.owned_objects import OwnedObject
from db_interface.pages import PageQuery
from tests.conftest import Loop
from tests.drawn import drawn

NOW = datetime(2025, 3, 1, 12, tzinfo=timezone.utc)


def thing(
    object_id: str, *, audience: str = "*", party: str = "CPO", at: datetime = NOW, **fields: Any
) -> OwnedObject:
    plain = {"country_code": "DE", "party_id": party, "id": object_id, **fields}
    return OwnedObject("DE", party, (object_id,), plain, at, audience, {"evse": ["E1"]})


@pytest.fixture
def store(db: Database) -> DbInterface:
    return DbInterface(db)


def raws(page: Any) -> list[str]:
    return [orjson.loads(raw)["id"] for raw in page.raws]


def test_a_write_says_what_it_was(store: DbInterface, loop: Loop) -> None:
    assert loop.run(store.create("locations", thing("Loc1"))) == "created"
    assert loop.run(store.create("locations", thing("Loc1"))) == "unchanged"
    assert loop.run(store.create("locations", thing("Loc1", name="x"))) == "updated"
    assert (loop.run(store.get("locations", "de/cpo/loc1")) or {})["name"] == "x"
    assert loop.run(store.delete("locations", "de/cpo/loc1")) is True
    assert loop.run(store.delete("locations", "de/cpo/loc1")) is False
    assert loop.run(store.get("locations", "de/cpo/loc1")) is None


def test_ids_keep_their_case_and_are_found_in_any(store: DbInterface, loop: Loop) -> None:
    loop.run(store.create("locations", thing("LoC1")))
    for asked in ("LoC1", "loc1", "LOC1"):
        raw = loop.run(store.objects("locations").read(asked, ["*"]))
        assert raw is not None and orjson.loads(raw)["id"] == "LoC1"
    assert loop.run(store.objects("locations").read("loc1", ["de*tnm"])) is None
    assert loop.run(store.objects("locations").read("loc1", ["*"], ["de*oth"])) is None


def test_pages_follow_the_order_of_creation_by_offset_and_by_cursor(
    store: DbInterface, loop: Loop
) -> None:
    for name in ("c", "a", "b", "e", "d"):
        loop.run(store.create("locations", thing(name)))
    loop.run(store.create("locations", thing("c", name="changed", at=NOW + timedelta(days=1))))

    first = loop.run(store.get_all("locations", PageQuery(["*"], limit=2)))
    assert (raws(first), first.total, first.is_last) == (["c", "a"], 5, False)
    second = loop.run(store.get_all("locations", PageQuery(["*"], limit=2, after=first.last_seq)))
    assert raws(second) == ["b", "e"]
    by_offset = loop.run(store.get_all("locations", PageQuery(["*"], limit=2, offset=4)))
    assert (raws(by_offset), by_offset.is_last) == (["d"], True)


def test_dates_are_inclusive_from_and_exclusive_to(store: DbInterface, loop: Loop) -> None:
    for hour in range(4):
        loop.run(store.create("locations", thing(f"L{hour}", at=NOW + timedelta(hours=hour))))
    query = PageQuery(
        ["*"], limit=9, date_from=NOW + timedelta(hours=1), date_to=NOW + timedelta(hours=3)
    )
    page = loop.run(store.get_all("locations", query))
    assert (raws(page), page.total) == (["L1", "L2"], 2)


def test_many_new_ones_at_once_keep_their_order(store: DbInterface, loop: Loop) -> None:
    async def work() -> None:
        objects = [thing(f"L{number}") for number in range(50)]
        await store.transact(lambda s: store.objects("locations").put_new(objects, s))

    loop.run(work())
    loop.run(store.create("locations", thing("last")))
    page = loop.run(store.get_all("locations", PageQuery(["*"], limit=100)))
    assert raws(page) == [*(f"L{number}" for number in range(50)), "last"]
    assert page.total == 51


def test_creations_racing_in_many_transactions_all_get_their_own_place(
    store: DbInterface, loop: Loop, db: Database
) -> None:
    async def race() -> None:
        await asyncio.gather(
            *(store.create("locations", thing(f"L{number}")) for number in range(40))
        )

    loop.run(race())

    async def places() -> list[int]:
        return [row["seq"] async for row in db["locations"].find({}, {"seq": 1}).sort("seq", 1)]

    assert len(set(loop.run(places()))) == 40
    assert loop.run(store.objects("locations").count(PageQuery(["*"], limit=1))) == 40


steps = st.lists(
    st.tuples(
        st.sampled_from(["put", "hide", "remove"]),
        st.integers(0, 4),
        st.sampled_from(["CPO", "OTH"]),
    ),
    max_size=15,
)


@given(steps)
@settings(
    max_examples=drawn(10),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_counts_are_exact_whatever_happened(
    store: DbInterface, loop: Loop, steps: list[tuple[str, int, str]]
) -> None:
    async def play() -> None:
        for name in ("tariffs", "counts"):
            await store.db[name].delete_many({})
        visible: set[tuple[int, str]] = set()
        for action, number, party in steps:
            if action == "remove":
                await store.delete("tariffs", f"de/{party}/t{number}".lower())
                visible.discard((number, party))
                continue
            audience = "*" if action == "put" else ""
            await store.create("tariffs", thing(f"T{number}", party=party, audience=audience))
            (visible.add if action == "put" else visible.discard)((number, party))
        for owners in (None, ["de*cpo"], ["de*oth"], ["de*cpo", "de*oth"]):
            query = PageQuery(["*"], limit=20, owners=owners)
            page = await store.get_all("tariffs", query)
            expected = {
                row for row in visible if owners is None or f"de*{row[1].lower()}" in owners
            }
            assert page.total == len(page.raws) == len(expected)

    loop.run(play())


@pytest.fixture
def mock_store() -> DbInterface:
    return DbInterface(Database(AsyncMongoMockClient(), "unit", transactions=False))


def test_without_a_server_the_methods_work_on_a_mock(mock_store: DbInterface) -> None:
    async def story() -> None:
        assert await mock_store.create("tokens", thing("A")) == "created"
        assert await mock_store.create("tokens", thing("A", x=1)) == "updated"
        assert await mock_store.create("tokens", thing("A", x=1)) == "unchanged"
        assert (await mock_store.get("tokens", "de/cpo/a") or {})["x"] == 1
        assert await mock_store.delete("tokens", "de/cpo/a")

    asyncio.run(story())
