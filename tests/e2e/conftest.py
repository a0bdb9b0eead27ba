"""Real processes in a directory of their own, ended with the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from db_interface.database import Database
from tests.e2e.processes import Processes, processes


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Processes]:
    with processes(tmp_path) as started:
        yield started


@pytest.fixture
def store_url(fresh_url: str) -> str:
    """A database of the test's own: its processes may still write when the next test begins."""
    return fresh_url


@pytest.fixture
def db(fresh_url: str, _client: Database) -> Database:
    return Database(_client.client, fresh_url.rsplit("/", 1)[1].split("?", 1)[0])
