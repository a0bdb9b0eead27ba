"""Real servers for tests: an app on uvicorn on a free loopback port, in the tests' own loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from tests.conftest import Loop


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def served(app: Any, loop: Loop, port: int | None = None) -> Iterator[str]:
    """Serve `app` while the block runs; gives its base URL ("http://127.0.0.1:PORT")."""
    port = port or free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            app, host="127.0.0.1", port=port, log_config=None, timeout_graceful_shutdown=1
        )
    )

    async def start() -> asyncio.Task[None]:
        task = asyncio.create_task(server._serve())  # without its signal handlers
        while not server.started and not task.done():
            await asyncio.sleep(0.005)
        return task

    task = loop.run(start())
    try:
        yield f"http://127.0.0.1:{port}"
    finally:

        async def stop() -> None:
            server.should_exit = True
            await task

        loop.run(stop())
