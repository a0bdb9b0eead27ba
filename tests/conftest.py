"""Shared by all tests: one real mongod for the session, a fresh database for each test."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import pytest
from pymongo import WriteConcern

from db_interface.database import Database
from db_interface.embedded import EmbeddedMongo
from db_interface.indexes import ensure_indexes

T = TypeVar("T")


class Loop:
    """An event loop in a thread: tests stay plain functions and servers run beside them."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float = 30) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout_s)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)


@pytest.fixture(scope="session")
def loop() -> Iterator[Loop]:
    """One event loop for the session; `loop.run(coroutine)` from any test."""
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture(scope="session")
def mongo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real mongod (single-node replica set) that lives as long as the session."""
    server = EmbeddedMongo(tmp_path_factory.mktemp("mongo"))
    yield server.start()
    server.stop()


@pytest.fixture(scope="session")
def _client(mongo_url: str, loop: Loop) -> Iterator[Database]:
    async def connect() -> Database:
        return Database.connect(mongo_url)

    database = loop.run(connect())
    yield database
    database.close()


@pytest.fixture(scope="session")
def _shared(_client: Database, loop: Loop) -> Database:
    """One database with its indexes for the whole session: making them takes a second."""
    database = Database(_client.client, "test_shared")
    loop.run(ensure_indexes(database), timeout_s=120)
    return database


@pytest.fixture
def store_url(mongo_url: str, db: Database) -> str:
    """The URL of the database behind `db`, for processes and apps that connect on their own."""
    return mongo_url.replace("/?", f"/{db.name}?")


@pytest.fixture
def db(_shared: Database, loop: Loop) -> Iterator[Database]:
    """An empty database with its indexes; use it inside `loop.run`."""
    loop.run(_empty(_shared), timeout_s=60)
    yield _shared


@pytest.fixture
def fresh_url(mongo_url: str, _client: Database, loop: Loop) -> Iterator[str]:
    """The URL of a database of the test's own, without indexes, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield mongo_url.replace("/?", f"/{name}?")

    async def drop() -> None:
        await _client.client.drop_database(name)

    loop.run(drop(), timeout_s=60)


async def _empty(database: Database) -> None:
    """Leave every collection and index, and nothing in them."""
    raw = database.client[database.name]
    await raw.command("profile", 0)
    names = await raw.list_collection_names()
    if "system.profile" in names:
        await raw.drop_collection("system.profile")
    await asyncio.gather(
        *(
            raw[name].with_options(write_concern=WriteConcern(w=1)).delete_many({})
            for name in names
            if not name.startswith("system.")
        )
    )
