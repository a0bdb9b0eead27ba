"""What a handler of a charge point's message is given, and how it refuses.

Each module of a version exports `HANDLERS`, action to handler; a handler gets a payload that the
schema allows, and gives one. What it writes, it writes in `incoming.transact`: nothing is written
or answered for a connection that is no longer the station's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from cpo_app.ocpp.central_side import CentralSide
from cpo_app.ocpp.charging.gathered_readings import GatheredReadings, Readings, Taken
from cpo_app.settings import Settings
from db_interface.database import STORE_ERRORS
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.ocpp import connections
from domain.ocpp.seats import Seat, seat_of

if TYPE_CHECKING:
    from cpo_app.ocpp.connection import Connection
    from cpo_app.ocpp.signing import Certifying

T = TypeVar("T")


class Refused(Exception):
    """It is answered with a CALLERROR; `code` is one of OCPP-J's."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description


class NotHeld(Exception):
    """The station is at another connection, or this process has lost its lease."""


PASSED_ON: tuple[type[Exception], ...] = (Refused, NotHeld, *STORE_ERRORS)
"""What a handler that never gives a message up lets through all the same."""


@dataclass(frozen=True)
class Incoming:
    """A message as it came in."""

    connection: Connection
    central: CentralSide
    store: DbInterface
    settings: Settings
    received_at: datetime
    """by the database's clock"""
    message_id: str
    readings: GatheredReadings
    certifying: Certifying
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    """For so many transactions at once, of all stations of the process."""

    async def transact(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Run `work` in a transaction of the connection that the station is at. Raises NotHeld."""

        async def checked(tx: Tx) -> T:
            if not await connections.is_at(tx, self.connection.station_id, self.connection.id):
                raise NotHeld(self.connection.station_id)
            return await work(tx)

        async with self.room:
            with self.central.pressing():
                return await self.store.transact_jointly(checked, self.connection.station_id)

    async def seat(self, tx: Tx, evse: int, connector: int) -> Seat | None:
        """The charge point that an EVSE of the station is, and its connector; a new one is
        registered. OCPP 1.6 has `connector` alone (evse 0). None: the whole station, or more
        EVSEs than a box has."""
        seat = await seat_of(
            tx,
            self.connection.station_id,
            self.connection.protocol,
            evse,
            connector,
            self.central.party,
        )
        if seat is not None and seat.is_new:
            self.connection.outdated = True
        return seat


async def is_taken(incoming: Incoming, readings: Readings) -> bool:
    """Whether it was nothing but meter values, and is kept. Raises NotHeld."""
    taken = await incoming.readings.take(readings)
    if taken is Taken.NOT_HELD:
        raise NotHeld(readings.station)
    return taken is Taken.YES


Handler = Callable[[Incoming, JsonObject], Awaitable[JsonObject]]
