"""An eMSP for as long as a block runs: it listens, has shaken hands, and unregisters at the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import socket
import string
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import uvicorn

from cpo_app.demo_emsp.emsp import Emsp
from cpo_app.demo_emsp.receiver import Heard, build_receiver
from cpo_app.ocpi_caller import CallError
from db_interface.json_data import JsonObject


@dataclass(frozen=True)
class Registered:
    """`cpo` is the CPO's credentials, `receiver` the URL below which this eMSP listens."""

    me: Emsp
    cpo: JsonObject
    receiver: str

    @property
    def commands_url(self) -> str:
        """Where results of commands may be sent."""
        return f"{self.receiver}/emsp/2.2.1/commands"


@dataclass(frozen=True)
class Door:
    """Where the eMSP listens: at `port` (0: any that is free), to this host only unless it is
    said under which URL the CPO finds it."""

    port: int = 0
    reachable_as: str | None = None

    @property
    def address(self) -> str:
        return "0.0.0.0" if self.reachable_as else "127.0.0.1"  # noqa: S104 - asked for


def invented_party() -> tuple[str, str]:
    """A party that nobody has at the CPO yet, most likely: each has one platform there."""
    signs = string.ascii_uppercase + string.digits
    return "DE", "D" + "".join(secrets.choice(signs) for _ in range(2))


@contextlib.asynccontextmanager
async def registered(
    versions_url: str,
    token_a: str,
    *,
    party: tuple[str, str],
    door: Door,
    cards: list[JsonObject],
    heard: Heard,
) -> AsyncIterator[Registered]:
    """Play an eMSP on this host.

    Raises OSError where the port cannot be had, CallError where the CPO answers otherwise.
    """
    # The library has a handler of its own and warns of every object that is new to it.
    logging.getLogger("OCPI-Logger").handlers.clear()
    logging.getLogger("OCPI-Logger").setLevel(logging.ERROR)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((door.address, door.port))
        base_url = (door.reachable_as or f"http://127.0.0.1:{listener.getsockname()[1]}").rstrip(
            "/"
        )
        token_b = secrets.token_hex(32)
        app, _memory = build_receiver(base_url, token_b, cards, heard)
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, log_level="warning", timeout_graceful_shutdown=1)
        )
        serving = asyncio.create_task(server._serve(sockets=[listener]))  # signals are ours
        try:
            async with httpx.AsyncClient(timeout=30) as client:
                me = Emsp(client, versions_url)
                versions = f"{base_url}/ocpi/versions"
                theirs = await me.handshake(token_a, token_b, versions, party)
                try:
                    yield Registered(me, theirs, f"{base_url}/ocpi")
                except BaseException:
                    with contextlib.suppress(CallError):
                        await me.unregister()
                    raise
                await me.unregister()
        finally:
            server.should_exit = True
            with contextlib.suppress(asyncio.CancelledError):
                await serving
