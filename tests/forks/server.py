"""A process that has imported the product, and waits to be forked.

`python -m tests.forks.server FD`: a process of ours spends a second or two on imports; a fork of
this one has them. In all else it is what would have been started: a pid and session of its own, its
arguments, environment, directory and files, and `__main__` run anew. What is to be started comes by
packets on the socket FD; when that ends, all that was started is killed.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cpo_app.cli.app import Commands
from tests.forks import parts

MAX_PACKET_BYTES = 1 << 18
LOADED = (
    "cpo_app.worker",
    "cpo_app.registry.server",
    *(place.partition(":")[0] for place in Commands.where.values()),
)
"""With what they import. What is run itself is not here: it is `__main__`."""
MADE_ANEW = ("domain.outbox.crash_points",)
"""They read the environment when they are imported."""


@dataclass(frozen=True)
class Wanted:
    """What is to run as `python -m MODULE ARGUMENTS`."""

    module: str
    arguments: list[str]
    directory: str
    environment: dict[str, str]


class Forks:
    """Those that run, each with the pipe on which its end is told."""

    def __init__(self) -> None:
        self._told_on: dict[int, int] = {}

    def start(self, wanted: Wanted, files: Sequence[int]) -> None:
        """`files`: standard input, output and error, and the pipe."""
        *standard, told_on = files
        # A thread would not be there in the fork, and what it holds would be held for ever.
        assert [*Path("/proc/self/task").iterdir()] == [Path(f"/proc/self/task/{os.getpid()}")]
        ours = os.getpid()
        pid = os.fork()
        if pid == 0:
            become(wanted, standard, told_on, parent=ours)
        for file in standard:
            os.close(file)
        self._told_on[pid] = told_on

    def tell_who_ended(self) -> None:
        while self._told_on:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            told_on = self._told_on.pop(pid)
            tell(told_on, "ended", os.waitstatus_to_exitcode(status))
            os.close(told_on)

    def kill(self) -> None:
        for pid in self._told_on:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def tell(pipe: int, what: str, number: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # nobody wants to know
        os.write(pipe, f"{what} {number}\n".encode())


def become(wanted: Wanted, standard: Sequence[int], told_on: int, parent: int) -> None:
    """Run it in this process, which ends with it."""
    code = 1
    try:
        parts.lives_with(parent)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.setsid()
        for number, file in enumerate(standard):
            os.dup2(file, number)
        tell(told_on, "started", os.getpid())
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        named(wanted)
        if starts_parts(wanted):
            parts.fork_them(serve)
        os.chdir(wanted.directory)
        sys.path.insert(0, wanted.directory)
        os.environ.clear()
        os.environ.update(wanted.environment)
        sys.argv = [wanted.module, *wanted.arguments]
        code = exit_code_of(wanted.module)
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def named(wanted: Wanted) -> None:
    """As `ps` and /proc/PID/comm show it: by what it was asked to do. The kernel cuts it."""
    Path("/proc/self/comm").write_text(" ".join(wanted.arguments) or wanted.module)


def starts_parts(wanted: Wanted) -> bool:
    """Whether it is a supervisor of other `cpo` commands."""
    command, *options = wanted.arguments or [""]
    return command == "up" or (command == "ocpp" and any("--workers" in one for one in options))


def exit_code_of(module: str) -> int:
    """Run it as the interpreter would."""
    try:
        for name in MADE_ANEW:
            importlib.reload(sys.modules[name])
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def main(asked_on: int) -> None:
    for name in LOADED:
        importlib.import_module(name)
    gc.freeze()  # no collection of a fork copies these pages
    serve(socket.socket(fileno=asked_on))


def serve(asked: socket.socket) -> None:
    """Fork whatever is asked for, until nobody asks any more."""
    forks = Forks()
    woken, wakes = socket.socketpair()
    woken.setblocking(False)
    wakes.setblocking(False)
    signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with selectors.DefaultSelector() as selector:
        selector.register(asked, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if woken in ready:
                woken.recv(4096)
                forks.tell_who_ended()
            if asked in ready:
                packet, files, _, _ = socket.recv_fds(asked, MAX_PACKET_BYTES, 4)
                if not packet:
                    break
                forks.start(Wanted(**json.loads(packet)), files)
    forks.kill()


if __name__ == "__main__":
    main(int(sys.argv[1]))
