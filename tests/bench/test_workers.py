"""What receivers got is held against what was changed: late, lost and double ones are told."""

from __future__ import annotations

import asyncio
import os
import subprocess
from typing import Any, cast

import pytest

from bench import held_up, pulling
from bench.processes import Server, _with_children
from bench.workers import _in_order
from cpo_app.loop_lag import LONG_S

LATEST = {"A": 12, "B": 11, "C": 3}
ALL = [
    ("/0/locations/DE/CPO/A", "change 10", 1.0),
    ("/0/locations/DE/CPO/A", "change 12", 2.0),
    ("/0/locations/DE/CPO/B", "change 11", 1.5),
    ("/1/locations/DE/CPO/B", "change 11", 1.5),
    ("/1/locations/DE/CPO/A", "change 12", 2.5),
]


class Side:
    """As many changes as LATEST says, and receivers that have got these."""

    def __init__(self, came: list[tuple[str, str, float]]) -> None:
        self.rows = [{"id": name, "name": f"change {n}"} for name, n in LATEST.items()]
        self.emsp = self
        self._came = came

    def came(self) -> list[tuple[str, str, float]]:
        return self._came


@pytest.mark.parametrize(
    ("came", "late", "lost"),
    [
        (ALL, 0, 0),
        (ALL[:-1], 0, 1),
        ([ALL[1], ALL[0], *ALL[2:]], 1, 0),
        ([*ALL[:4], (ALL[4][0], "change 10", 3.0)], 0, 1),
    ],
)
def test_what_came_late_and_what_was_lost(
    came: list[tuple[str, str, float]], late: int, lost: int
) -> None:
    """Changes up to the ninth were before."""
    found = _in_order(cast(Any, Side(came)), 9)
    assert found == {"out_of_order": late, "lost": lost}


def test_the_bench_reads_the_metric_of_the_product() -> None:
    text = f'cpo_event_loop_lag_seconds_bucket{{le="{LONG_S}"}} 41.0\n'
    assert held_up.read(text + "cpo_event_loop_lag_seconds_count 43.0\n") == (2, 43)


def test_peers_follow_their_links_and_start_again_behind_the_last() -> None:
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readline():
            asked.append(head.split()[1].decode())
            await reader.readuntil(b"\r\n\r\n")
            link = (
                ""
                if asked[-1].endswith("2")
                else 'Link: <http://localhost/list?page=2>; rel="next"\r\n'
            )
            body = "HTTP/1.1 200 OK\r\n" + link + "Content-Length: 2\r\n\r\n[]"
            writer.write(body.encode())
        writer.close()

    async def pulled() -> dict[str, Any]:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        job = {
            "port": port,
            "path": "/list",
            "heads": ["A: b\r\n"],
            "every_s": 0.01,
            "follows": True,
        }
        # However late they come: as many as are due in that time.
        found = await pulling.carry_out({**job, "seconds": 0.1})
        server.close()
        return found

    found = asyncio.run(pulled())
    assert found["failures"] == 0 and len(found["latencies_ms"]) == found["answers"]
    assert asked[:3] == ["/list", "/list?page=2", "/list"]


def test_processor_time_is_that_of_the_workers_too() -> None:
    with subprocess.Popen(["sleep", "60"]) as worker:
        try:
            assert worker.pid in _with_children(os.getpid())
        finally:
            worker.kill()
    assert Server("this one", 0, os.getpid()).cpu_s() > 0
