"""The parts of a supervisor that was forked (`cpo up`) are forked, too.

A supervisor has threads, and cannot be forked itself. Beside it stands a child of it that has
imported everything and done nothing yet: that one is forked. It ends with the supervisor, and its
children with it, however that ends.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cpo_app.cli import parts
from db_interface.child_process import die_with_parent
from tests.forks import process
from tests.forks.process import Fork, forked


class ForkedPart:
    """What a keeper of parts wants of a process."""

    def __init__(self, fork: Fork) -> None:
        self._fork = fork

    @property
    def returncode(self) -> int | None:
        return self._fork.poll()

    async def wait(self) -> int:
        if self._fork.poll() is None:
            loop, ended = asyncio.get_running_loop(), asyncio.Event()
            told_on = self._fork.fileno()
            loop.add_reader(told_on, ended.set)
            try:
                await ended.wait()
            finally:
                loop.remove_reader(told_on)
        return self._fork.wait()

    def terminate(self) -> None:
        self._fork.terminate()

    def kill(self) -> None:
        self._fork.kill()


async def _forked(arguments: Sequence[str], environment: Mapping[str, str]) -> ForkedPart:
    fork = forked("cpo_app.cli", *arguments, cwd=Path.cwd(), env=environment, stdout=2, stderr=2)
    return ForkedPart(fork)


def fork_them(serve: Callable[[socket.socket], None]) -> None:
    """To be called before the supervisor has done anything. `serve`: forks what it is asked for."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    supervisor = os.getpid()
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            ours.close()
            lives_with(supervisor)
            serve(theirs)
        os._exit(0)
    theirs.close()
    process.is_there(ours, lambda: os.waitpid(pid, 0))
    atexit.register(process.close)
    parts.started = _forked


def lives_with(parent: int) -> None:
    """End when the parent does: the kernel says it, if it is not too late."""
    if die_with_parent is not None:
        die_with_parent()
    if os.getppid() != parent:
        os._exit(1)
