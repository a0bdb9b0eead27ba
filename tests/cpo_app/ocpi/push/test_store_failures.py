"""The database dies under load: no acknowledged change is lost, and the push goes on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from db_interface.database import Database
from db_interface.embedded import EmbeddedMongo, find_mongod
from db_interface.indexes import ensure_indexes
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.objects.locations import owned_location
from domain.outbox.publishing import publish
from tests.conftest import Loop
from tests.cpo_app.ocpi.push.conftest import House
from tests.cpo_app.ocpi.push.objects import location
from tests.serving import free_port

OBJECTS = 4


class Load:
    """Changes without pause, one object per task; `acknowledged` is what the store confirmed."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._going = True
        self.acknowledged = [0] * OBJECTS
        self._tasks = house.loop.run(self._start())

    async def _start(self) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(self._change(index)) for index in range(OBJECTS)]

    async def _change(self, index: int) -> None:
        number = 0
        while self._going:
            number += 1
            obj = owned_location(location(f"LOC{index}", name=f"{number:06}"))

            async def work(tx: Tx, obj: Any = obj) -> str:
                return await publish(self._house.store, "locations", obj, tx)

            with contextlib.suppress(Exception):  # not acknowledged: nothing is claimed of it
                await DbInterface(self._house.db).transact(work)
                self.acknowledged[index] = number

    def total(self) -> int:
        return sum(self.acknowledged)

    def stop(self) -> None:
        self._going = False
        self._house.loop.run(self._ended(), 60)

    async def _ended(self) -> None:
        await asyncio.gather(*self._tasks)


def until(condition: Any, timeout_s: float = 60) -> None:
    ends = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < ends, "it never came to hold"
        time.sleep(0.01)


def house_on(url: str, loop: Loop, stack: contextlib.ExitStack, timeout_ms: int = 2000) -> House:
    async def connect() -> Database:
        db = Database.connect(url, "push_test", timeout_ms=timeout_ms)
        await ensure_indexes(db)
        return db

    db = loop.run(connect(), 60)
    stack.callback(db.close)
    return House(db, loop, stack)


def assert_nothing_was_lost(house: House, load: Load, held: dict[str, Any]) -> None:
    async def present() -> dict[str, str]:
        rows = await house.db["locations"].find().to_list(None)
        return {row["fields"]["id"]: row["fields"]["name"] for row in rows}

    state = house.loop.run(present())
    assert {id_: fields["name"] for id_, fields in held.items()} == state
    for index, number in enumerate(load.acknowledged):
        assert int(state[f"LOC{index}"]) >= number > 0


@pytest.mark.processes
def test_mongod_is_killed_and_restarted(loop: Loop, tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        server = EmbeddedMongo(tmp_path)
        stack.callback(lambda: server.stop())
        house = house_on(server.start(), loop, stack)
        emsp, _ = house.peer("DE*TNM")
        house.push()
        load = Load(house)
        until(lambda: load.total() > 20 and len(emsp.held("locations")) == OBJECTS)

        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        server.stop()
        before = load.total()
        server = EmbeddedMongo(tmp_path)
        server.start()

        until(lambda: load.total() > before + 20)
        load.stop()
        house.until_nothing_is_left(40)
        assert_nothing_was_lost(house, load, emsp.held("locations"))


@pytest.mark.processes
def test_a_store_that_dies_is_a_line_not_a_traceback(
    loop: Loop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with contextlib.ExitStack() as stack:
        server = EmbeddedMongo(tmp_path)
        stack.callback(lambda: server.stop())
        house = house_on(server.start(), loop, stack, timeout_ms=3000)
        emsp, _ = house.peer("DE*TNM", fault=lambda _: "hang")
        house.push(timeout_s=30.0)
        house.locations(location("LOC1"))
        until(lambda: emsp.got)

        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        server.stop()
        until(lambda: [r for r in caplog.records if r.getMessage().startswith("push to")])
    assert [r.getMessage() for r in caplog.records if r.exc_info and r.name == "cpo.push"] == []


class ReplicaSet:
    """Three real mongods on loopback that elect within a second or two."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.processes: dict[int, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> ReplicaSet:
        binary = find_mongod()
        for _ in range(3):
            port = free_port()
            path = self._directory / str(port)
            path.mkdir()
            self.processes[port] = subprocess.Popen(
                [
                    *(binary, "--dbpath", str(path), "--port", str(port)),
                    *("--bind_ip", "127.0.0.1", "--replSet", "rs", "--nounixsocket"),
                    *("--wiredTigerCacheSizeGB", "0.25", "--logpath", str(path / "log")),
                    *("--setParameter", "diagnosticDataCollectionEnabled=false"),
                ],
                stdout=subprocess.DEVNULL,
            )
        members = [
            {"_id": index, "host": f"127.0.0.1:{port}"} for index, port in enumerate(self.processes)
        ]
        config = {
            "_id": "rs",
            "members": members,
            "settings": {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 300},
        }
        until(lambda: self._admin(next(iter(self.processes)), "replSetInitiate", config))
        until(lambda: self.primary() is not None)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.processes)
        return f"mongodb://{hosts}/?replicaSet=rs"

    def primary(self) -> int | None:
        """The port of the member that takes writes."""
        for port, process in self.processes.items():
            if process.poll() is None and self._says_primary(port):
                return port
        return None

    def _says_primary(self, port: int) -> bool:
        answer = self._admin(port, "hello")
        return bool(answer and answer.get("isWritablePrimary"))

    def _admin(self, port: int, command: str, value: Any = 1) -> dict[str, Any] | None:
        with self._client(port) as client, contextlib.suppress(PyMongoError):
            return client.admin.command(command, value)
        return None

    def _client(self, port: int) -> MongoClient[dict[str, Any]]:
        return MongoClient("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=1000)


@pytest.fixture
def replica_set(tmp_path: Path) -> Iterator[ReplicaSet]:
    with ReplicaSet(tmp_path) as running:
        yield running


@pytest.mark.processes
def test_the_primary_of_three_is_killed_under_load(loop: Loop, replica_set: ReplicaSet) -> None:
    with contextlib.ExitStack() as stack:
        house = house_on(replica_set.url, loop, stack)
        emsp, _ = house.peer("DE*TNM")
        house.push()
        load = Load(house)
        until(lambda: load.total() > 20 and len(emsp.held("locations")) == OBJECTS)

        primary = replica_set.primary()
        assert primary is not None
        replica_set.processes[primary].kill()
        before, received = load.total(), len(emsp.got)

        until(lambda: load.total() > before + 40 and len(emsp.got) > received + 20)
        load.stop()
        house.until_nothing_is_left(40)
        assert_nothing_was_lost(house, load, emsp.held("locations"))
        assert replica_set.primary() not in (None, primary)
