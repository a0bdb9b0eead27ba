"""An eMSP for as long as a block runs: it listens, has shaken hands or waits for a CPO to do so,
and unregisters at the end."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import string
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import httpx
import uvicorn
from starlette.types import ASGIApp

from cpo_app.demo_emsp.emsp import Emsp
from cpo_app.demo_emsp.faults import NO_FAULTS, Fault, Faults, FaultyApp
from cpo_app.demo_emsp.receiver import Heard, Receiver
from cpo_app.ocpi_caller import CallError
from db_interface.json_data import JsonObject
from domain.versions import INNER_VERSION, OcpiVersion

KEPT_ALIVE_S = 2.0
"""A CPO may close a connection that rests for longer just when it is used again."""


@dataclass(frozen=True)
class Registered:
    """`cpo` is the CPO's credentials."""

    me: Emsp
    cpo: JsonObject
    receiver: Receiver

    @property
    def commands_url(self) -> str:
        """Where results of commands may be sent."""
        return f"{self.receiver.modules_url}/commands"


@dataclass(frozen=True)
class Door:
    """Where the eMSP listens: at `port` (0: any that is free), to this host only unless it is
    said under which URL the CPO finds it."""

    port: int = 0
    reachable_as: str | None = None

    @property
    def address(self) -> str:
        return "0.0.0.0" if self.reachable_as else "127.0.0.1"  # noqa: S104 - asked for


@dataclass(frozen=True)
class Role:
    """Whom the eMSP plays, in which version of OCPI, and how badly. `told` hears of its faults."""

    party: tuple[str, str]
    cards: list[JsonObject]
    heard: Heard
    version: OcpiVersion = INNER_VERSION
    faults: Faults = NO_FAULTS

    def told(self, fault: Fault, method: str, path: str) -> None:
        self.heard("fault", f"{method} {path}", {"status": fault.value})


def invented_party() -> tuple[str, str]:
    """A party that nobody has at the CPO yet, most likely: each has one platform there."""
    signs = string.ascii_uppercase + string.digits
    return "DE", "D" + "".join(secrets.choice(signs) for _ in range(2))


@contextlib.asynccontextmanager
async def listening(
    role: Role, door: Door, *, around: Callable[[ASGIApp], ASGIApp] | None = None
) -> AsyncIterator[Receiver]:
    """Serve the eMSP's receiving side; its faults begin once a CPO is registered.

    `around` is laid around its app, for one that errs in another way than those faults.
    Raises OSError where the port cannot be had.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((door.address, door.port))
        base_url = door.reachable_as or f"http://127.0.0.1:{listener.getsockname()[1]}"
        limits = httpx.Limits(keepalive_expiry=KEPT_ALIVE_S)
        async with httpx.AsyncClient(timeout=30, limits=limits) as http:
            receiver = Receiver(
                base_url.rstrip("/"), role.version, role.party, role.cards, role.heard, http
            )
            inner = receiver.app() if around is None else around(receiver.app())
            app = FaultyApp(inner, role.faults, role.told, armed=lambda: receiver.registered)
            server = uvicorn.Server(
                uvicorn.Config(
                    app,
                    http=app.protocol(),
                    log_config=None,
                    log_level="warning",
                    timeout_graceful_shutdown=1,
                )
            )
            serving = asyncio.create_task(server._serve(sockets=[listener]))  # signals are ours
            try:
                yield receiver
            finally:
                server.should_exit = True
                with contextlib.suppress(asyncio.CancelledError):
                    await serving


@contextlib.asynccontextmanager
async def registered(
    versions_url: str, token_a: str, role: Role, door: Door
) -> AsyncIterator[Registered]:
    """Play an eMSP on this host that has registered with the CPO; its faults begin then.

    Raises OSError where the port cannot be had, CallError where the CPO answers otherwise.
    """
    async with listening(role, door) as receiver:
        me = receiver.cpo = Emsp(receiver.http, versions_url, role.version)
        theirs = await me.handshake(token_a, receiver.credentials())
        receiver.registered = True
        try:
            yield Registered(me, theirs, receiver)
        except BaseException:
            with contextlib.suppress(CallError):
                await receiver.part()
            raise
        await receiver.part()
