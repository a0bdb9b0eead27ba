"""The queries behind a page: each finds an index, also those that stand inside another."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest

from db_interface import page_queries
from db_interface.database import Database
from db_interface.demand import Demand
from db_interface.indexes import BY_CREATION, BY_DATE
from db_interface.interface import DbInterface
from db_interface.order_of_creation import first_place
from db_interface.page_rows import PageRows
from db_interface.pages import PageQuery
from db_interface.together import Together
from tests.conftest import Loop
from tests.db_interface.pulling import MODULE, thing

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
QUERIES = {
    "all": PageQuery(["*"], limit=5),
    "several readers": PageQuery(["*", "nl*emp"], limit=5),
    "of one party": PageQuery(["*"], limit=5, owners=["de*cpo"]),
    "by offset": PageQuery(["*"], limit=5, offset=100),
    "by cursor": PageQuery(["*"], limit=5, after=first_place(NOW)),
    "by date": PageQuery(["*"], limit=5, date_from=NOW - HOUR),
    "a window": PageQuery(["*"], limit=5, date_from=NOW - HOUR, date_to=NOW + HOUR),
    "a past window": PageQuery(["*"], limit=5, date_from=NOW - HOUR, date_to=NOW),
    "required": PageQuery(["*"], limit=5, required=Demand(has=["evse_id"])),
}
SIZE = 300


@pytest.fixture
def filled(db: Database, loop: Loop) -> Database:
    objects = [thing(f"T{n}", n, NOW - timedelta(seconds=n)) for n in range(SIZE)]
    module = DbInterface(db).objects(MODULE)
    loop.run(DbInterface(db).transact(partial(module.put_new, objects)))
    return db


def plans(answer: Any) -> list[str]:
    """The names of all stages of an explained query, at any depth."""
    if isinstance(answer, dict):
        own = [answer["stage"]] if isinstance(answer.get("stage"), str) else []
        return own + [name for value in answer.values() for name in plans(value)]
    return [name for value in answer for name in plans(value)] if isinstance(answer, list) else []


@pytest.mark.parametrize("calm", [True, False])
@pytest.mark.parametrize("name", QUERIES)
def test_every_part_of_a_page_finds_an_index(
    filled: Database, loop: Loop, name: str, calm: bool
) -> None:
    query, as_of = QUERIES[name], page_queries.AsOf(NOW, first_place(NOW + HOUR), calm)
    parts = [
        page_queries.objects_of(MODULE, query, as_of),
        *page_queries.numbers_of(MODULE, query, as_of),
    ]

    async def explain(part: dict[str, Any]) -> Any:
        command = {"aggregate": part["coll"], "pipeline": part["pipeline"], "cursor": {}}
        return await filled.client[filled.name].command("explain", command)

    for part in parts:
        found = plans(loop.run(explain(part)))
        assert "COLLSCAN" not in found, part
        assert {"IXSCAN", "COUNT_SCAN"} & set(found), (part, found)


@pytest.mark.parametrize(("total", "index"), [(None, None), (100, BY_DATE), (100_000, BY_CREATION)])
def test_a_later_page_of_a_pull_by_date_goes_by_how_many_there_are(
    filled: Database, loop: Loop, total: int | None, index: str | None
) -> None:
    query = QUERIES["a window"]._replace(total=total, after=first_place(NOW - HOUR))
    assert page_queries.index_of(query) == index
    assert page_queries.index_of(query._replace(required=Demand(has=["evse_id"]))) is None
    if index is None:
        return
    part = page_queries.objects_of(MODULE, query, page_queries.AsOf(NOW, first_place(NOW + HOUR)))
    command = {"aggregate": part["coll"], "pipeline": part["pipeline"], "cursor": {}, "hint": index}

    async def explain() -> Any:
        return await filled.client[filled.name].command("explain", command)

    assert index in str(loop.run(explain()))


def test_pages_that_are_asked_for_at_once_are_one_query_and_the_same(
    filled: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = PageRows(filled, MODULE)
    as_of = page_queries.AsOf(NOW, first_place(NOW + HOUR), calm=True)
    in_order = DbInterface(filled).objects(MODULE).documents({}, sort=[("seq", 1)])
    places = [row["seq"] for row in loop.run(in_order)]
    asked = [
        PageQuery(["*"], limit=5),
        PageQuery(["*"], limit=7, after=places[20]),
        PageQuery(["*", "nl*emp"], limit=5, after=places[50]),
        PageQuery(["*"], limit=5, after=places[-2]),
    ]
    alone = [loop.run(rows.read(query, as_of)) for query in asked]
    assert [len(found) for found in alone] == [6, 8, 6, 1]

    async def refused(*_: object) -> None:
        raise AssertionError("a query of its own")

    monkeypatch.setattr(PageRows, "_read_one", refused)

    async def at_once() -> list[list[dict[str, Any]]]:
        return await asyncio.gather(*(rows.read(query, as_of) for query in asked))

    together = loop.run(at_once())
    shown = [[{**row, "page": place} for row in found] for place, found in enumerate(alone)]
    assert together == shown


@pytest.mark.parametrize("name", ["of one party", "by offset", "required"])
def test_nobody_waits_for_anothers_search(
    filled: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    rows, query = PageRows(filled, MODULE), QUERIES[name]
    as_of = page_queries.AsOf(NOW, first_place(NOW + HOUR), calm=True)

    async def refused(*_: object) -> None:
        raise AssertionError("with others")

    monkeypatch.setattr(Together, "ask", refused)
    assert isinstance(loop.run(rows.read(query, as_of)), list)
