"""Forks as tests see them: `subprocess.Popen` and `subprocess.run`, as far as tests use those."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

_REPOSITORY = Path(__file__).parents[2]
_OF_THE_PRODUCT = ("CPO_", "CP_", "REGISTRY_", "CENTRAL_", "OCPI_")


class _Server:
    """The one of this process, there from the first fork on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: tuple[socket.socket, Callable[[], object]] | None = None

    def is_there(self, asking: socket.socket, until_ended: Callable[[], object]) -> None:
        """It need not be started: one is asked there."""
        self._running = asking, until_ended

    def ask(self, packet: bytes, files: Sequence[int]) -> None:
        with self._lock:
            if self._running is None:
                self._running = _started()
            socket.send_fds(self._running[0], [packet], list(files))

    def close(self) -> None:
        """End what still runs."""
        with self._lock:
            if self._running is not None:
                asking, until_ended = self._running
                asking.close()
                until_ended()
                self._running = None


def _started() -> tuple[socket.socket, Callable[[], object]]:
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(_OF_THE_PRODUCT)
    }
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.forks.server", str(theirs.fileno())],
            cwd=_REPOSITORY,
            env=clean,
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    return ours, process.wait


_SERVER = _Server()
close, is_there = _SERVER.close, _SERVER.is_there


class Fork:
    """A process that was forked. `told`: its pid is told there, and in the end its exit code."""

    def __init__(self, told: int) -> None:
        self._told = os.fdopen(told, "rb", buffering=0)
        self.returncode: int | None = None
        what, _, pid = self._told.readline().partition(b" ")
        if what != b"started":
            raise OSError("it could not be forked: a traceback is above")
        self.pid = int(pid)

    def poll(self) -> int | None:
        return self._ended_within(0)

    def fileno(self) -> int:
        """To be read once it has ended, for whoever waits for other things, too."""
        return self._told.fileno()

    def wait(self, timeout: float | None = None) -> int:
        code = self._ended_within(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"fork {self.pid}", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended_within(self, timeout_s: float | None) -> int | None:
        if self.returncode is None:
            telling = select.poll()
            telling.register(self._told, select.POLLIN)
            if telling.poll(None if timeout_s is None else timeout_s * 1000):
                _, _, code = self._told.readline().partition(b" ")
                self.returncode = int(code) if code else -signal.SIGKILL
                self._told.close()
        return self.returncode


def forked(
    module: str,
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str],
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
) -> Fork:
    """Start `python -m module` in a session of its own; files are descriptors, or nothing."""
    wanted = {
        "module": module,
        "arguments": arguments,
        "directory": str(cwd),
        "environment": dict(env),
    }
    # As of any process: whoever wants to know that one is started hears of a fork, too.
    sys.audit("subprocess.Popen", module, arguments, str(cwd), None)
    told, tells = os.pipe()
    nothing = os.open(os.devnull, os.O_RDWR)
    try:
        files = [nothing if file is None else file for file in (stdin, stdout, stderr)]
        _SERVER.ask(json.dumps(wanted).encode(), [*files, tells])
    finally:
        os.close(tells)
        os.close(nothing)
    return Fork(told)


@contextlib.contextmanager
def talking(module: str, *arguments: str, cwd: Path, env: Mapping[str, str]) -> Iterator[Fork]:
    """One that runs until its standard input ends, with the block."""
    theirs, ours = os.pipe()
    try:
        fork = forked(module, *arguments, cwd=cwd, env=env, stdin=theirs, stderr=2)
    finally:
        os.close(theirs)
    try:
        yield fork
    finally:
        os.close(ours)
        fork.wait()


def ran(
    module: str, *arguments: str, cwd: Path, env: Mapping[str, str], timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run `python -m module` to its end."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        fork = forked(
            module, *arguments, cwd=cwd, env=env, stdout=out.fileno(), stderr=err.fileno()
        )
        try:
            code = fork.wait(timeout_s)
        finally:
            fork.kill()
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    return subprocess.CompletedProcess([module, *arguments], code, *texts)
