"""A uvicorn server that lives inside somebody else's event loop and leaves with its task.

Never touches the process: no signal handlers, no log configuration, no sys.exit.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from cpo_app.front_door.serving import FrontDoor


class _QuietServer(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the process that embeds us."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. Raises OSError.

    Bound by us because uvicorn ends the whole process where a port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=128)


async def serve(
    app: Any, listener: socket.socket, certificate: tuple[str, str] | None = None
) -> None:
    """Serve until cancelled; open requests get two seconds to end.

    With `certificate` (its file and its key's) it speaks https.
    """
    tls: dict[str, Any] = {}
    if certificate is not None:
        tls["ssl_certfile"], tls["ssl_keyfile"] = certificate
    config = uvicorn.Config(
        app,
        lifespan="off",
        **{**FrontDoor().options(), "timeout_graceful_shutdown": 2, **tls},
    )
    server = _QuietServer(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving
        listener.close()
