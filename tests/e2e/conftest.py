"""Real processes in a directory of their own, ended with the test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from db_interface.database import Database
from tests.conftest import Loop
from tests.e2e.processes import Processes, processes
from tests.one_database import DROPPED_WITHIN_S, emptied, written_by_others


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Processes]:
    with processes(tmp_path) as started:
        yield started


@pytest.fixture
def store_url(fresh_url: str) -> str:
    """A database of the test's own: its processes may still write when the next test begins."""
    return fresh_url


@pytest.fixture
def commands_url(mongo_url: str, _shared: Database) -> Iterator[str]:
    """The tests' one database, empty, for commands that end by themselves: nothing of them writes
    when the next test begins, and no mongod has to be started and filled with indexes."""
    emptied(_shared)
    yield mongo_url.replace("/?", f"/{_shared.name}?")
    written_by_others()


@pytest.fixture
def db(fresh_url: str, _client: Database) -> Database:
    return Database(_client.client, fresh_url.rsplit("/", 1)[1].split("?", 1)[0])


@pytest.fixture(scope="module")
def module_store_url(mongo_url: str, loop: Loop) -> Iterator[str]:
    """A database for all tests of a module that share one system."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield mongo_url.replace("/?", f"/{name}?")

    async def drop() -> None:
        # On a busy host it takes longer than any request may.
        patient = Database.connect(mongo_url, name, timeout_ms=round(DROPPED_WITHIN_S * 1000))
        try:
            await patient.client.drop_database(name)
        finally:
            patient.close()

    loop.run(drop(), timeout_s=60)
