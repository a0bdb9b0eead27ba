"""One filled night for tests that only read, and one of its own for those that change it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from auth.login_delays import LOGIN_DELAYS
from db_interface.database import Database
from db_interface.indexes import ensure_indexes
from tests.conftest import Loop
from tests.cpo_app.console.worlds import Night


@pytest.fixture(scope="session")
def _shared_night(_client: Database, loop: Loop) -> Iterator[Night]:
    database = Database(_client.client, "test_night")
    loop.run(ensure_indexes(database), timeout_s=120)
    yield Night(database, loop).fill()

    async def drop() -> None:
        await database.client.drop_database(database.name)

    loop.run(drop(), timeout_s=60)


@pytest.fixture
def night(_shared_night: Night) -> Night:
    """For tests that leave the store as it is."""
    _shared_night.asked.clear()
    # Who guessed in an earlier test does not wait in this one.
    _shared_night.loop.run(LOGIN_DELAYS.of(_shared_night.db).delete_many({}))
    return _shared_night


@pytest.fixture
def own_night(db: Database, loop: Loop) -> Night:
    """For tests that change something."""
    return Night(db, loop).fill()
