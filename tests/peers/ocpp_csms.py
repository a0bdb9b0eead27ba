"""A central system that tests play: takes every station in, answers as it was told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol

from tests.peers.ocpp_box import at
from tests.peers.ocpp_wire import Answer, Wire


@dataclass
class Csms:
    """Each station's present wire by its id, and how often each has connected."""

    answers: dict[str, Answer]
    protocol: str
    url: str = ""
    stations: dict[str, Wire] = field(default_factory=dict)
    connections: dict[str, int] = field(default_factory=dict)
    credentials: dict[str, str | None] = field(default_factory=dict)
    port: int = 0
    _server: Server | None = None
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def up(self) -> None:
        """It listens, and where it did before."""
        protocols = [Subprotocol(self.protocol)]
        self._server = await serve(
            self._taken, "127.0.0.1", self.port, subprotocols=protocols, compression=None
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}"

    async def down(self) -> None:
        """It is gone, and all connections with it."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def station(self, name: str, times: int = 1, within_s: float = 10) -> Wire:
        """Its wire, once it has connected so often."""
        async with self._changed:
            there = self._changed.wait_for(lambda: self.connections.get(name, 0) >= times)
            await asyncio.wait_for(there, within_s)
        return self.stations[name]

    async def _taken(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        name = connection.request.path.rsplit("/", 1)[1]
        before = self.stations.get(name)
        wire = Wire(self.answers)
        if before is not None:
            wire.go_on_from(before)
        wire.attach(connection)
        self.stations[name] = wire
        self.credentials[name] = connection.request.headers.get("Authorization")
        self.connections[name] = self.connections.get(name, 0) + 1
        async with self._changed:
            self._changed.notify_all()
        await connection.wait_closed()


@asynccontextmanager
async def csms(protocol: str, **answers: Any) -> AsyncIterator[Csms]:
    """One that listens while the block runs. `answers` by action, in place of the usual ones."""
    played = Csms({**(usual_16() if protocol == "ocpp1.6" else usual_201()), **answers}, protocol)
    await played.up()
    try:
        yield played
    finally:
        await played.down()


def usual_16() -> dict[str, Answer]:
    numbers = iter(range(1, 1_000_000))
    accepted = {"idTagInfo": {"status": "Accepted"}}
    return {
        "BootNotification": lambda _: {"status": "Accepted", "currentTime": at(), "interval": 300},
        "Heartbeat": lambda _: {"currentTime": at()},
        "StatusNotification": {},
        "Authorize": accepted,
        "StartTransaction": lambda _: {"transactionId": next(numbers), **accepted},
        "StopTransaction": accepted,
        "MeterValues": {},
        "DataTransfer": {"status": "Accepted"},
        "FirmwareStatusNotification": {},
        "DiagnosticsStatusNotification": {},
        "SecurityEventNotification": {},
        "LogStatusNotification": {},
        "SignedFirmwareStatusNotification": {},
    }


def usual_201() -> dict[str, Answer]:
    accepted = {"idTokenInfo": {"status": "Accepted"}}
    return {
        "BootNotification": lambda _: {"status": "Accepted", "currentTime": at(), "interval": 300},
        "Heartbeat": lambda _: {"currentTime": at()},
        "StatusNotification": {},
        "Authorize": accepted,
        "TransactionEvent": lambda told: dict(accepted) if "idToken" in told else {},
        "MeterValues": {},
        "DataTransfer": {"status": "Accepted"},
        "FirmwareStatusNotification": {},
        "LogStatusNotification": {},
        "SecurityEventNotification": {},
        "NotifyReport": {},
        "NotifyEvent": {},
        "ReservationStatusUpdate": {},
    }
