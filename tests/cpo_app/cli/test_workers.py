"""Workers that hang: replaced after a while, and SIGTERM does not wait for them."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.e2e.processes import eventually
from tests.serving import free_port

pytestmark = pytest.mark.processes


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
def serving(folder: Path) -> Iterator[Served]:
    port, log = free_port(), folder / "log"
    command = [sys.executable, "-m", "tests.cpo_app.cli.hanging_workers", str(port)]
    with log.open("wb") as out, subprocess.Popen(command, stderr=out) as process:
        try:
            yield Served(process, log, port)
        finally:
            process.kill()


def were_replaced(workers: Collection[int], output: str) -> bool:
    said = r"worker {} has not answered for 600 s and was killed; \d+ takes its place"
    return all(re.search(said.format(worker), output) for worker in workers)


def test_a_worker_that_hangs_is_replaced_and_that_is_said(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        stopped = served.worker()
        os.kill(stopped, signal.SIGSTOP)
        with socket.create_connection(("127.0.0.1", served.port)) as asking:
            asking.sendall(b"GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n")
            # It answers whoever asks from outside of its loop.
            (held,) = eventually(lambda: re.findall(r"(\d+) is held", served.output))
        hanging = {stopped, int(held)}
        assert len(hanging) == 2
        served.process.send_signal(signal.SIGUSR1)
        eventually(lambda: were_replaced(hanging, served.output))
        served.process.send_signal(signal.SIGUSR2)
        assert served.worker() not in hanging
        served.process.terminate()
        assert served.process.wait(30) == 0


def test_whoever_ends_it_waits_for_no_worker_that_hangs(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        hangs = served.worker()
        os.kill(hangs, signal.SIGSTOP)
        served.process.terminate()
        assert served.process.wait(30) == 0
        assert f"worker {hangs} does not end, and is killed" in served.output
