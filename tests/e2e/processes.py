"""The product's commands as real processes, started and stopped as a person would."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests import forks
from tests.serving import free_port

T = TypeVar("T")
CPO = (sys.executable, "-m", "cpo_app.cli")
REPOSITORY = Path(__file__).parents[2]


def eventually(check: Callable[[], T | None], timeout_s: float = 40, what: str = "") -> T:
    """The first true answer of `check`; asks on until then. AssertionError after the time."""
    deadline = time.monotonic() + timeout_s
    last: Any = None
    pause_s = 0.05
    while time.monotonic() < deadline:
        try:
            last = check()
            if last:
                return last
        except (httpx.HTTPError, OSError, KeyError, IndexError) as error:
            last = error
        time.sleep(pause_s)
        # Who waits for long asks less often: asking takes time from what is waited for.
        pause_s = min(pause_s * 1.2, 0.3)
    raise AssertionError(f"not within {timeout_s} s: {what or check}; last: {last!r}")


class Process:
    """One command of ours; its output is kept in a file. `forked`: of what has imported it all."""

    def __init__(
        self, log: Path, *arguments: str, cwd: Path, forked: bool = False, **environment: str
    ) -> None:
        self.log = log
        self._arguments = arguments
        self._cwd = cwd
        self._forked = forked
        self._environment = environment
        self.start()

    def start(self) -> None:
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CPO_", "CP_", "REGISTRY_", "CENTRAL_", "OCPI_"))
        }
        environment = {**clean, "PYTHONPATH": str(REPOSITORY), **self._environment}
        with self.log.open("ab") as out:
            self._process: subprocess.Popen[bytes] | forks.Fork
            if self._forked:
                self._process = forks.forked(
                    *self._arguments,
                    cwd=self._cwd,
                    env=environment,
                    stdout=out.fileno(),
                    stderr=out.fileno(),
                )
                return
            self._process = subprocess.Popen(
                self._arguments,
                cwd=self._cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def said(self, text: str) -> bool:
        return text in self.output

    def stop(self, number: int = signal.SIGTERM, timeout_s: float = 10) -> int:
        """Send the signal and wait; the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            raise AssertionError(f"did not stop in {timeout_s} s:\n{self.output[-3000:]}") from None

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()


class Processes:
    """Starts processes in a directory of their own and ends what is left."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._ocpp_port = str(free_port())
        self._running: list[Process] = []

    def cpo(self, *arguments: str, **environment: str) -> Process:
        """A server of ours, without the seconds that its imports take."""
        return self.module("cpo_app.cli", *arguments, **environment)

    def module(self, name: str, *arguments: str, **environment: str) -> Process:
        """`python -m name`, forked."""
        return self._kept(True, name, *arguments, **environment)

    def installed(self, *arguments: str, **environment: str) -> Process:
        """`cpo` as a person starts it."""
        return self.run(*CPO, *arguments, **environment)

    def run(self, *arguments: str, **environment: str) -> Process:
        """Any program."""
        return self._kept(False, *arguments, **environment)

    def _kept(self, forked: bool, *arguments: str, **environment: str) -> Process:
        log = self.directory / f"process-{len(self._running)}.log"
        # Other tests run at the same time, and each `cpo up` has a gateway.
        environment = {"CPO_OCPP_PORT": self._ocpp_port, **environment}
        process = Process(log, *arguments, cwd=self.directory, forked=forked, **environment)
        self._running.append(process)
        return process

    def command(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A command that ends by itself; its output and exit code."""
        return forks.ran(
            *("cpo_app.cli", *arguments),
            cwd=self.directory,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
            timeout_s=90,
        )

    def end(self) -> None:
        for process in self._running:
            if process.exit_code is None:
                process.kill()


def children_of(pid: int) -> list[int]:
    """Every living descendant of a process."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, IndexError):
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                child = int(entry.name)
                found += [child, *children_of(child)]
    return found


def alive(pid: int) -> bool:
    with contextlib.suppress(OSError, IndexError):
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        return state != "Z"
    return False


def until_stopped(pid: int) -> None:
    """Until no thread of the process runs any more: SIGSTOP only asks for it."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        states = [
            (thread / "stat").read_text().rpartition(")")[2].split()[0]
            for thread in Path(f"/proc/{pid}/task").iterdir()
        ]
        if set(states) == {"T"}:
            return
        time.sleep(0.01)
    raise AssertionError(f"process {pid} goes on: {states}")


@contextlib.contextmanager
def processes(directory: Path) -> Iterator[Processes]:
    started = Processes(directory)
    try:
        yield started
    finally:
        started.end()
