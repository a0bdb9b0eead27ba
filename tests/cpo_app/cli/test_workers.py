"""Workers that hang: replaced after a while, and SIGTERM does not wait for them."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.e2e.processes import eventually
from tests.serving import free_port

pytestmark = pytest.mark.processes
LIMIT_S = 6
"""Longer than a worker takes to start on a busy host."""


@dataclass
class Served:
    process: subprocess.Popen[bytes]
    log: Path
    port: int

    @property
    def output(self) -> str:
        return self.log.read_text()

    def worker(self) -> int:
        """One that serves, by its process id."""

        def answered() -> str:
            return httpx.get(f"http://127.0.0.1:{self.port}/", timeout=2).text

        return int(eventually(answered))


@contextlib.contextmanager
def serving(folder: Path, limit_s: int) -> Iterator[Served]:
    port, log = free_port(), folder / "log"
    command = [sys.executable, "-m", "tests.cpo_app.cli.hanging_workers", str(port), str(limit_s)]
    with log.open("wb") as out, subprocess.Popen(command, stderr=out) as process:
        try:
            yield Served(process, log, port)
        finally:
            process.kill()


def was_replaced(worker: int, output: str) -> bool:
    said = rf"worker {worker} has not answered for {LIMIT_S} s and was killed; \d+ takes its place"
    return re.search(said, output) is not None


def test_a_worker_that_hangs_is_replaced_and_that_is_said(tmp_path: Path) -> None:
    with serving(tmp_path, LIMIT_S) as served:
        stopped = served.worker()
        os.kill(stopped, signal.SIGSTOP)
        eventually(lambda: was_replaced(stopped, served.output))

        # It answers whoever asks from outside of its loop.
        with contextlib.suppress(httpx.TimeoutException):
            httpx.get(f"http://127.0.0.1:{served.port}/hold", timeout=1)
        (held,) = eventually(lambda: re.findall(r"(\d+) is held", served.output))
        eventually(lambda: was_replaced(int(held), served.output))

        assert served.worker() not in (stopped, int(held))
        served.process.terminate()
        assert served.process.wait(30) == 0


def test_whoever_ends_it_waits_for_no_worker_that_hangs(tmp_path: Path) -> None:
    with serving(tmp_path, 600) as served:
        hangs = served.worker()
        os.kill(hangs, signal.SIGSTOP)
        served.process.terminate()
        assert served.process.wait(30) == 0
        assert f"worker {hangs} does not end, and is killed" in served.output
