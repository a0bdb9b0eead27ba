"""Which stations live: each message and each answered ping is a sign of life of all of its EVSEs.

Each connection is looked at every `ping_s`, spread out. One that was heard of since is told to
EV_Central as a heartbeat; then it is pinged. One that answered pings before and says nothing at
all for two turns is closed: the cable is cut. A lost connection is silence, as a monitor's is.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import logging
import random
import time
from collections.abc import Awaitable, Mapping

from websockets.exceptions import ConnectionClosed

from cpo_app.ocpp.central_side import CentralSide
from cpo_app.ocpp.connection import GOING_AWAY, Connection
from db_interface.database import STORE_ERRORS
from domain.rounds import Rounds

logger = logging.getLogger("cpo.ocpp")

TURN_S = 0.5
MAX_UNHEARD_TURNS = 2
SILENT_S = 3600.0
"""A station that answers no pings is given so long to say anything."""


class Presence:
    """`held`: the connections, as they come and go."""

    def __init__(self, held: Mapping[str, Connection], central: CentralSide, ping_s: float) -> None:
        self._held = held
        self._central = central
        self._ping_s = ping_s
        self._due: list[tuple[float, int, Connection]] = []
        self._n = 0
        self._telling: set[asyncio.Task[None]] = set()
        self.rounds = Rounds("OCPP presence", self.look, min(TURN_S, ping_s / 4), logger=logger)

    def connected(self, connection: Connection) -> None:
        """It has come just now: that is a sign of life, and its next look is somewhere within a
        turn, for all of them may have come at once."""
        self._tell(connection)
        self._put(connection, time.monotonic() + random.uniform(0.5, 1.0) * self._ping_s)

    async def look(self) -> None:
        """See to those that are due."""
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            _, _, connection = heapq.heappop(self._due)
            if self._held.get(connection.station_id) is not connection:
                continue
            await self._look_at(connection, now)
            self._put(connection, now + self._ping_s)

    async def _look_at(self, connection: Connection, now: float) -> None:
        unheard_s = now - connection.heard_at
        allowed = self._ping_s * MAX_UNHEARD_TURNS if connection.answers_pings else SILENT_S
        with contextlib.suppress(ConnectionClosed):
            if unheard_s > allowed:
                await connection.close(GOING_AWAY, "nothing was heard any more")
                return
            if unheard_s < self._ping_s:
                self._tell(connection)
            answered = await connection.ping()
            self._in_background(connection.note_pong(answered))

    def _tell(self, connection: Connection) -> None:
        if not connection.held:
            self._in_background(self._told(connection))

    async def _told(self, connection: Connection) -> None:
        station = connection.station
        with contextlib.suppress(*STORE_ERRORS):
            for evse in station["evses"]:
                await self._central.heartbeat(
                    evse["cp_id"], self._ping_s, None, list(station.get("faults", ()))
                )

    def _put(self, connection: Connection, at: float) -> None:
        self._n += 1
        heapq.heappush(self._due, (at, self._n, connection))

    def _in_background(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)
