"""A station's websocket, and how many strangers' connections there may be beside the stations'.

Who has not been admitted is a stranger: bounded in number, in all and per address, and gone when
others need the place or after OPEN_WITHIN_S. What strangers send is counted, and is no line in the
log. A connection that is a station's is nobody's to cut.
"""

from __future__ import annotations

import asyncio
import functools
import logging

from websockets.asyncio.server import Server, ServerConnection
from websockets.server import ServerProtocol

from cpo_app.front_door.doorkeeper import Doorkeeper
from cpo_app.ocpp import metrics
from cpo_app.ocpp.handshake import Admitted

OPEN_WITHIN_S = 15.0


class StationSocket(ServerConnection):
    """A websocket, and who was admitted to it."""

    def __init__(
        self, protocol: ServerProtocol, server: Server, *, door: Doorkeeper, **limits: object
    ) -> None:
        super().__init__(protocol, server, **limits)  # type: ignore[arg-type] # serve's own
        self.address = ""
        self._door = door
        self._admitted: Admitted | None = None
        self._judged = self._cut = False

    @property
    def admitted(self) -> Admitted | None:
        return self._admitted

    @admitted.setter
    def admitted(self, admitted: Admitted) -> None:
        self._admitted = admitted
        self._door.gone(self)

    def being_judged(self) -> None:
        """Its request has come whole, and is owed an answer."""
        self._judged = True

    def is_of(self, address: str) -> bool:
        """It is that address's, behind a proxy, from now on; False: that has too many."""
        self._door.gone(self)
        self.address = address
        return self._door.let_in(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        if not self._door.let_in(self):
            self.give_way()

    def connection_lost(self, exc: Exception | None) -> None:
        self._door.gone(self)
        if not self._judged and not self._cut:
            metrics.REFUSED.labels("no handshake").inc()
        super().connection_lost(exc)

    def is_owed_an_answer(self) -> bool:
        return self._judged

    def look_at_the_clock(self, now: float) -> None:
        """The server does that: OPEN_WITHIN_S."""

    def give_way(self) -> None:
        self._cut = True
        metrics.REFUSED.labels("no room").inc()
        self.transport.abort()


def sockets_of(door: Doorkeeper) -> type[ServerConnection]:
    """What `serve` makes its connections with."""
    return functools.partial(StationSocket, door=door)  # type: ignore[return-value] # it calls it


QUIET = logging.getLogger("cpo.ocpp.websockets")
QUIET.setLevel(logging.ERROR)
