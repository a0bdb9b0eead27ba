"""What a transaction has read it does not ask for again, and nobody can tell but by the cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any, TypedDict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db_interface.bulk import upsert_each
from db_interface.collection import Collection, Documents
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from tests.conftest import Loop
from tests.drawn import drawn

AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=timezone.utc)


class Thing(TypedDict, total=False):
    _id: str
    n: int
    parts: list[dict[str, int]]
    at: datetime


THINGS: Collection[Thing] = Collection("things")


class Asked:
    """The driver's collection; `names`: which of its methods were called."""

    def __init__(self, collection: Any) -> None:
        self.names: list[str] = []
        self._collection = collection

    def __getattr__(self, name: str) -> Any:
        self.names.append(name)
        return getattr(self._collection, name)


@pytest.fixture
def asked(db: Database, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """All that the driver is asked of `things` from now on."""
    collection = Asked(db["things"])
    monkeypatch.setitem(db._collections, "things", collection)
    return collection


def transact(loop: Loop, db: Database, work: Callable[[Tx], Any]) -> Any:
    return loop.run(DbInterface(db).transact(work))


def test_the_same_question_is_asked_once(loop: Loop, db: Database, asked: Asked) -> None:
    async def work(tx: Tx) -> list[object]:
        things = THINGS.of(tx)
        return [
            await things.find_one({"_id": "one"}),
            await THINGS.of(tx).find_one({"_id": "one"}),
            await things.find_one({"_id": "one"}, {"n": 1}),
            await things.find_one({"_id": "none"}),
            await things.find_one({"_id": "none"}, {"n": 1}),
            await things.find({"n": 1}, {"n": 1}),
            await things.find({"n": 1}, {"n": 1}),
            await things.find_one({"n": 2}),
            await things.find_one({"n": 2}),
        ]

    loop.run(THINGS.of(db).insert_one({"_id": "one", "n": 1, "parts": [{"a": 1}]}))
    asked.names.clear()
    whole, brief = {"_id": "one", "n": 1, "parts": [{"a": 1}]}, {"_id": "one", "n": 1}
    found = transact(loop, db, work)
    assert found == [whole, whole, brief, None, None, [brief], [brief], None, None]
    assert asked.names == ["find_one", "find_one", "find", "find_one"]


def test_what_is_done_to_an_answer_is_not_seen_in_the_next(loop: Loop, db: Database) -> None:
    async def work(tx: Tx) -> object:
        things = THINGS.of(tx)
        for answer in (await things.find_one({"_id": "one"}), *await things.find({})):
            assert answer is not None
            answer["parts"][0]["a"] = 2
            answer["parts"].append({"b": 3})
        return [await things.find_one({"_id": "one"}), *await things.find({})]

    one: Thing = {"_id": "one", "parts": [{"a": 1}]}
    loop.run(THINGS.of(db).insert_one(one))
    assert transact(loop, db, work) == [one, one]


def test_outside_of_a_transaction_nothing_is_remembered(loop: Loop, db: Database) -> None:
    async def story() -> list[object]:
        things = THINGS.of(db)
        before = await things.find_one({"_id": "one"})
        await THINGS.of(db).insert_one({"_id": "one"})
        return [before, await things.find_one({"_id": "one"})]

    assert loop.run(story()) == [None, {"_id": "one"}]


def test_several_steps_of_one_document_are_one_write(
    loop: Loop, db: Database, asked: Asked
) -> None:
    async def work(tx: Tx) -> object:
        things = THINGS.of(tx)
        await things.find_one({"_id": "one"})
        await things.set_later("one", {"n": 2, "at": AT})
        seen = await things.find_one({"_id": "one"})
        await things.set_later("one", {"n": 3})
        return seen

    loop.run(THINGS.of(db).insert_one({"_id": "one", "n": 1}))
    asked.names.clear()
    # As the database would give it: milliseconds.
    as_stored = AT.replace(microsecond=123000)
    assert transact(loop, db, work) == {"_id": "one", "n": 2, "at": as_stored}
    assert asked.names == ["find_one", "bulk_write"]
    kept = loop.run(THINGS.of(db).find_one({"_id": "one"}))
    assert kept == {"_id": "one", "n": 3, "at": as_stored}


def test_what_was_left_for_later_goes_with_the_transaction(loop: Loop, db: Database) -> None:
    async def work(tx: Tx) -> None:
        await THINGS.of(tx).find_one({"_id": "one"})
        await THINGS.of(tx).set_later("one", {"n": 2})
        raise ValueError("changed my mind")

    loop.run(THINGS.of(db).insert_one({"_id": "one", "n": 1}))
    with pytest.raises(ValueError, match="changed my mind"):
        transact(loop, db, work)
    assert loop.run(THINGS.of(db).find_one({"_id": "one"})) == {"_id": "one", "n": 1}


def test_each_attempt_sees_what_is_there_by_then(loop: Loop, db: Database) -> None:
    seen: list[int] = []

    async def work(tx: Tx) -> None:
        found = await THINGS.of(tx).find_one({"_id": "one"})
        assert found is not None
        seen.append(found["n"])
        if len(seen) == 1:  # somebody else is faster
            await THINGS.of(db).update_one({"_id": "one"}, {"$set": {"n": 10}})
        await THINGS.of(tx).set_later("one", {"n": found["n"] + 1})

    loop.run(THINGS.of(db).insert_one({"_id": "one", "n": 1}))
    transact(loop, db, work)
    assert seen == [1, 10]
    assert loop.run(THINGS.of(db).find_one({"_id": "one"})) == {"_id": "one", "n": 11}


def test_at_the_end_everything_is_handed_over_at_once(loop: Loop, db: Database) -> None:
    handed: list[list[int]] = []

    async def write(tx: Tx, numbers: list[int]) -> None:
        handed.append(numbers)
        await THINGS.of(tx).insert_one({"_id": "sum", "n": sum(numbers)})

    async def work(tx: Tx) -> None:
        tx.at_end(write, 1)
        tx.at_end(write, 2)
        assert not handed

    async def fail(tx: Tx) -> None:
        tx.at_end(write, 3)
        raise ValueError("changed my mind")

    transact(loop, db, work)
    with pytest.raises(ValueError, match="changed my mind"):
        transact(loop, db, fail)
    assert handed == [[1, 2]]
    assert loop.run(THINGS.of(db).find({})) == [{"_id": "sum", "n": 3}]


KEYS, NUMBERS = st.sampled_from("abc"), st.integers(0, 3)
STEPS = st.one_of(
    st.tuples(st.just("set"), KEYS, NUMBERS),
    st.tuples(st.just("set later"), KEYS, NUMBERS),
    st.tuples(st.just("raise all"), KEYS, NUMBERS),
    st.tuples(st.just("upsert"), KEYS, NUMBERS),
    st.tuples(st.just("delete"), KEYS, NUMBERS),
    st.tuples(st.just("take"), KEYS, NUMBERS),
    st.tuples(st.just("change and find"), KEYS, NUMBERS),
    st.tuples(st.just("many"), KEYS, NUMBERS),
    st.tuples(st.just("read"), KEYS, NUMBERS),
    st.tuples(st.just("read n"), KEYS, NUMBERS),
    st.tuples(st.just("find"), KEYS, NUMBERS),
    st.tuples(st.just("count"), KEYS, NUMBERS),
    st.tuples(st.just("sum"), KEYS, NUMBERS),
)


@given(st.lists(STEPS, min_size=4, max_size=14))
@settings(max_examples=drawn(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_done_every_answer_is_the_right_one(
    loop: Loop, db: Database, steps: list[tuple[str, str, int]]
) -> None:
    model: dict[str, int] = {}

    async def work(tx: Tx) -> None:
        model.clear()
        model.update({"a": 0, "b": 1})
        for what, key, n in steps:
            await step(THINGS.of(tx), model, what, key, n)

    async def story() -> list[Thing]:
        await THINGS.of(db).delete_many({})
        await THINGS.of(db).insert_many([{"_id": "a", "n": 0}, {"_id": "b", "n": 1}])
        await DbInterface(db).transact(work)
        return await THINGS.of(db).find({}, sort=[("_id", 1)])

    assert loop.run(story()) == shown(model)


def shown(model: Mapping[str, int]) -> list[Mapping[str, object]]:
    return [{"_id": key, "n": n} for key, n in sorted(model.items())]


async def step(
    things: Documents[Thing], model: dict[str, int], what: str, key: str, n: int
) -> None:
    """One step in the transaction and in the model; what is read is what the model says."""
    there = {"_id": key, "n": model[key]} if key in model else None
    if what == "set":
        assert await things.update_one({"_id": key}, {"$set": {"n": n}}) is (there is not None)
        model.update({key: n} if there else {})
    elif what == "set later":
        await things.set_later(key, {"n": n})
        model.update({key: n} if there else {})
    elif what == "raise all":
        await things.update_many({}, {"$inc": {"n": n}})
        model.update({name: before + n for name, before in model.items()})
    elif what == "upsert":
        await upsert_each(things, [(key, {"$set": {"n": n}})])
        model[key] = n
    elif what == "delete":
        assert await things.delete_one({"_id": key}) is (there is not None)
        model.pop(key, None)
    elif what == "take":
        assert await things.take({"n": n, "_id": key}) == (there if model.get(key) == n else None)
        if model.get(key) == n:
            del model[key]
    elif what == "change and find":
        after = await things.update_and_find({"_id": key}, {"$inc": {"n": n}})
        model.update({key: model[key] + n} if there else {})
        assert after == ({"_id": key, "n": model[key]} if there else None)
    elif what == "many":
        missing = [name for name in "abc" if name not in model]
        await things.insert_many([{"_id": name, "n": n} for name in missing])
        model.update(dict.fromkeys(missing, n))
    elif what == "read":
        assert await things.find_one({"_id": key}) == there
    elif what == "read n":
        found = await things.find_one({"_id": key}, {"_id": 0, "n": 1})
        assert found == ({"n": model[key]} if there else None)
    elif what == "find":
        found_all = await things.find({"n": {"$gte": n}}, sort=[("_id", 1)])
        assert found_all == [row for row in shown(model) if row["n"] >= n]  # type: ignore[operator]
    elif what == "count":
        assert await things.count({"n": n}) == list(model.values()).count(n)
    elif what == "sum":
        rows = await things.aggregate([{"$group": {"_id": None, "n": {"$sum": "$n"}}}])
        assert [row["n"] for row in rows] == ([sum(model.values())] if model else [])


def test_others_see_nothing_of_it_before_the_commit(loop: Loop, db: Database) -> None:
    written, look = asyncio.Event(), asyncio.Event()

    async def work(tx: Tx) -> None:
        await THINGS.of(tx).find_one({"_id": "one"})
        await THINGS.of(tx).set_later("one", {"n": 2})
        written.set()
        await look.wait()

    async def story() -> list[object]:
        await THINGS.of(db).insert_one({"_id": "one", "n": 1})
        writing = asyncio.create_task(DbInterface(db).transact(work))
        await written.wait()
        meanwhile = await THINGS.of(db).find_one({"_id": "one"})
        look.set()
        await writing
        return [meanwhile, await THINGS.of(db).find_one({"_id": "one"})]

    assert loop.run(story()) == [{"_id": "one", "n": 1}, {"_id": "one", "n": 2}]
