"""The queries behind a page: each finds an index, also those that stand inside another."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest

from db_interface import pages
from db_interface.database import Database
from db_interface.demand import Demand
from db_interface.interface import DbInterface
from db_interface.order_of_creation import first_place
from db_interface.pages import PageQuery
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
    query, as_of = QUERIES[name], pages.AsOf(NOW, first_place(NOW + HOUR), calm)
    parts = [pages.objects_of(MODULE, query, as_of), *pages.numbers_of(MODULE, query, as_of)]

    async def explain(part: dict[str, Any]) -> Any:
        command = {"aggregate": part["coll"], "pipeline": part["pipeline"], "cursor": {}}
        return await filled.client[filled.name].command("explain", command)

    for part in parts:
        found = plans(loop.run(explain(part)))
        assert "COLLSCAN" not in found, part
        assert {"IXSCAN", "COUNT_SCAN"} & set(found), (part, found)
