"""One filled night for tests that only read, and one of its own for those that change it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from bson.raw_bson import RawBSONDocument
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

from auth.login_delays import LOGIN_DELAYS
from cpo_app.console import rendering
from db_interface.database import Database
from db_interface.indexes import ensure_indexes
from tests.conftest import Loop
from tests.cpo_app.console.worlds import Night


@pytest.fixture(scope="session")
def _shared_night(_client: Database, loop: Loop) -> Iterator[Night]:
    database = Database(_client.client, "test_night")
    loop.run(ensure_indexes(database), timeout_s=120)
    yield _filled(Night(database, loop))

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
    return _filled(Night(db, loop))


_first: list[tuple[Night, dict[str, list[RawBSONDocument]]]] = []


def _filled(night: Night) -> Night:
    """The first is filled as the product does it, all others get what it has written."""
    if _first:
        return night.filled_as(*_first[0])
    _first.append((night.fill(), night.documents()))
    return night


class _Compiled(BytecodeCache):
    """The templates' code, kept in memory: each console would compile them anew."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


vars(rendering)["Environment"] = partial(Environment, bytecode_cache=_Compiled())
