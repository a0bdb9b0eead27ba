"""Shared by all tests: one real mongod for the session, a fresh database for each test."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import pytest

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


@pytest.fixture
def store_url(mongo_url: str) -> str:
    """The URL of a fresh database, for processes and apps that connect on their own."""
    return mongo_url.replace("/?", f"/test_{uuid.uuid4().hex[:12]}?")


@pytest.fixture
def db(_client: Database, loop: Loop, store_url: str) -> Iterator[Database]:
    """The fresh database behind `store_url`, with its indexes; use it inside `loop.run`."""
    name = store_url.rsplit("/", 1)[1].split("?", 1)[0]
    database = Database(_client.client, name)
    loop.run(ensure_indexes(database))
    yield database

    async def drop() -> None:
        await database.client.drop_database(name)

    loop.run(drop())
