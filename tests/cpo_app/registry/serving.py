"""EV_Registry on a real port, within the test's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import uvicorn

from cpo_app.registry.server import server_config
from cpo_app.settings import Settings
from tests.cpo_app.registry.conftest import SECRET
from tests.settings_of import settings_of


def settings_with(**values: Any) -> Settings:
    """Settings on a free port, whatever the environment says of keys."""
    defaults = {"REGISTRY_SECRET_KEY": SECRET, "CPO_ENCRYPTION_KEY": ""}
    # Port 0 is nothing that anybody may set: a server of a test takes whichever is free.
    return settings_of(**{**defaults, **values}).copy(update={"REGISTRY_API_PORT": 0})


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[str]:
    """Runs EV_Registry; gives "host:port"."""
    server = uvicorn.Server(server_config(settings))
    # The loop runs in a thread, where signals cannot be caught.
    server.capture_signals = _no_signals  # type: ignore[method-assign]
    task = asyncio.create_task(server.serve())
    while not server.started:
        assert not task.done(), "the server did not start"
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


async def until_ready(client: httpx.AsyncClient) -> None:
    while (await client.get("/readyz")).status_code != 200:
        await asyncio.sleep(0.02)


@contextmanager
def _no_signals() -> Iterator[None]:
    yield
