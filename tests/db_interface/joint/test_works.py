"""Works that wait at the same time are one transaction, and each is as if it were alone."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest
from pymongo import monitoring

from db_interface.bulk import upsert_each
from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.joint import works
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from tests.conftest import Loop

THINGS: Collection[JsonObject] = Collection("things")
OTHERS: Collection[JsonObject] = Collection("others")
Work = Callable[[Tx], Awaitable[Any]]


class Trips(monitoring.CommandListener):
    """What is asked of the server, of the databases that are listened to."""

    def __init__(self) -> None:
        self.of: str | None = None
        self.commands: Counter[str] = Counter()
        self.rows = 0
        """How many documents were read."""

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        # Not what the background does: of transactions alone.
        if event.database_name in (self.of, "admin") and "autocommit" in event.command:
            self.commands[event.command_name] += 1

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        if event.command_name == "find" and event.database_name == self.of:
            self.rows += len(event.reply["cursor"]["firstBatch"])

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Likewise."""


TRIPS = Trips()
monitoring.register(TRIPS)


@pytest.fixture
def trips(db: Database) -> Iterator[Counter[str]]:
    TRIPS.of, TRIPS.commands, TRIPS.rows = db.name, Counter(), 0
    yield TRIPS.commands
    TRIPS.of = None


class Crowd:
    """Works that come while others are under way."""

    def __init__(self, db: Database, loop: Loop) -> None:
        self.store = DbInterface(db)
        self.db = db
        self._loop = loop

    def do(self, *wanted: Work, keys: list[str] | None = None) -> list[Any]:
        """What becomes of them; each has a key of its own unless they are given."""
        return self._loop.run(self._do(wanted, keys or [f"key {n}" for n in range(len(wanted))]))

    async def _do(self, wanted: tuple[Work, ...], keys: list[str]) -> list[Any]:
        free = asyncio.Event()

        async def wait(tx: Tx) -> None:
            await free.wait()

        before = [
            asyncio.create_task(self.store.transact_jointly(wait, f"before {n}"))
            for n in range(works.MAX_UNDER_WAY)
        ]
        await asyncio.sleep(0)
        doing = [
            asyncio.create_task(self.store.transact_jointly(work, key))
            for work, key in zip(wanted, keys, strict=True)
        ]
        await asyncio.sleep(0)
        free.set()
        await asyncio.gather(*before)
        return await asyncio.gather(*doing, return_exceptions=True)

    def things(self, collection: Collection[JsonObject] = THINGS) -> list[JsonObject]:
        return self._loop.run(collection.of(self.db).find({}, sort=[("_id", 1)]))

    def put(self, *documents: JsonObject) -> None:
        self._loop.run(THINGS.of(self.db).insert_many(documents))


@pytest.fixture
def crowd(db: Database, loop: Loop) -> Crowd:
    loop.run(OTHERS.of(db).insert_one({"_id": "first", "n": 0}))  # collections are there
    return Crowd(db, loop)


def test_a_search_that_names_its_index(crowd: Crowd) -> None:
    crowd.put({"_id": "a", "n": 1}, {"_id": "b", "n": 2})

    async def work(tx: Tx) -> list[JsonObject]:
        return await THINGS.of(tx).find({"n": {"$gt": 1}}, hint=[("_id", 1)])

    assert crowd.do(work, work) == [[{"_id": "b", "n": 2}]] * 2


def counts_up(n: int) -> Work:
    """Reads, changes, makes, looks for and writes something in the end, all of it its own."""

    async def work(tx: Tx) -> tuple[Any, ...]:
        mine = await THINGS.of(tx).find_one({"_id": f"t{n}"})
        assert mine is not None
        found = await THINGS.of(tx).find({"owner": f"o{n}", "on": True})
        changed = await THINGS.of(tx).update_one({"_id": f"t{n}"}, {"$set": {"n": mine["n"] + n}})
        after = await OTHERS.of(tx).update_and_find(
            {"_id": f"x{n}"}, {"$inc": {"n": n}}, upsert=True
        )
        await OTHERS.of(tx).insert_one({"_id": f"new {n}", "n": n})
        await upsert_each(OTHERS.of(tx), [(f"mark {n}", {"$set": {"n": n}})])
        return [one["_id"] for one in found], changed, after

    return work


def test_ten_at_once_take_the_steps_of_one_and_each_has_its_own_answer(
    crowd: Crowd, trips: Counter[str]
) -> None:
    crowd.put(*({"_id": f"t{n}", "owner": f"o{n}", "on": True, "n": 100} for n in range(10)))
    answers = crowd.do(*(counts_up(n) for n in range(10)))
    assert answers == [([f"t{n}"], True, {"_id": f"x{n}", "n": n}) for n in range(10)]
    assert [one["n"] for one in crowd.things()] == [100 + n for n in range(10)]
    assert len(crowd.things(OTHERS)) == 1 + 3 * 10
    # Those before them have asked for nothing.
    assert trips == {"find": 3, "update": 3, "insert": 1, "commitTransaction": 1}


def test_who_comes_while_little_is_under_way_is_done_at_once(
    crowd: Crowd, loop: Loop, trips: Counter[str]
) -> None:
    crowd.put(*({"_id": f"t{n}", "owner": f"o{n}", "on": True, "n": 0} for n in range(2)))

    async def two() -> None:
        one, other = (crowd.store.transact_jointly(counts_up(n), f"{n}") for n in range(2))
        await asyncio.gather(one, other)

    loop.run(two())
    assert trips["commitTransaction"] == 2


def test_works_that_meet_are_done_one_after_the_other(crowd: Crowd) -> None:
    crowd.put({"_id": "one", "n": 0})

    async def count_up(tx: Tx) -> None:
        found = await THINGS.of(tx).find_one({"_id": "one"})
        assert found is not None
        await THINGS.of(tx).update_one({"_id": "one"}, {"$set": {"n": found["n"] + 1}})

    assert crowd.do(*[count_up] * 8) == [None] * 8
    assert crowd.things() == [{"_id": "one", "n": 8}]


def test_what_one_looks_for_another_does_not_make_meanwhile(crowd: Crowd) -> None:
    async def make_if_there_is_none(tx: Tx) -> bool:
        if await THINGS.of(tx).find_one({"token": "T", "on": True}) is not None:
            return False
        await OTHERS.of(tx).update_one({"_id": "lock"}, {"$inc": {"n": 1}}, upsert=True)
        await THINGS.of(tx).insert_one(
            {"_id": f"{tx.in_flight.places(1)}", "token": "T", "on": True}
        )
        return True

    assert sum(crowd.do(*[make_if_there_is_none] * 4)) == 1
    assert len(crowd.things()) == 1


@pytest.mark.parametrize(
    "query",
    [{"_id": {"$in": ["made", "other"]}}, {"n": {"$gte": 5}}, {"n": {"$exists": True}}],
    ids=["by id", "simple", "not told here"],
)
def test_what_another_makes_by_a_change_is_not_missed(crowd: Crowd, query: JsonObject) -> None:
    async def make(tx: Tx) -> int:
        found = await THINGS.of(tx).find(query)
        await OTHERS.of(tx).find_one({"_id": "a step between"})
        await THINGS.of(tx).update_one({"_id": "made"}, {"$set": {"n": 7}}, upsert=True)
        return len(found)

    async def look(tx: Tx) -> int:
        await OTHERS.of(tx).find_one({"_id": "a step between"})
        await OTHERS.of(tx).find_one({"_id": "and one more"})
        await OTHERS.of(tx).find_one({"_id": "and another one"})
        return len(await THINGS.of(tx).find(query))

    # As one after the other in either order, and what is seen is there in the end.
    assert crowd.do(make, look) in ([0, 0], [0, 1])
    assert crowd.things() == [{"_id": "made", "n": 7}]


def test_an_aggregation_over_other_collections_is_done_alone(
    crowd: Crowd, trips: Counter[str]
) -> None:
    crowd.put({"_id": "one"})

    async def work(tx: Tx) -> list[JsonObject]:
        await OTHERS.of(tx).update_one({"_id": "first"}, {"$inc": {"n": 1}})
        stages = [{"$lookup": {"from": "others", "pipeline": [], "as": "all"}}]
        return await THINGS.of(tx).aggregate(stages)

    for [found] in crowd.do(work, work):
        assert found["all"][0]["_id"] == "first"
    assert crowd.things(OTHERS) == [{"_id": "first", "n": 2}]


def latest_of(owner: str, limit: int = 0) -> Work:
    async def work(tx: Tx) -> list[str]:
        things = THINGS.of(tx)
        if limit:
            found = await things.find({"owner": owner}, sort=[("n", -1)], limit=limit)
        else:
            one = await things.find_one({"owner": owner}, {"n": 1}, sort=[("n", -1)])
            found = [] if one is None else [one]
        await things.insert_one({"_id": f"new of {owner}", "owner": owner, "n": 1000})
        return [one["_id"] for one in found]

    return work


def test_what_each_has_last_is_one_question_and_what_others_make_is_not_in_it(
    crowd: Crowd, trips: Counter[str]
) -> None:
    crowd.put(
        *({"_id": f"{owner}{n}", "owner": owner, "n": n} for owner in "abc" for n in range(3))
    )
    answers = crowd.do(latest_of("a"), latest_of("b"), latest_of("nobody"), latest_of("c"))
    assert answers == [["a2"], ["b2"], [], ["c2"]]
    assert trips == {"find": 1, "insert": 1, "commitTransaction": 1}


def test_few_more_are_read_than_are_wanted_however_many_there_are(
    crowd: Crowd, trips: Counter[str]
) -> None:
    crowd.put(*({"_id": f"a{n}", "owner": "a", "n": 100 + n} for n in range(90)))
    crowd.put(*({"_id": f"b{n}", "owner": "b", "n": n} for n in range(90)))
    answers = crowd.do(latest_of("a", 2), latest_of("b", 2), latest_of("c", 2))
    assert answers == [["a89", "a88"], ["b89", "b88"], []]
    assert trips["commitTransaction"] == 1
    assert TRIPS.rows < 30


def test_a_change_of_what_comes_first_is_seen_or_not_as_one_after_the_other(crowd: Crowd) -> None:
    crowd.put(*({"_id": f"t{n}", "owner": "o", "n": n} for n in range(3)))

    async def change(tx: Tx) -> None:
        await OTHERS.of(tx).find_one({"_id": "a step between"})
        await THINGS.of(tx).update_one({"_id": "t0"}, {"$set": {"n": 50}})

    async def look(tx: Tx) -> list[str]:
        first = await THINGS.of(tx).find_one({"owner": "o"}, sort=[("n", -1)])
        await OTHERS.of(tx).update_one({"_id": "first"}, {"$inc": {"n": 1}})
        await OTHERS.of(tx).find_one({"_id": "and one more"})
        again = await THINGS.of(tx).find({"owner": "o"}, sort=[("n", -1)], limit=1)
        assert first is not None
        return [first["_id"], again[0]["_id"]]

    _, seen = crowd.do(change, look)
    assert seen in (["t2", "t2"], ["t0", "t0"])


@pytest.mark.parametrize("field", ["n", "m"])
def test_a_change_in_stages_meets_those_alone_who_look_at_what_it_changes(
    crowd: Crowd, trips: Counter[str], field: str
) -> None:
    crowd.put(*({"_id": f"t{n}", "owner": f"o{n}", "n": 1, "m": 1} for n in range(2)))

    async def change(tx: Tx) -> None:
        await OTHERS.of(tx).find_one({"_id": "a step between"})
        stages: list[JsonObject] = [{"$set": {"n": {"$add": ["$n", 1]}}}, {"$unset": "gone"}]
        await THINGS.of(tx).update_one({"_id": "t0"}, stages)

    async def look(tx: Tx) -> int:
        found = await THINGS.of(tx).find({"owner": "o1", field: 1}, {"_id": 1})
        await OTHERS.of(tx).update_one({"_id": "first"}, {"$inc": {"n": 1}})
        return len(found)

    assert crowd.do(change, look) == [None, 1]
    assert [one["n"] for one in crowd.things()] == [2, 1]
    assert trips["commitTransaction"] == (1 if field == "m" else 2)


def test_two_that_meet_take_nobody_else_apart(crowd: Crowd, trips: Counter[str]) -> None:
    crowd.put({"_id": "t", "n": 0}, *({"_id": f"t{n}", "n": 0} for n in range(4)))

    def count_up(name: str) -> Work:
        async def work(tx: Tx) -> None:
            found = await THINGS.of(tx).find_one({"_id": name})
            assert found is not None
            await THINGS.of(tx).update_one({"_id": name}, {"$set": {"n": found["n"] + 1}})

        return work

    crowd.do(*(count_up(name) for name in ("t0", "t", "t1", "t2", "t", "t3")))
    assert [one["n"] for one in crowd.things()] == [2, 1, 1, 1, 1]
    assert trips["commitTransaction"] == 3


def test_a_key_is_the_same_however_it_is_written(crowd: Crowd, trips: Counter[str]) -> None:
    async def note(tx: Tx) -> None:
        await OTHERS.of(tx).update_one({"_id": "first"}, {"$inc": {"n": 1}})

    crowd.do(note, note, keys=["CP-1", "cp-1"])
    assert trips["commitTransaction"] == 2


def test_the_same_key_twice_is_not_one_transaction(crowd: Crowd, trips: Counter[str]) -> None:
    crowd.put({"_id": "t0", "owner": "o0", "on": True, "n": 0})

    async def note(tx: Tx) -> None:
        await OTHERS.of(tx).update_one({"_id": "first"}, {"$inc": {"n": 1}})

    crowd.do(note, note, note, keys=["same", "same", "other"])
    assert trips["commitTransaction"] == 2
    assert crowd.things(OTHERS)[0]["n"] == 3


def test_one_that_fails_harms_no_other(crowd: Crowd) -> None:
    async def write_and_fail(tx: Tx) -> None:
        await THINGS.of(tx).insert_one({"_id": "wrong"})
        raise ValueError("changed my mind")

    async def look_and_fail(tx: Tx) -> None:
        await THINGS.of(tx).find_one({"_id": "nothing"})
        raise KeyError("not there")

    async def keep(tx: Tx) -> str:
        await THINGS.of(tx).insert_one({"_id": "right"})
        return "kept"

    failed, missed, kept = crowd.do(write_and_fail, look_and_fail, keep)
    assert isinstance(failed, ValueError)
    assert isinstance(missed, KeyError)
    assert kept == "kept"
    assert [one["_id"] for one in crowd.things()] == ["right"]


def test_one_that_only_looked_fails_by_itself(crowd: Crowd, trips: Counter[str]) -> None:
    async def look_and_fail(tx: Tx) -> None:
        raise KeyError("not there")

    async def keep(tx: Tx) -> None:
        await THINGS.of(tx).insert_one({"_id": f"{tx.in_flight.places(1)}"})

    crowd.do(keep, look_and_fail, keep)
    assert len(crowd.things()) == 2
    assert trips["commitTransaction"] == 1


def test_a_change_that_meets_nothing_is_told_to_whom_it_concerns(crowd: Crowd) -> None:
    crowd.put({"_id": "t0", "n": 0})

    def change(name: str) -> Work:
        return lambda tx: THINGS.of(tx).update_one({"_id": name}, {"$set": {"n": 1}})

    def take(name: str) -> Work:
        query = {"_id": name, "n": {"$lte": 5}}
        return lambda tx: THINGS.of(tx).update_and_find(query, {"$set": {"n": 9}})

    assert crowd.do(change("t0"), change("gone")) == [True, False]
    assert crowd.do(take("t0"), take("gone"), take("t1")) == [{"_id": "t0", "n": 9}, None, None]


def test_others_writes_in_the_way_are_no_loss(crowd: Crowd, loop: Loop) -> None:
    crowd.put(*({"_id": f"t{n}", "n": 0} for n in range(3)))
    met: list[bool] = []

    def count_up(n: int) -> Work:
        async def work(tx: Tx) -> None:
            found = await THINGS.of(tx).find_one({"_id": f"t{n}"})
            assert found is not None
            if n == 0 and not met:
                met.append(True)
                await THINGS.of(tx.db).update_one({"_id": "t0"}, {"$inc": {"n": 10}})
            change = {"$set": {"n": found["n"] + 1}}
            await THINGS.of(tx).update_one({"_id": f"t{n}"}, change)

        return work

    assert crowd.do(*(count_up(n) for n in range(3))) == [None] * 3
    assert [one["n"] for one in crowd.things()] == [11, 1, 1]


def test_each_is_done_in_its_own_context_and_says_its_lines_once(crowd: Crowd, loop: Loop) -> None:
    said: list[str] = []
    who: ContextVar[str] = ContextVar("who")

    def speak(name: str) -> Work:
        async def work(tx: Tx) -> None:
            await THINGS.of(tx).insert_one({"_id": who.get()})
            tx.once_committed(lambda: said.append(f"{name} {who.get()}"))

        return work

    async def story() -> None:
        free = asyncio.Event()

        async def wait(tx: Tx) -> None:
            await free.wait()

        async def as_one(name: str, work: Work) -> None:
            who.set(name)
            await crowd.store.transact_jointly(work, name)

        named: list[tuple[str, Work]]
        named = [(f"before {n}", wait) for n in range(works.MAX_UNDER_WAY)]
        named += [(name, speak(name)) for name in ("a", "b", "c")]
        doing = [asyncio.create_task(as_one(name, work)) for name, work in named]
        await asyncio.sleep(0)
        free.set()
        await asyncio.gather(*doing)

    loop.run(story())
    assert said == ["a a", "b b", "c c"]
    assert [one["_id"] for one in crowd.things()] == ["a", "b", "c"]


def test_who_has_waited_for_long_is_begun_whatever_is_stuck(
    crowd: Crowd, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(works, "WAITS_AT_MOST_S", 0.01)

    async def story() -> None:
        free = asyncio.Event()

        async def wait(tx: Tx) -> None:
            await free.wait()

        stuck = [
            asyncio.create_task(crowd.store.transact_jointly(wait, f"before {n}"))
            for n in range(works.MAX_UNDER_WAY)
        ]
        await asyncio.sleep(0)
        made = THINGS.of
        await crowd.store.transact_jointly(lambda tx: made(tx).insert_one({"_id": "in time"}), "k")
        assert not any(one.done() for one in stuck)
        free.set()
        await asyncio.gather(*stuck)

    loop.run(story())
    assert [one["_id"] for one in crowd.things()] == ["in time"]


def test_who_gives_up_waiting_is_left_out(crowd: Crowd, loop: Loop) -> None:
    async def story() -> list[str]:
        free = asyncio.Event()

        async def wait(tx: Tx) -> None:
            await free.wait()

        def make(name: str) -> Work:
            return lambda tx: THINGS.of(tx).insert_one({"_id": name})

        before = [
            asyncio.create_task(crowd.store.transact_jointly(wait, f"before {n}"))
            for n in range(works.MAX_UNDER_WAY)
        ]
        await asyncio.sleep(0)
        stays, goes = (
            asyncio.create_task(crowd.store.transact_jointly(make(name), name))
            for name in ("stays", "goes")
        )
        await asyncio.sleep(0)
        goes.cancel()
        free.set()
        await asyncio.gather(*before, stays)
        return [one["_id"] for one in await THINGS.of(crowd.db).find({})]

    assert loop.run(story()) == ["stays"]
