"""Shared by all tests: one real mongod for the session, an empty database for each test.

tests/README.md says which fixture is which.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
import uuid
from collections.abc import Coroutine, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import pytest
from _pytest.unraisableexception import gc_collect_iterations_key
from httpx._config import create_ssl_context
from httpx._transports import default
from pydantic.main import ModelMetaclass
from uvicorn.loops.auto import auto_loop_factory

import tests.drawn  # noqa: F401 - how much property tests draw
from db_interface.clocks import HostClock
from db_interface.database import Database
from db_interface.embedded import TRANSACTION_LIFETIME_S, EmbeddedMongo
from db_interface.sharding import SHARDING
from db_interface.writers import Writers
from tests import forks, tiers
from tests.browser.left_out import say_what_was_left_out
from tests.one_database import (
    DROPPED_WITHIN_S,
    NAME,
    directory_in_memory,
    emptied,
    indexes_made,
    written_by_others,
)
from tests.queries.asked import QUERIES
from tests.queries.verdicts import objections

T = TypeVar("T")

# One SSL context for all HTTP clients that ask for the same: reading the CAs takes some 30 ms each.
vars(default)["create_ssl_context"] = lru_cache(maxsize=None)(create_ssl_context)

# No class is registered as a model without deriving from it. To look for one, the check of an
# abstract class would ask each of some thousand models about each type that building an app makes.
ModelMetaclass.__subclasscheck__ = type.__subclasscheck__
ModelMetaclass.__instancecheck__ = type.__instancecheck__


class Loop:
    """An event loop in a thread: tests stay plain functions and servers run beside them. It is the
    one that the product's servers run on; the tests' processor time is a tenth less on it."""

    def __init__(self) -> None:
        self.loop = auto_loop_factory()()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float = 60) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout_s)

    def tasks(self) -> set[asyncio.Task[Any]]:
        """Those that are not done."""

        async def seen() -> set[asyncio.Task[Any]]:
            return asyncio.all_tasks() - {asyncio.current_task()}

        return self.run(seen())

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()


@pytest.fixture(scope="session")
def loop() -> Iterator[Loop]:
    """One event loop for the session; `loop.run(coroutine)` from any test."""
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture(autouse=True)
def _nothing_runs_on(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test has left running in the shared loop ends with it: a worker that it never
    stopped would take the next test's work out of the one database."""
    if "loop" not in request.fixturenames:
        yield
        return
    loop: Loop = request.getfixturevalue("loop")
    before = loop.tasks()
    yield
    left = loop.tasks() - before
    if left:
        loop.run(_ended(left), timeout_s=20)


@pytest.fixture(autouse=True)
def _queries_find_an_index(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each query that the product issues for the first time is explained by the server: it reads
    what is asked for by an index, or is declared (queries/declared.py)."""
    if "mongo_url" not in request.fixturenames:
        yield
        return
    store: Database = request.getfixturevalue("_shared")
    yield
    found = [said for asked in QUERIES.take_new() for said in objections(asked, store)]
    assert found == []


async def _ended(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=10)


@pytest.fixture(scope="session")
def mongo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real mongod (single-node replica set) that lives as long as the session."""
    with directory_in_memory(tmp_path_factory.mktemp("mongo")) as directory:
        server = EmbeddedMongo(directory)
        yield server.start()
        server.stop()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedMongo]:
    """A mongod of the test's own, which it may stop, kill or let hang."""
    server = EmbeddedMongo(tmp_path / "data")
    server.start()
    yield server
    if server.pid is not None:
        os.kill(server.pid, signal.SIGCONT)
    server.stop()


@pytest.fixture(scope="session")
def _client(mongo_url: str, loop: Loop) -> Iterator[Database]:
    async def connect() -> Database:
        # As patient as a busy host demands: that a store is given up in time, others test.
        database = Database.connect(mongo_url, timeout_ms=20_000)
        # What a test with a turned clock says ends in an hour, the server would delete at once,
        # each time that its look (once a minute) comes just then.
        await database.client.admin.command({"setParameter": 1, "ttlMonitorEnabled": False})
        return database

    database = loop.run(connect())
    yield database
    database.close()


@pytest.fixture(scope="session")
def _shared(_client: Database, loop: Loop) -> Database:
    """One database with its indexes for the whole session: making them takes a second."""
    database = Database(_client.client, NAME)

    async def make() -> None:
        await indexes_made(database)
        # All there are: a plan can be told of a collection that is there alone.
        store = database.client[database.name]
        for name in set(SHARDING) - set(await store.list_collection_names()):
            await store.create_collection(name)

    loop.run(make(), timeout_s=120)
    return database


@pytest.fixture
def db(_shared: Database) -> Database:
    """An empty database with its indexes; use it inside `loop.run`."""
    emptied(_shared)
    # An earlier test may have turned the clock, and what it has stamped holds no other test up.
    _shared.clock = HostClock()
    _shared.writers = Writers(_shared)
    return _shared


@pytest.fixture
def short_transactions(db: Database, loop: Loop) -> Iterator[None]:
    """What a killed process leaves open ends within a second or two, not eight."""

    async def limit(seconds: int) -> None:
        await db.client.admin.command(
            {"setParameter": 1, "transactionLifetimeLimitSeconds": seconds}
        )

    loop.run(limit(1))
    yield
    loop.run(limit(TRANSACTION_LIFETIME_S))


@pytest.fixture
def store_url(mongo_url: str, db: Database) -> Iterator[str]:
    """The URL of the database behind `db`, for processes that connect on their own."""
    yield mongo_url.replace("/?", f"/{db.name}?")
    written_by_others()


@pytest.fixture
def own_url(mongo_url: str, db: Database) -> str:
    """The same, for what connects anew in this process."""
    return mongo_url.replace("/?", f"/{db.name}?")


@pytest.fixture
def fresh_url(mongo_url: str, _client: Database, loop: Loop) -> Iterator[str]:
    """The URL of a database of the test's own, without indexes, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield mongo_url.replace("/?", f"/{name}?")

    async def drop() -> None:
        # On a busy host it takes longer than any request may.
        with _client.within(DROPPED_WITHIN_S):
            await _client.client.drop_database(name)

    loop.run(drop(), timeout_s=60)


# Byte code is kept, whatever the machine's habit: each of the processes that tests start would
# compile all of our code anew, which is half of what it costs.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Thousands of tests and all of the code are there for good: the garbage collector looks neither
# while they come, nor at them later.
gc.disable()


def pytest_configure(config: pytest.Config) -> None:
    # Once, at the end, looks for what was never awaited: each look takes a second.
    config.stash[gc_collect_iterations_key] = 1


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    forks.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    say_what_was_left_out(terminalreporter)


SPREAD_OVER = 0.75


# First of all: what is marked here may be asked for, or left out.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files whose tests start processes are spread over the others, and none is left for the end:
    while a worker waits for processes, the others have something to do."""
    tiers.mark(items)
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    slow = [
        found
        for found in files.values()
        if any(item.get_closest_marker("processes") for item in found)
    ]
    others = [found for found in files.values() if found not in slow]
    every = max(1, round(len(others) * SPREAD_OVER / max(1, len(slow))))
    items.clear()
    for position, found in enumerate(others):
        if position % every == 0 and slow:
            items += slow.pop(0)
        items += found
    for found in slow:
        items += found
