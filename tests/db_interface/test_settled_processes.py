"""Real processes that write, are stopped and killed; peers that pull all the while miss nothing."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from db_interface.database import Database
from tests.conftest import Loop
from tests.db_interface.pulling import Puller, from_last_start, from_newest, stored

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.processes


def writing(url: str, name: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.db_interface.writing_process", url, name]
    return subprocess.Popen(command, cwd=ROOT)


def test_stopped_and_killed_writers_cost_no_puller_anything(store_url: str, loop: Loop) -> None:
    processes = [writing(store_url, name) for name in ("A", "B", "C")]

    async def story() -> None:
        db = Database.connect(store_url)
        await db.ping()
        peers = [Puller(db, manner, limit=200) for manner in (from_newest, from_last_start)]
        stop, longest = asyncio.Event(), 0.0

        async def keep_pulling(peer: Puller) -> None:
            nonlocal longest
            clock = asyncio.get_running_loop().time
            while not stop.is_set():
                began = clock()
                await peer.pull()
                longest = max(longest, clock() - began)

        async def all_write(names: str) -> None:
            before = {name: number_of(peers[0], name) for name in names}
            while any(number_of(peers[0], name) <= before[name] for name in names):
                await asyncio.sleep(0.05)

        pulling = [asyncio.create_task(keep_pulling(peer)) for peer in peers]
        try:
            await all_write("ABC")
            processes[0].send_signal(signal.SIGSTOP)
            processes[1].kill()
            await all_write("C")
            await asyncio.sleep(2.5)
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
            await peer.pull()
        there = await stored(db)
        assert len(there) > 20
        for peer in peers:
            assert there.keys() - peer.has.keys() == set()
        # What the killed ones had in flight would keep the next test from emptying the store.
        await db.client.admin.command("killAllSessions", [])
        db.close()

    try:
        loop.run(story(), timeout_s=60)
    finally:
        for process in processes:
            process.kill()
            process.wait()


def number_of(peer: Puller, name: str) -> int:
    return sum(one.startswith(f"{name}-") for one in peer.has)
