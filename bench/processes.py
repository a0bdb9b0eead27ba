"""The processes of a measurement: servers (uvicorn, one worker each) and the load generator.

Each runs alone in a process, so that none takes another's share of an interpreter; all end with
the block that started them.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from db_interface.json_data import JsonObject

SWITCH = signal.SIGUSR1
"""What a server of ours (bench/ours.py) does about it is its own business."""

_ROOT = Path(__file__).parents[1]
_START_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Server:
    name: str
    port: int
    pid: int

    def cpu_s(self) -> float:
        """Seconds of processor time that it has used, with its workers where it has some; NaN
        where the system does not tell."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            return sum(map(_cpu_s, _with_children(self.pid)))
        return float("nan")

    def switch(self) -> None:
        os.kill(self.pid, SWITCH)

    def memory_mb(self) -> float:
        """Resident memory now; NaN where the system does not tell."""
        with contextlib.suppress(OSError, ValueError):
            for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    return round(int(line.split()[1]) / 1024, 1)
        return float("nan")


@contextlib.contextmanager
def serving(name: str, factory: str, environment: Mapping[str, str]) -> Iterator[Server]:
    """Serve `factory` ("bench.bare:create_app") on a free loopback port while the block runs.

    Raises RuntimeError with the server's last words when it does not come up.
    """
    port = _free_port()
    uvicorn = (
        *("uvicorn", "--factory", factory, "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", "1", "--no-access-log", "--log-level", "warning"),
    )
    with _listening(name, uvicorn, port, environment) as server:
        yield server


@contextlib.contextmanager
def running(
    command: str,
    environment: Mapping[str, str],
    *,
    port: int | None = None,
    arguments: Sequence[str] = (),
) -> Iterator[Server]:
    """Run `cpo <command> --port ...`, as the product does, while the block runs."""
    port = port or _free_port()
    module = ("cpo_app.cli", command, "--port", str(port), *arguments)
    with _listening(command, module, port, environment) as server:
        yield server


@contextlib.contextmanager
def _listening(
    name: str, module: Sequence[str], port: int, environment: Mapping[str, str]
) -> Iterator[Server]:
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=_ROOT,
            env={**os.environ, **environment, "OCPI_HOST": f"127.0.0.1:{port}"},
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        try:
            if not _listens(port, process):
                said.seek(0)
                raise RuntimeError(f"{name} did not start: {said.read()[-2000:].decode()}")
            yield Server(name, port, process.pid)
        finally:
            process.terminate()
            process.wait(10)


class Generator:
    """The load generator; see bench/load.py for what a job is."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def send(
        self,
        server: Server,
        paths: Sequence[str],
        headers: Mapping[str, str],
        *,
        connections: int,
        seconds: float | None = None,
    ) -> JsonObject:
        """GET the paths from the server; raises RuntimeError when an answer was not 200."""
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        job: JsonObject = {
            "port": server.port,
            "connections": connections,
            "requests": [
                f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n{head}\r\n"
                for path in paths
            ],
        }
        if seconds is not None:
            job["seconds"] = seconds
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the load generator has ended")
        result: JsonObject = json.loads(answer)
        if result["failures"]:
            raise RuntimeError(f"{server.name}: {result['failures']} answers were not 200")
        return result


@contextlib.contextmanager
def generating() -> Iterator[Generator]:
    """A load generator while the block runs."""
    with talking("bench.load") as process:
        yield Generator(process)


@contextlib.contextmanager
def talking(module: str) -> Iterator[subprocess.Popen[str]]:
    """A module of ours in a process of its own, told and answering by lines, while the block
    runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


def _cpu_s(pid: int) -> float:
    spent = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(spent[11]) + int(spent[12])) / os.sysconf("SC_CLK_TCK")


def _with_children(pid: int) -> list[int]:
    family = [pid]
    for one in family:
        for thread in Path(f"/proc/{one}/task").iterdir():
            family += map(int, (thread / "children").read_text().split())
    return family


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _listens(port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        time.sleep(0.05)
    return False
