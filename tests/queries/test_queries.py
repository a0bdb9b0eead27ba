"""That what every other test is held to (`_queries_find_an_index`) sees what it should see."""

from __future__ import annotations

import pytest

from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.json_data import JsonObject
from domain.charge_points.charge_point_documents import CHARGE_POINTS, get
from tests.conftest import Loop
from tests.queries.asked import QUERIES, Asked
from tests.queries.shapes import filter_shape, shapes_of
from tests.queries.spreading import CARRIED, EVERY_SHARD, REFUSED, how
from tests.queries.verdicts import objections


def said(command: JsonObject, db: Database) -> list[str]:
    """What is objected to if the product issues this."""
    (name, *_) = command
    ((shape, alone),) = shapes_of(name, command)
    return list(objections(Asked(shape, alone, db.name, "domain/some.py"), db))


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ({"find": "tariffs", "filter": {"fields.nobody": 1}}, "the whole collection"),
        ({"find": "tariffs", "filter": {"fields.no": 1}, "sort": {"seq": 1}}, "a whole index"),
        ({"find": "commands", "filter": {"cp_id": "x"}, "sort": {"due": 1}}, "memory"),
        (
            {"delete": "commands", "deletes": [{"q": {"fields.nobody": 1}, "limit": 0}]},
            "the whole collection",
        ),
        (
            {"aggregate": "peers", "pipeline": [{"$match": {"no": 1}}], "cursor": {}},
            "the whole collection",
        ),
        ({"distinct": "tariffs", "key": "fields.no", "query": {}}, "the whole collection"),
    ],
)
def test_what_no_index_brings_is_objected_to(
    db: Database, loop: Loop, command: JsonObject, fault: str
) -> None:
    (objection,) = said(command, db)
    assert objection.startswith("domain/some.py: ") and objection.endswith(fault)


@pytest.mark.parametrize(
    "command",
    [
        {"find": "tariffs", "filter": {"lid": "a"}},
        {"find": "tariffs", "filter": {}, "sort": {"seq": -1}, "limit": 50},
        {"find": "commands", "filter": {"state": "SENT"}, "sort": {"created": -1, "_id": -1}},
        {"find": "operators", "filter": {}},
        {"find": "a_test_of_its_own", "filter": {"x": 1}},
    ],
)
def test_what_an_index_brings_is_not(db: Database, loop: Loop, command: JsonObject) -> None:
    assert said(command, db) == []


def test_the_product_is_heard_and_a_test_is_not(db: Database, loop: Loop) -> None:
    QUERIES.take_new()
    shape = "find charge_points {_id} limit"
    heard_before = {one.text for one in QUERIES.known}

    async def ask() -> None:
        await CHARGE_POINTS.of(db).find_one({"_id": {"$gt": "of a test"}, "presence": 1})
        await Collection[JsonObject]("charge_points").of(db).find({"presence": 2})
        await get(db, "CP-1")

    loop.run(ask())
    heard = {one.text for one in QUERIES.known}
    assert shape in heard
    assert heard - heard_before <= {shape}


def test_queries_are_the_same_whatever_the_values() -> None:
    shapes = {
        filter_shape({"cp_id": cp_id, "due": {"$lte": at}, "_id": {"$in": ids}})
        for cp_id, at, ids in (("a", 1, []), ("b", 2, ["x", "y"]))
    }
    assert shapes == {"{_id, cp_id, due $lte}"}
    either = {"$or": [{"a": 1}, {"b": {"$gt": 2}}, {"a": 3}]}
    assert filter_shape(either) == "{$or({a} | {b $gt})}"


@pytest.mark.parametrize(
    ("collection", "command", "taken"),
    [
        ("locations", {"find": "locations", "filter": {"_id": "a"}}, CARRIED),
        ("locations", {"find": "locations", "filter": {"_id": {"$in": ["a"]}}}, CARRIED),
        ("locations", {"find": "locations", "filter": {"_id": {"$gt": "a"}}}, EVERY_SHARD),
        ("locations", {"find": "locations", "filter": {"audience": "*"}}, EVERY_SHARD),
        ("charging_sessions", {"updates": [{"q": {"_id": "a"}}]}, EVERY_SHARD),
        ("charging_sessions", {"updates": [{"q": {"_id": "a"}, "upsert": True}]}, REFUSED),
        ("charging_sessions", {"updates": [{"q": {"to_stop": True}}]}, REFUSED),
        ("charging_sessions", {"updates": [{"q": {"cp_id": "a"}, "upsert": True}]}, CARRIED),
        ("charging_sessions", {"findAndModify": "x", "query": {"_id": "a"}}, REFUSED),
        ("marks", {"deletes": [{"q": {"peer_id": "a"}, "limit": 0}]}, EVERY_SHARD),
        ("marks", {"deletes": [{"q": {"peer_id": "a"}, "limit": 1}]}, REFUSED),
        ("peers", {"find": "peers", "filter": {}}, CARRIED),
    ],
)
def test_a_query_names_the_key_of_its_collection(
    collection: str, command: JsonObject, taken: str
) -> None:
    assert how(collection, command) == taken
