"""A server that is gone or hangs: nobody waits long, and everybody hears the same kind of error."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from db_interface.collection import Collection
from db_interface.database import ANSWER_WITHIN_S, STORE_ERRORS, Database
from db_interface.embedded import EmbeddedMongo
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from tests.conftest import Loop
from tests.e2e.processes import eventually, until_stopped

pytestmark = pytest.mark.processes


@pytest.fixture
def away(server: EmbeddedMongo, loop: Loop) -> Iterator[Database]:
    """A database that answered once; the test stops its server."""

    async def connect() -> Database:
        db = Database.connect(server.url)
        await db["things"].insert_one({"_id": 1})
        return db

    db = loop.run(connect())
    yield db
    db.close()


async def _took(db: Database) -> list[float]:
    """Seconds until reads and a transaction have failed."""

    async def work(tx: Tx) -> None:
        await tx.db["things"].update_one({"_id": 1}, {"$inc": {"n": 1}}, session=tx.mongo)

    taken = []
    for attempt in (
        db["things"].find_one({"_id": 1}),
        db.rows(db["things"], lambda things: things.find({"_id": 1})),
        DbInterface(db).transact(work),
    ):
        began = time.monotonic()
        with pytest.raises(STORE_ERRORS):
            await attempt
        taken.append(time.monotonic() - began)
    return taken


def test_a_server_that_hangs_is_given_up_in_time(
    server: EmbeddedMongo, away: Database, loop: Loop
) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)
    until_stopped(server.pid)

    assert max(loop.run(_took(away))) < ANSWER_WITHIN_S + 3


def test_a_server_that_is_known_to_be_gone_is_not_waited_for(
    server: EmbeddedMongo, away: Database, loop: Loop
) -> None:
    server.stop()

    async def failing() -> list[float]:
        with away.no_waiting():
            return await _took(away)

    eventually(lambda: away.is_away, 10)
    # A fifth of a second, and what a busy host needs; a server not known to be gone takes all.
    assert max(loop.run(failing())) < ANSWER_WITHIN_S / 2

    server.start()
    eventually(lambda: not away.is_away, 10)


def test_where_a_server_is_nothing_changes(away: Database, loop: Loop) -> None:
    async def read() -> object:
        with away.no_waiting():
            return await away["things"].find_one({"_id": 1})

    assert loop.run(read()) == {"_id": 1}


def test_closing_takes_no_time_and_ends_the_use(mongo_url: str, loop: Loop) -> None:
    """The driver's own close waits for half a second; a command would end that much later."""

    async def story() -> float:
        db = Database.connect(mongo_url)
        await db.ping()
        began = time.monotonic()
        db.close()
        took = time.monotonic() - began
        with pytest.raises(Exception, match="after close"):
            await db.client.admin.command("ping")
        return took

    assert min(loop.run(story()) for _ in range(3)) < 0.4


def test_a_request_waits_once_for_a_store_that_hangs(server: EmbeddedMongo, loop: Loop) -> None:
    """Each of its operations would have its whole time, one after another."""
    things: Collection[dict[str, int]] = Collection("things")

    async def fails(db: Database) -> float:
        began = time.monotonic()
        with pytest.raises(STORE_ERRORS):
            await things.of(db).find_one({"_id": 1})
        return time.monotonic() - began

    async def story() -> tuple[list[float], float]:
        db = Database.connect(server.url, timeout_ms=1000)
        try:
            await things.of(db).insert_one({"_id": 1})
            assert server.pid is not None
            os.kill(server.pid, signal.SIGSTOP)
            until_stopped(server.pid)
            with db.no_waiting():
                taken = [await fails(db) for _ in range(3)]
            return taken, await fails(db)
        finally:
            db.close()

    (first, *others), next_request = loop.run(story())
    assert first >= 0.9 and sum(others) < 0.9
    assert next_request >= 0.9
