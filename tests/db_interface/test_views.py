"""Other forms of an object: kept beside it, never older than it, told of where missing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone

import orjson
import pytest

from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.owned_objects import MakeViews, OwnedObject, no_views
from db_interface.pages import Page, PageQuery
from db_interface.transaction import Tx
from db_interface.views import SAME, View
from domain.outbox.stamping import stamp_at
from tests.conftest import Loop
from tests.db_interface.pulling import EVERYBODY, MODULE, thing

OTHER = View("other")
NEARLY = View("nearly", same_if_absent=True)
LONG_AGO = datetime(2020, 1, 1, tzinfo=timezone.utc)


async def upside_down(obj: OwnedObject) -> Mapping[str, bytes]:
    return {OTHER.name: orjson.dumps({"other": obj.fields["value"]})}


async def the_same(_: OwnedObject) -> Mapping[str, bytes]:
    return {OTHER.name: SAME}


async def unlike_in_nearly(obj: OwnedObject) -> Mapping[str, bytes]:
    return {NEARLY.name: orjson.dumps({"other": obj.fields["value"]})}


@pytest.fixture
def store(db: Database) -> DbInterface:
    return DbInterface(db)


def keep(store: DbInterface, loop: Loop, value: int, make_views: MakeViews = no_views) -> datetime:
    """Write the object T1; returns the stamp that it bears."""

    async def work(tx: Tx) -> datetime:
        obj = thing("T1", value, LONG_AGO)
        await store.objects(MODULE).replace(obj, tx, stamp_at(tx.now), make_views)
        return tx.now

    return loop.run(store.transact(work))


def page(store: DbInterface, loop: Loop, view: View | None, as_of: datetime | None = None) -> Page:
    """The list of all, or of a pull by date that began then."""
    since = None if as_of is None else LONG_AGO
    query = PageQuery([EVERYBODY], limit=5, view=view, date_from=since, as_of=as_of)
    return loop.run(store.get_all(MODULE, query))


def values(page: Page) -> list[dict[str, int]]:
    rows = [orjson.loads(raw) for raw in page.raws]
    return [{name: row[name] for name in ("value", "other") if name in row} for row in rows]


def test_each_reader_gets_his_form(store: DbInterface, loop: Loop) -> None:
    keep(store, loop, 1, upside_down)
    assert values(page(store, loop, None)) == [{"value": 1}]
    other = page(store, loop, OTHER)
    assert (values(other), list(other.unmade)) == ([{"other": 1}], [])
    one = loop.run(store.objects(MODULE).read_shown("t1", [EVERYBODY], view=OTHER))
    assert one is not None
    assert (orjson.loads(one.raw), one.unmade) == ({"other": 1}, False)


def test_a_form_that_is_not_kept_has_to_be_made(store: DbInterface, loop: Loop) -> None:
    keep(store, loop, 1)
    other = page(store, loop, OTHER)
    assert (values(other), list(other.unmade)) == ([{"value": 1}], [0])
    one = loop.run(store.objects(MODULE).read_shown("t1", [EVERYBODY], view=OTHER))
    assert one is not None and one.unmade


@pytest.mark.parametrize("view", [OTHER, NEARLY])
def test_a_form_that_is_the_same_is_not_kept_twice(
    store: DbInterface, loop: Loop, view: View
) -> None:
    keep(store, loop, 1, the_same)
    found = page(store, loop, view)
    assert (values(found), list(found.unmade)) == ([{"value": 1}], [])


def test_a_form_that_is_nearly_always_the_same_is_shown_where_it_is_not(
    store: DbInterface, loop: Loop
) -> None:
    first = keep(store, loop, 1, unlike_in_nearly)
    found = page(store, loop, NEARLY)
    assert (values(found), list(found.unmade)) == ([{"other": 1}], [])
    one = loop.run(store.objects(MODULE).read_shown("t1", [EVERYBODY], view=NEARLY))
    assert one is not None
    assert (orjson.loads(one.raw), one.unmade) == ({"other": 1}, False)
    assert values(page(store, loop, NEARLY, as_of=first)) == [{"other": 1}]
    keep(store, loop, 2, unlike_in_nearly)
    assert values(page(store, loop, NEARLY, as_of=first)) == [{"other": 1}]
    assert values(page(store, loop, None)) == [{"value": 2}]


def test_no_form_is_older_than_the_object(store: DbInterface, loop: Loop) -> None:
    keep(store, loop, 1, upside_down)
    keep(store, loop, 2)
    other = page(store, loop, OTHER)
    assert (values(other), list(other.unmade)) == ([{"value": 2}], [0])


def test_a_pull_shows_what_was_in_the_form_of_then(store: DbInterface, loop: Loop) -> None:
    first = keep(store, loop, 1, upside_down)
    keep(store, loop, 2, upside_down)
    then = page(store, loop, OTHER, as_of=first)
    assert (values(then), list(then.unmade)) == ([{"other": 1}], [])


def test_a_pull_shows_what_was_where_its_form_was_not_kept(store: DbInterface, loop: Loop) -> None:
    first = keep(store, loop, 1)
    keep(store, loop, 2, upside_down)
    then = page(store, loop, OTHER, as_of=first)
    assert (values(then), list(then.unmade)) == ([{"value": 1}], [0])
