"""A store that comes back is found soon: by the pauses that we make, not by this host's speed.

The driver looks for servers on its own every HEARTBEAT_S; here that never comes (it is hours), so
that what finds the server is what the bounds in docs/operations.md are made of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from pymongo import MongoClient
from pymongo.common import MIN_HEARTBEAT_INTERVAL
from pymongo.errors import NetworkTimeout

from db_interface import database, embedded_keeper
from db_interface.database import STORE_ERRORS, Database
from db_interface.embedded import EmbeddedMongo
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from db_interface.reachability import AWAY_AFTER_S, AWAY_WITHIN_S
from db_interface.transaction import Tx
from db_interface.writers import Writers
from tests.conftest import Loop
from tests.e2e.processes import eventually

HOURS_S = 7200.0
PATIENT_S = 60.0
"""Longer than any host takes for an election or a start of mongod."""


@pytest.fixture
def never_looking(
    server: EmbeddedMongo, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Database]:
    """A database that was asked once, whose driver looks for its server when somebody asks."""
    monkeypatch.setattr(database, "HEARTBEAT_S", HOURS_S)
    monkeypatch.setattr(database, "ANSWER_WITHIN_S", PATIENT_S)

    async def connect() -> Database:
        db = Database.connect(server.url, timeout_ms=int(PATIENT_S * 1000))
        await db["things"].insert_one({"_id": 1, "n": 0})
        return db

    db = loop.run(connect())
    yield db
    db.close()


async def _count_up(db: Database) -> None:
    async def work(tx: Tx) -> None:
        await tx.db["things"].update_one({"_id": 1}, {"$inc": {"n": 1}}, session=tx.mongo)

    await DbInterface(db).transact(work)


@pytest.mark.processes
def test_a_write_that_meets_an_election_goes_on_when_it_is_over(
    server: EmbeddedMongo, never_looking: Database, loop: Loop
) -> None:
    """Once, and without an error to who wrote."""
    with MongoClient[JsonObject](server.url, directConnection=True) as member:
        member.admin.command("replSetStepDown", HOURS_S, force=True)
        writing = asyncio.run_coroutine_threadsafe(_count_up(never_looking), loop.loop)
        eventually(lambda: not never_looking.client.primary, 30, "the driver to see no primary")
        assert not writing.done()

        member.admin.command("replSetFreeze", 0)  # it stands for election now

        writing.result(PATIENT_S)
        (thing,) = member[never_looking.name].things.find()
    assert thing["n"] == 1


@pytest.mark.processes
def test_who_asks_finds_a_server_that_is_back(
    server: EmbeddedMongo, never_looking: Database, loop: Loop
) -> None:
    async def asked() -> bool:
        with never_looking.no_waiting():
            try:
                await _count_up(never_looking)
            except STORE_ERRORS:
                return False
        return True

    server.stop()
    eventually(lambda: never_looking.is_away, 30, "the driver to see that it is gone")

    server.start()
    eventually(lambda: loop.run(asked()), PATIENT_S, "a write after the server is back")


def test_a_write_whose_time_is_over_is_not_tried_again(
    db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each further try would fail at once: for seconds there would be nothing but tries."""
    tries = 0

    async def too_late(_: Writers) -> None:
        nonlocal tries
        tries += 1
        if tries > 1:
            raise AssertionError("it is tried again")
        raise NetworkTimeout("timed out")

    monkeypatch.setattr(Writers, "_announce", too_late)

    with pytest.raises(NetworkTimeout):
        loop.run(_count_up(db))


def test_what_we_add_to_an_election_and_to_a_start_of_mongod() -> None:
    """At most this long after there is a primary the driver has looked: it does not look more
    often. Who meets a server that is away hears so in AWAY_WITHIN_S, and makes it look."""
    assert MIN_HEARTBEAT_INTERVAL + AWAY_WITHIN_S < 1.0
    assert AWAY_AFTER_S + AWAY_WITHIN_S < 2.0
    # Of the ten seconds mongod has nine, for what its journal and this host cost.
    pauses = embedded_keeper.FIRST_PAUSE_S + 0.1 + MIN_HEARTBEAT_INTERVAL
    assert pauses + AWAY_WITHIN_S <= 1.5
