"""Faults that the eMSP commits, for whoever builds a CPO that has to live with them.

Which request meets which fault follows from the seed, the method, the path and how many such
requests there were: the same seed brings the same faults, in whatever order requests come.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol


class Fault(str, Enum):
    REFUSED = "refused"
    """the connection is closed before anything is read; nothing is taken"""
    STATUS = "status"
    """an HTTP status instead of an answer; nothing is taken"""
    DROPPED = "dropped after reading"
    """what came is taken, and the connection closed without an answer"""
    SLOW = "slow"
    """what came is taken, and the answer is late"""
    HALF_JSON = "half JSON"
    """what came is taken, and half of the answer's body is sent, as if it were all"""


@dataclass(frozen=True)
class Faults:
    """`refuse`: how many of the requests are refused, 0 to 1. Of the others `share` meet one of
    the rest that is given here, each as often as the other."""

    refuse: float = 0.0
    slow_s: float | None = None
    drop_after_read: bool = False
    status: int | None = None
    half_json: bool = False
    share: float = 1.0
    seed: int = 0

    @property
    def kinds(self) -> list[Fault]:
        """Those that are chosen among."""
        given = {
            Fault.STATUS: self.status is not None,
            Fault.DROPPED: self.drop_after_read,
            Fault.SLOW: self.slow_s is not None,
            Fault.HALF_JSON: self.half_json,
        }
        return [kind for kind, wanted in given.items() if wanted]

    def __bool__(self) -> bool:
        return bool(self.refuse or self.kinds)

    def of(self, method: str, path: str, number: int) -> Fault | None:
        """What befalls the `number`-th request of this method and path, the first being 1."""
        dice = random.Random(f"{self.seed} {method} {path} {number}")
        if dice.random() < self.refuse:
            return Fault.REFUSED
        if self.kinds and dice.random() < self.share:
            return dice.choice(self.kinds)
        return None


NO_FAULTS = Faults()


@dataclass
class FaultyApp:
    """ASGI: the app with the faults committed around it, while `armed()`.

    `told` is called with each fault, the method and the path.
    """

    app: ASGIApp
    faults: Faults
    told: Callable[[Fault, str, str], None] = lambda *_: None
    armed: Callable[[], bool] = lambda: True
    connections: dict[object, asyncio.Transport] = field(default_factory=dict)
    """By the client's address: those that `ClosableProtocol` has open."""
    _seen: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self.armed():
            await self.app(scope, receive, send)
            return
        method, path = scope["method"], scope["path"]
        self._seen[method, path] += 1
        fault = self.faults.of(method, path, self._seen[method, path])
        if fault is not None:
            self.told(fault, method, path)
        if fault is None:
            await self.app(scope, receive, send)
        elif fault is Fault.REFUSED:
            await self._close(scope, receive)
        elif fault is Fault.STATUS:
            answer = Response("out of order\n", self.faults.status or 500)
            await answer(scope, receive, send)
        else:
            await self._take(fault, scope, receive, send)

    async def _take(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        """What the app makes of it counts; only its answer suffers."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.app(scope, receive, keep)
        if fault is Fault.DROPPED:
            await self._close(scope, receive)
            return
        if fault is Fault.SLOW:
            await asyncio.sleep(self.faults.slow_s or 0.0)
        else:
            messages = _halved(messages)
        for message in messages:
            await send(message)

    async def _close(self, scope: Scope, receive: Receive) -> None:
        """End the connection, and wait until the server knows it: it then expects no answer."""
        self.connections[tuple(scope["client"])].abort()
        while (await receive())["type"] != "http.disconnect":
            pass

    def protocol(self) -> type[H11Protocol]:
        """For uvicorn: connections that can be closed from here."""
        connections = self.connections

        class ClosableProtocol(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                self._address = transport.get_extra_info("peername")
                connections[self._address] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                connections.pop(self._address, None)
                super().connection_lost(exc)

        return ClosableProtocol


def _halved(messages: list[Message]) -> list[Message]:
    """The answer with half of its body, and a Content-Length that fits that half."""
    body = b"".join(message.get("body", b"") for message in messages)
    half = body[: len(body) // 2]
    start = next(message for message in messages if message["type"] == "http.response.start")
    headers = [
        (name, str(len(half)).encode() if name.lower() == b"content-length" else value)
        for name, value in start["headers"]
    ]
    return [{**start, "headers": headers}, {"type": "http.response.body", "body": half}]
