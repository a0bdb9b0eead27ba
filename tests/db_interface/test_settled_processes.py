"""Real processes that write, are stopped and killed; peers that pull all the while miss nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import statistics
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

import pytest

from db_interface.database import Database
from tests import forks
from tests.conftest import Loop
from tests.db_interface.pulling import Puller, from_last_start, from_newest, stored

ROOT = Path(__file__).parents[2]
PATIENCE_S = 300
"""On a host with other things to do; it decides nothing but when to give up."""
pytestmark = [pytest.mark.processes, pytest.mark.timeout(PATIENCE_S + 60)]


def writing(url: str, name: str, out: int | None = None) -> forks.Fork:
    module = "tests.db_interface.writing_process"
    return forks.forked(module, url, name, cwd=ROOT, env=os.environ, stdout=out)


@contextlib.contextmanager
def telling(url: str, *names: str) -> Iterator[list[str]]:
    """Processes that write while the block runs; the ids of what they have committed so far."""
    committed: list[str] = []

    def listen(told: IO[str]) -> None:
        for line in told:
            committed.append(line.strip())

    with contextlib.ExitStack() as stack:
        for name in names:
            told, tells = os.pipe()
            lines = stack.enter_context(os.fdopen(told))
            thread = threading.Thread(target=listen, args=(lines,))
            process = writing(url, name, tells)
            os.close(tells)
            thread.start()
            stack.callback(thread.join)
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield committed


def test_a_puller_has_within_two_seconds_what_was_committed_before_it_asked(
    store_url: str, db: Database, loop: Loop
) -> None:
    async def story(committed: list[str]) -> list[float]:
        its_own = Database.connect(store_url)
        await its_own.ping()
        peer, clock = Puller(its_own, from_newest, limit=200), asyncio.get_running_loop().time
        took: list[float] = []
        seen = 0
        while len(took) < 15:
            while len(committed) == seen or not {"A", "B"} <= {one[0] for one in committed}:
                await asyncio.sleep(0.01)
            seen = len(committed)
            before, began = set(committed[:seen]), clock()
            await peer.pull_in_the_end()
            took.append(clock() - began)
            assert before - peer.has.keys() == set()
        its_own.close()
        return took

    with telling(store_url, "A", "B") as committed:
        took = loop.run(story(committed), timeout_s=PATIENCE_S)
    loop.run(forget_the_killed(db))
    # Whatever else the host has to do: the typical pull is what lists themselves make one wait.
    assert statistics.median(took) <= 2


def test_stopped_and_killed_writers_cost_no_puller_anything(store_url: str, loop: Loop) -> None:
    processes = [writing(store_url, name) for name in ("A", "B", "C")]

    async def story() -> None:
        db = Database.connect(store_url)
        await db.ping()
        peers = [Puller(db, manner, limit=200) for manner in (from_newest, from_last_start)]
        stop = asyncio.Event()

        async def keep_pulling(peer: Puller) -> None:
            while not stop.is_set():
                await peer.pull_in_the_end()
                await asyncio.sleep(0.05)

        async def all_write(names: str) -> None:
            before = {name: number_of(peers[0], name) for name in names}
            while any(number_of(peers[0], name) <= before[name] for name in names):
                await asyncio.sleep(0.05)

        pulling = [asyncio.create_task(keep_pulling(peer)) for peer in peers]
        try:
            await all_write("ABC")
            processes[0].send_signal(signal.SIGSTOP)
            processes[1].kill()
            stopped_at = db.now()
            await all_write("C")
            await all_are_younger(db, stopped_at)
            await all_write("C")
            processes[0].send_signal(signal.SIGCONT)
            await all_write("AC")
            for process in processes:
                process.kill()
                process.wait()
        finally:
            stop.set()
            await asyncio.gather(*pulling)
        for peer in peers:
            await peer.pull_in_the_end()
        there = await stored(db)
        assert len(there) > 20
        for peer in peers:
            assert there.keys() - peer.has.keys() == set()
        await forget_the_killed(db)
        db.close()

    try:
        loop.run(story(), timeout_s=PATIENCE_S)
    finally:
        for process in processes:
            process.kill()
            process.wait()


async def forget_the_killed(db: Database) -> None:
    """What the killed ones had in flight would keep the next test from emptying the store."""
    await db.client.admin.command("killAllSessions", [])


async def all_are_younger(db: Database, moment: datetime) -> None:
    """Return when no writer has anything in flight any more that it began before the moment: who
    was silent for too long was taken for dead."""
    while await db["writers"].count_documents({"floor": {"$lte": moment}}):
        await asyncio.sleep(0.05)


def number_of(peer: Puller, name: str) -> int:
    return sum(one.startswith(f"{name}-") for one in peer.has)
