"""Objects by id: who asks at the same moment gets what he would get alone, by one query."""

from __future__ import annotations

import asyncio

import pytest
from pymongo.collection import Collection as PymongoCollection

from db_interface.database import Database
from db_interface.demand import Demand
from db_interface.interface import DbInterface
from db_interface.single_reads import AsSeen
from db_interface.views import View
from tests.conftest import Loop
from tests.db_interface.test_owned_objects import thing

ALL = (["*"], None, Demand(), None)
QUESTIONS = [
    ("Loc1", *ALL),
    ("LOC2", *ALL),
    ("loc2", *ALL),
    ("loc9", *ALL),
    ("loc3", *ALL),
    ("loc3", ["*", "nl*emp"], None, Demand(), None),
    ("loc1", ["*"], ["de*cpo"], Demand(), None),
    ("loc2", ["*"], ["de*cpo"], Demand(), None),
    ("loc1", ["*"], None, Demand(has=["name"]), None),
    ("loc1", ["*"], None, Demand(), View("v9", same_if_absent=True)),
    ("loc2", ["*"], None, Demand(), View("v9")),
]


@pytest.fixture
def filled(db: Database, loop: Loop) -> DbInterface:
    store = DbInterface(db)
    for one in (
        thing("Loc1"),
        thing("Loc1", party="ABC", name="the first party's"),
        thing("Loc2"),
        thing("Loc2", party="XYZ"),
        thing("Loc3", audience="nl*emp"),
    ):
        loop.run(store.create("locations", one))
    return store


def test_together_everybody_gets_what_he_would_get_alone(filled: DbInterface, loop: Loop) -> None:
    objects = filled.objects("locations")

    async def at_once() -> list[object]:
        return await asyncio.gather(*(objects.read_shown(*question) for question in QUESTIONS))

    alone = [loop.run(objects.read_shown(*question)) for question in QUESTIONS]
    assert loop.run(at_once()) == alone
    assert [None if shown is None else shown.raw.count(b"first") for shown in alone] == [
        1, 0, 0, None, None, 0, 0, 0, None, 1, 0
    ]  # fmt: skip


def test_who_sees_the_same_is_answered_by_one_query(
    filled: DbInterface, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    find = PymongoCollection.find

    def spy(self: object, query: object, *rest: object) -> object:
        asked.append(query)
        return find(self, query, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(PymongoCollection, "find", spy)
    objects = filled.objects("locations")

    async def at_once() -> list[object]:
        return await asyncio.gather(*(objects.read(each, ["*"]) for each in ("loc1", "loc2", "x")))

    assert [raw is None for raw in loop.run(at_once())] == [False, False, True]
    assert asked == [AsSeen(["*"], None, Demand(), None).query(["loc1", "loc2", "x"])]
