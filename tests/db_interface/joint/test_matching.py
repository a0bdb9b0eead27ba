"""What is told of documents here is what MongoDB tells of them."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from db_interface.database import Database
from db_interface.joint.matching import any_of, is_simple, matches, narrowed, widened
from db_interface.json_data import JsonObject
from tests.conftest import Loop

AT = datetime(2026, 5, 1, tzinfo=timezone.utc)
LATER = datetime(2026, 5, 2, tzinfo=timezone.utc)
DOCUMENTS: list[JsonObject] = [
    {"_id": "a", "n": 1, "on": True, "at": AT, "links": {"evse": ["e1", "e2"]}},
    {"_id": "b", "n": 2, "on": False, "at": LATER, "links": {"evse": []}},
    {"_id": "c", "n": 1.0, "at": None, "tags": ["x", "y"]},
    {"_id": "d", "on": 1, "rows": [{"id": "1"}, {"id": "2"}]},
    {"_id": "e", "n": "1", "at": "2026", "scores": [0, 6]},
    {"_id": "f", "n": True, "scores": [3], "rows": [{"n": 0}, {"n": 6}]},
]
QUERIES: list[JsonObject] = [
    {},
    {"_id": "a"},
    {"_id": {"$in": ["a", "c", "z"]}},
    {"n": 1},
    {"n": True},
    {"on": True},
    {"n": {"$gte": 1, "$lt": 2}},
    {"n": {"$gt": "0"}},
    {"at": {"$lte": AT}},
    {"at": {"$gt": AT}},
    {"links.evse": "e2"},
    {"rows.id": "2", "on": 1},
    {"tags": {"$in": ["y", "z"]}},
    {"$or": [{"_id": "b"}, {"tags": "x"}]},
    {"$or": [{"n": 1}, {"n": 2}], "on": {"$in": [True, False]}},
    {"n": {"$gte": 0}},
    {"scores": {"$gt": 1, "$lt": 5}},
    {"scores": {"$gt": 4, "$lt": 5, "$in": [0]}},
    {"rows.n": {"$gt": 1, "$lt": 5}},
]


def test_a_query_finds_here_what_it_finds_there(db: Database, loop: Loop) -> None:
    async def story() -> None:
        await db["things"].insert_many(DOCUMENTS)
        stored = await db["things"].find({}).to_list(None)
        for query in QUERIES:
            assert is_simple(query), query
            there = [row["_id"] async for row in db["things"].find(query).sort("_id", 1)]
            assert [row["_id"] for row in stored if matches(query, row)] == there, query
        both = any_of([QUERIES[1], QUERIES[10]])
        assert [row["_id"] async for row in db["things"].find(both)] == ["a"]

    loop.run(story())


@pytest.mark.parametrize(
    "query",
    [
        {"n": None},
        {"n": {"$ne": 1}},
        {"n": {"$exists": True}},
        {"$expr": {"$lt": ["$n", 1]}},
        {"rows": {"$elemMatch": {"id": "1"}}},
        {"rows": {"id": "1"}},
        {"rows": [1]},
        {"rows.0.id": "1"},
        {"$or": [{"n": {"$type": "string"}}]},
    ],
)
def test_what_cannot_be_told_here_is_left_to_the_server(query: JsonObject) -> None:
    assert not is_simple(query)


def test_fields_are_asked_for_as_far_as_it_must_be_known_whose_a_document_is() -> None:
    assert widened(None, [{"cp": "1"}]) == {}
    assert widened({"n": 1}, [{"cp": "1"}]) == {"n": 1, "cp": 1}
    assert narrowed({"_id": "a", "n": 1, "cp": "1"}, {"n": 1}) == {"_id": "a", "n": 1}
    assert widened({"raw": 1}, [{"links.evse": "e"}]) == {"raw": 1, "links.evse": 1}
    assert widened({"links.has": 1}, [{"links.evse": "e"}]) is None
    assert widened({"n": 1, "_id": 0}, [{"cp": "1"}]) is None
    assert widened({"n": 0}, [{"cp": "1"}]) is None


def test_equal_questions_of_one_field_are_one_list() -> None:
    assert any_of([{"_id": "a"}, {"_id": "b"}]) == {"_id": {"$in": ["a", "b"]}}
    assert any_of([{"_id": "a", "on": True}, {"_id": "b", "on": True}]) == {
        "$or": [{"_id": "a", "on": True}, {"_id": "b", "on": True}]
    }
