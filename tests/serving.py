"""Real servers for tests: an app on uvicorn on a free loopback port, in the tests' own loop."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn

from tests.conftest import Loop

_PORTS = range(15000, 32000)
"""Below those that the system hands out on its own, to whoever connects."""
_held: list[int] = []  # descriptors: open for as long as this process lives


def free_port() -> int:
    """A port for a process that binds it on its own: nobody else gets it while this one lives.

    A lock file stands for each port, so that no other test process on this machine takes the same.
    """
    directory = Path(tempfile.gettempdir()) / "cpo-test-ports"
    directory.mkdir(exist_ok=True)
    while True:
        port = random.choice(_PORTS)
        lock = os.open(directory / str(port), os.O_RDWR | os.O_CREAT, 0o666)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            probe.bind(("127.0.0.1", port))
            _held.append(lock)
            return port
        os.close(lock)


def listener(backlog: int = 2048) -> socket.socket:
    """A socket that listens on a free loopback port: taken from now on, no race for it."""
    return socket.create_server(("127.0.0.1", 0), backlog=backlog)


def url_of(listening: socket.socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextlib.contextmanager
def served(app: Any, loop: Loop, listening: socket.socket | None = None) -> Iterator[str]:
    """Serve `app` while the block runs; gives its base URL ("http://127.0.0.1:PORT")."""
    config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1)
    with running(config, loop, listening) as base:
        yield base


@contextlib.contextmanager
def running(
    config: uvicorn.Config, loop: Loop, listening: socket.socket | None = None
) -> Iterator[str]:
    """Run a server of any configuration while the block runs; gives its base URL."""
    with listening or listener(config.backlog) as taken:
        server = uvicorn.Server(config)
        task = loop.run(_started(server, taken))
        try:
            yield url_of(taken)
        finally:
            loop.run(_stopped(server, task))


async def _started(server: uvicorn.Server, listening: socket.socket) -> asyncio.Task[None]:
    # Without its signal handlers.
    task = asyncio.create_task(server._serve(sockets=[listening]))
    while not server.started and not task.done():
        await asyncio.sleep(0.005)
    return task


async def _stopped(server: uvicorn.Server, task: asyncio.Task[None]) -> None:
    server.should_exit = True
    await task
