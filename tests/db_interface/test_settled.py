"""A peer that pulls misses nothing, whatever order transactions commit in, and whoever stops."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

import orjson
import pytest
from pymongo.errors import PyMongoError

from db_interface import pages, writers
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from db_interface.looks import CALM_FOR_S
from db_interface.pages import Page, PageQuery
from db_interface.transaction import Tx
from tests.conftest import Loop
from tests.db_interface.pulling import (
    EVERYBODY,
    MODULE,
    Puller,
    from_last_start,
    from_newest,
    stored,
    write,
)

Connect = Callable[[], Database]
MANNERS = [from_newest, from_last_start]


@pytest.fixture
def connect(store_url: str, loop: Loop) -> Iterator[Connect]:
    """Makes clients with a clock and a place among the writers of their own."""
    made: list[Database] = []

    async def client() -> Database:
        database = Database.connect(store_url)
        await database.ping()
        return database

    def one() -> Database:
        made.append(loop.run(client()))
        return made[-1]

    yield one
    for database in made:
        database.close()


class Held:
    """A transaction that has written and waits to be let on, before its commit."""

    def __init__(self, db: Database, *changes: tuple[str, int]) -> None:
        self.at_the_end = asyncio.Event()
        self.let_on = asyncio.Event()
        self.runs = 0
        self._changes = changes
        self.task = asyncio.create_task(DbInterface(db).transact(self._work))

    async def _work(self, tx: Tx) -> None:
        self.runs += 1
        for change in self._changes:
            await write(tx, *change)
        self.at_the_end.set()
        await self.let_on.wait()


def put(db: Database, object_id: str, value: int) -> Awaitable[None]:
    return DbInterface(db).transact(partial(write, object_id=object_id, value=value))


async def ended(db: Database) -> None:
    """Return when the process's writing has ended for all others."""
    while await db[writers.WRITERS].count_documents({"floor": {"$exists": True}}):
        await asyncio.sleep(0.01)


def goes_on(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> tuple[asyncio.Task[Page], asyncio.Event]:
    """A page of a list that was begun before, and when it waits for what is under way."""
    waits, floors = asyncio.Event(), db.writers._floors

    async def looked_at(asked: Sequence[str]) -> dict[str, Sequence[datetime]]:
        waits.set()
        return await floors(asked)

    monkeypatch.setattr(db.writers._waited_for, "_read", looked_at)
    query = PageQuery([EVERYBODY], limit=5, after=0)
    return asyncio.create_task(DbInterface(db).objects(MODULE).page(query)), waits


def value_of(raw: bytes) -> int:
    value: int = orjson.loads(raw)["value"]
    return value


async def must_not_wait(*_: object) -> datetime:
    raise AssertionError("it has waited")


async def _stopped() -> None:
    """In the place of what a process does ten times a second."""


@pytest.mark.parametrize("same_process", [True, False], ids=["one process", "two processes"])
def test_what_is_stamped_first_and_committed_last_is_not_missed(
    connect: Connect,
    loop: Loop,
    same_process: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not even by a reader that cannot wait for it."""
    monkeypatch.setattr(writers, "WAIT_AT_MOST_S", 0.3)
    slow, reading = connect(), connect()
    quick = slow if same_process else connect()

    async def story() -> None:
        await put(slow, "A", 1)
        await put(quick, "B", 1)
        peer = Puller(reading, from_newest)
        await peer.pull()
        assert peer.has == {"A": 1, "B": 1}

        held = Held(slow, ("A", 2))
        await held.at_the_end.wait()
        await put(quick, "B", 2)
        await peer.pull()
        held.let_on.set()
        await held.task
        await peer.pull()

        assert peer.has == {"A": 2, "B": 2}
        assert peer.went_back == []

    loop.run(story())


def test_a_reader_waits_for_what_was_stamped_before_it_asked(connect: Connect, loop: Loop) -> None:
    slow, reading = connect(), connect()

    async def story() -> None:
        for peer in (Puller(reading, from_last_start), Puller(slow, from_last_start)):
            held = Held(slow, ("A", 1))
            await held.at_the_end.wait()
            pull = asyncio.create_task(peer.pull())
            done, _ = await asyncio.wait([pull], timeout=0.25)
            assert not done
            held.let_on.set()
            await pull
            assert peer.has == {"A": 1}
            await held.task

    loop.run(story())


@pytest.mark.parametrize("same_process", [True, False], ids=["one process", "two processes"])
def test_who_goes_on_with_a_list_waits_for_nobody(
    connect: Connect, loop: Loop, same_process: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is under way, and what came after it, is the next pull's."""
    slow, quick = connect(), connect()
    reading = slow if same_process else connect()

    async def story() -> None:
        for n in range(4):
            await put(quick, f"T{n}", 0)
        objects, first = DbInterface(reading).objects(MODULE), PageQuery([EVERYBODY], limit=2)
        page = await objects.page(first)
        held = Held(slow, ("T2", 1), ("new", 0))
        await held.at_the_end.wait()
        await put(quick, "T3", 1)

        following = first._replace(after=page.last_seq)
        with monkeypatch.context() as patched:
            patched.setattr(reading.writers, "settled_here", must_not_wait)
            patched.setattr(reading.writers, "settled_elsewhere", must_not_wait)
            page = await objects.page(following)
        assert ([value_of(raw) for raw in page.raws], page.total) == ([0, 0], 4)

        held.let_on.set()
        await held.task
        while (page := await objects.page(following)).total == 4:
            await asyncio.sleep(0.01)
        assert [value_of(raw) for raw in page.raws] == [1, 1]

    loop.run(story())


def test_who_goes_on_waits_for_what_is_under_way_for_long(
    connect: Connect, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Objects' former states are not kept for ever."""
    monkeypatch.setattr(pages, "NOT_LONG", timedelta(0))
    slow, reading = connect(), connect()

    async def story() -> None:
        await put(slow, "A", 0)
        held = Held(slow, ("A", 1))
        await held.at_the_end.wait()
        page, waits = goes_on(reading, monkeypatch)
        await waits.wait()
        held.let_on.set()
        await held.task
        assert [value_of(raw) for raw in (await page).raws] == [1]

    loop.run(story())


def test_what_has_changed_twice_meanwhile_is_not_left_out_of_a_page(
    connect: Connect, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How it was then may not be kept any more: who goes on waits, too."""
    slow, reading = connect(), connect()

    async def story() -> None:
        for name in ("A", "B"):
            await put(slow, name, 0)
        await ended(slow)
        held = Held(slow, ("A", 1))
        await held.at_the_end.wait()
        since = {"last_updated": "$$NOW", "prior": [{"at": "$$NOW", "raw": "$raw"}]}
        await reading[MODULE].update_one({"lid": "b"}, [{"$set": since}])
        page, waits = goes_on(reading, monkeypatch)
        await waits.wait()
        held.let_on.set()
        await held.task
        assert [value_of(raw) for raw in (await page).raws] == [1, 0]

    loop.run(story())


def test_a_transaction_that_has_ended_is_told_at_once(
    connect: Connect, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not with the next turn."""
    monkeypatch.setattr(writers, "TICK_S", 3600)
    monkeypatch.setattr(writers, "SILENT_AFTER_S", 3600)
    slow, reading = connect(), connect()

    async def story() -> None:
        held = Held(slow, ("A", 1))
        await held.at_the_end.wait()
        peer = Puller(reading, from_newest)
        pull = asyncio.create_task(peer.pull())
        held.let_on.set()
        await held.task
        await pull
        assert peer.has == {"A": 1}

    loop.run(story())


def test_the_first_floor_lies_behind_what_readers_rely_on(
    connect: Connect, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has read in that time goes on as of no earlier moment."""
    monkeypatch.setattr(writers, "TICK_S", 3600)
    writing = connect()

    async def story() -> None:
        held = Held(writing, ("A", 1))
        await held.at_the_end.wait()
        known = await writing[writers.WRITERS].find_one({"floor": {"$exists": True}})
        assert known["floor"] - known["beat"] == writers.HELD_BACK
        assert timedelta(seconds=CALM_FOR_S) < writers.HELD_BACK
        held.let_on.set()
        await held.task

    loop.run(story())


def test_readers_that_wait_look_together(
    connect: Connect, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many they are: what they ask while they wait would keep the store busy else."""
    slow, reading = connect(), connect()
    looks = under_way = most = 0
    busy = reading.writers._busy

    async def counted(others: JsonObject) -> list[JsonObject]:
        nonlocal looks, under_way, most
        looks, under_way = looks + 1, under_way + 1
        most = max(most, under_way)
        rows = await busy(others)
        under_way -= 1
        return rows

    monkeypatch.setattr(reading.writers, "_busy", counted)

    async def story() -> None:
        held = Held(slow, ("A", 1))
        await held.at_the_end.wait()
        peers = [Puller(reading, from_newest) for _ in range(20)]
        pulls = asyncio.gather(*(peer.pull() for peer in peers))
        while looks < 5:
            await asyncio.sleep(0.01)
        held.let_on.set()
        await pulls
        assert all(peer.has == {"A": 1} for peer in peers)
        await held.task

    loop.run(story())
    assert most == 1


def test_a_reader_waits_for_no_more_than_what_was_under_way(
    connect: Connect, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not until the process that writes is heard of again, whether it goes on to write or not."""
    monkeypatch.setattr(writers, "BEAT_S", 3600)
    writing, reading = connect(), connect()

    async def story() -> None:
        for number in range(5):
            await put(writing, "A", number)
        peer = Puller(reading, from_last_start)
        await peer.pull()
        assert peer.has == {"A": 4}
        stop = asyncio.Event()

        async def keep_writing() -> None:
            while not stop.is_set():
                await put(writing, "B", 1)

        going_on = asyncio.create_task(keep_writing())
        for number in range(5, 8):
            await put(writing, "A", number)
            await peer.pull()
            assert peer.has["A"] == number
        stop.set()
        await going_on

    loop.run(story())


def test_who_is_silent_holds_nobody_up_for_long_and_commits_nothing(
    connect: Connect, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process is stopped in a transaction and comes back: as SIGSTOP does it."""
    stopped, quick, reading = connect(), connect(), connect()

    async def story() -> None:
        await put(stopped, "A", 1)
        held = Held(stopped, ("A", 2))
        await held.at_the_end.wait()
        monkeypatch.setattr(stopped.writers, "_move_on", lambda _: _stopped())
        await put(quick, "B", 1)
        peers = [Puller(reading, manner) for manner in MANNERS]
        asked = time.monotonic()
        await asyncio.gather(*(peer.pull() for peer in peers))
        waited = time.monotonic() - asked
        assert 0.5 < waited < writers.WAIT_AT_MOST_S - 2
        assert [peer.has for peer in peers] == [{"A": 1, "B": 1}] * 2
        first_stamp = peers[0].newest

        held.let_on.set()
        await held.task
        assert held.runs >= 2  # it was done again, under another name
        await asyncio.gather(*(peer.pull() for peer in peers))
        assert [peer.has for peer in peers] == [{"A": 2, "B": 1}] * 2
        assert peers[0].stamps["A"] > first_stamp

    loop.run(story())


def test_who_dies_in_a_transaction_holds_nobody_up_for_long(connect: Connect, loop: Loop) -> None:
    dead, quick, reading = connect(), connect(), connect()

    async def story() -> None:
        held = Held(dead, ("A", 1))
        await held.at_the_end.wait()
        ticking = dead.writers._ticking
        assert ticking is not None
        ticking.cancel()
        await put(quick, "B", 1)
        peer = Puller(reading, from_newest)
        asked = time.monotonic()
        await peer.pull()
        assert time.monotonic() - asked < writers.WAIT_AT_MOST_S - 2
        assert peer.has == {"B": 1}
        assert await dead[writers.WRITERS].count_documents({"floor": {"$exists": True}}) == 0
        held.task.cancel()
        await asyncio.wait([held.task])

    loop.run(story())


def test_many_writers_and_pullers_for_a_while(
    connect: Connect, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Transactions of random length, some of which stop for longer than they may. Some peers read a
    whole list first, and ask on from when they began."""
    chance = random.Random(7)
    writing = [connect() for _ in range(4)]
    reading = connect()
    things = [f"T{n}" for n in range(12)]
    values = dict.fromkeys(things, 0)

    async def change(db: Database) -> None:
        name = chance.choice(things)
        before, after = chance.uniform(0, 0.01), chance.choice([0, 0, 0.02, 0.2])

        async def work(tx: Tx) -> None:
            values[name] += 1
            await asyncio.sleep(before)
            await write(tx, name, values[name])
            await asyncio.sleep(after)

        await DbInterface(db).transact(work)

    async def story() -> None:
        peers = [Puller(reading, manner) for manner in MANNERS]
        peers += [Puller(writing[0], manner) for manner in MANNERS]
        stop = asyncio.Event()

        async def keep_writing(db: Database) -> None:
            while not stop.is_set():
                await change(db)

        async def keep_pulling(peer: Puller) -> None:
            while not stop.is_set():
                await peer.pull()

        async def keep_crawling(db: Database) -> None:
            while not stop.is_set():
                peers.append(Puller(db, from_last_start))
                await peers[-1].crawl()

        tasks = [asyncio.create_task(keep_writing(db)) for db in writing for _ in range(3)]
        tasks += [asyncio.create_task(keep_pulling(peer)) for peer in peers]
        tasks += [asyncio.create_task(keep_crawling(db)) for db in (reading, writing[0])]
        await asyncio.sleep(1.5)
        with monkeypatch.context() as patched:
            patched.setattr(writing[1].writers, "_move_on", lambda _: _stopped())
            await asyncio.sleep(2)
        await asyncio.sleep(0.5)
        stop.set()
        await asyncio.gather(*tasks)
        for peer in peers:
            await peer.pull()
        there = await stored(reading)
        assert [peer.has for peer in peers] == [there] * len(peers)
        assert [peer.went_back for peer in peers] == [[]] * len(peers)

    loop.run(story(), timeout_s=60)


def test_a_process_reads_its_own_writes_at_once(connect: Connect, loop: Loop) -> None:
    db = connect()

    async def story() -> None:
        objects = DbInterface(db).objects(MODULE)
        for n in range(30):
            await put(db, f"T{n % 10}", n)
            page = await objects.page(PageQuery([EVERYBODY], limit=20))
            assert page.total == len(page.raws) == min(n + 1, 10)
            assert f'"value":{n},'.encode() in b"".join(page.raws)

    loop.run(story())


def test_what_another_process_has_written_is_shown_and_counted_at_once(
    connect: Connect, loop: Loop
) -> None:
    """Whatever a reader relies on of what it saw a moment ago."""
    writing, reading = connect(), connect()

    async def story() -> None:
        objects = DbInterface(reading).objects(MODULE)
        for n in range(5):
            before = await objects.page(PageQuery([EVERYBODY], limit=20))
            assert before.total == len(before.raws) == n
            await put(writing, f"T{n}", n)
            after = await objects.page(PageQuery([EVERYBODY], limit=20))
            assert after.total == len(after.raws) == n + 1
            # Until it has said that it writes no more, nobody relies on anything.
            await ended(writing)

    loop.run(story())


def test_an_object_in_change_is_shown_as_it_was(
    connect: Connect, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crawl of everything shows every object, also those that nobody may know anew yet."""
    slow, quick, reading = connect(), connect(), connect()

    async def story() -> None:
        for n in range(4):
            await put(quick, f"T{n}", 0)
        objects = DbInterface(reading).objects(MODULE)
        monkeypatch.setattr(writers, "WAIT_AT_MOST_S", 0.3)
        held = Held(slow, ("T0", 1))
        await held.at_the_end.wait()
        for value in (1, 2):
            await put(quick, "T1", value)
        await put(quick, "new", 0)
        page = await objects.page(PageQuery([EVERYBODY], limit=10))
        values = [raw.split(b'"value":')[1].split(b",")[0] for raw in page.raws]
        assert (values, page.total) == ([b"0"] * 4, 4)
        held.let_on.set()
        await held.task
        page = await objects.page(PageQuery([EVERYBODY], limit=10))
        values = [raw.split(b'"value":')[1].split(b",")[0] for raw in page.raws]
        assert (values, page.total) == ([b"1", b"2", b"0", b"0", b"0"], 5)

    loop.run(story())


def test_a_store_that_is_closed_says_so_as_the_driver_does(connect: Connect, loop: Loop) -> None:
    """What moves on in the background ends by it, whichever way it reads."""
    db = connect()

    async def story() -> None:
        await put(db, "A", 1)
        db.close()
        for read in (db.writers._late(db.now()), db["peers"].find_one({})):
            with pytest.raises(PyMongoError):
                await read

    loop.run(story())
