"""Kept-alive connections to peers, apart for each host and port.

httpcore's own pool is one queue for all: a peer that hangs fills it for everybody, a request
cancelled at the wrong moment blocks it for good, and each request looks at every idle socket.
Here each place has its own few connections and its own queue, and a connection that did not
end its exchange cleanly is closed, never reused. No cookies, no proxies.
"""

from __future__ import annotations

import ssl
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import httpcore

from cpo_app.outgoing.guarded_network import remaining_s
from cpo_app.outgoing.url_guard import PeerUrl

_Key = tuple[str, str, int]


@dataclass
class _Place:
    """The connections to one scheme, host and port; the most recently used one last."""

    permits: anyio.Semaphore
    users: int = 0
    idle: deque[httpcore.AsyncHTTPConnection] = field(default_factory=deque)


class ConnectionPool:
    """Lends connections. Belongs to one event loop.

    keep_alive_s: idle seconds after which a connection is closed; shorter than the five
    seconds of common servers, so that a request seldom meets one that is just being closed.
    """

    def __init__(
        self,
        backend: httpcore.AsyncNetworkBackend,
        ssl_context: ssl.SSLContext,
        *,
        per_place: int,
        keep_alive_s: float = 4.0,
    ) -> None:
        self._backend = backend
        self._ssl_context = ssl_context
        self._per_place = per_place
        self._keep_alive_s = keep_alive_s
        self._places: dict[_Key, _Place] = {}
        self._swept_at = time.monotonic()

    @asynccontextmanager
    async def lend(self, url: PeerUrl) -> AsyncIterator[httpcore.AsyncHTTPConnection]:
        """A connection to the URL's place, an idle one if there is any. Raises
        httpcore.PoolTimeout if none becomes free before the deadline."""
        await self._sweep()
        key = (url.scheme, url.host, url.port)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _Place(anyio.Semaphore(self._per_place))
        place.users += 1
        try:
            try:
                with anyio.fail_after(remaining_s()):
                    await place.permits.acquire()
            except TimeoutError:
                raise httpcore.PoolTimeout("no connection became free in time") from None
            try:
                connection = await self._take(place, url)
                try:
                    yield connection
                finally:
                    await self._give_back(place, connection)
            finally:
                place.permits.release()
        finally:
            place.users -= 1

    async def aclose(self) -> None:
        """Closes what is idle; what is lent is closed when it comes back."""
        self._keep_alive_s = 0.0
        for place in self._places.values():
            while place.idle:
                await _close(place.idle.pop())
        self._places.clear()

    async def _take(self, place: _Place, url: PeerUrl) -> httpcore.AsyncHTTPConnection:
        while place.idle:
            connection = place.idle.pop()
            if not connection.has_expired():  # too old, or closed by the peer
                return connection
            await _close(connection)
        host, port = url.host.encode("ascii"), url.port
        return httpcore.AsyncHTTPConnection(
            origin=httpcore.Origin(url.scheme.encode("ascii"), host, port),
            ssl_context=self._ssl_context,
            keepalive_expiry=self._keep_alive_s,
            network_backend=self._backend,
        )

    async def _give_back(self, place: _Place, connection: httpcore.AsyncHTTPConnection) -> None:
        # Available means: the exchange before ended on both sides and may be followed by one.
        if self._keep_alive_s and connection.is_available() and not _has_leftovers(connection):
            place.idle.append(connection)
        else:
            await _close(connection)

    async def _sweep(self) -> None:
        """Once in a while closes what has been idle too long, and forgets places without use."""
        now = time.monotonic()
        if now - self._swept_at < self._keep_alive_s:
            return
        self._swept_at = now
        for key, place in list(self._places.items()):
            expired = [connection for connection in place.idle if connection.has_expired()]
            for connection in expired:
                place.idle.remove(connection)
            if not place.users and not place.idle:
                del self._places[key]
            for connection in expired:
                await _close(connection)


async def _close(connection: httpcore.AsyncHTTPConnection) -> None:
    with anyio.CancelScope(shield=True):
        await connection.aclose()


def _has_leftovers(connection: httpcore.AsyncHTTPConnection) -> bool:
    """Whether bytes came after the end of the answer. They would be taken for the answer to
    the next request, which may be another peer's at the same host. httpcore 0.17 neither looks
    nor offers a way to, hence its private names; a test would notice a change."""
    inner = connection._connection
    return isinstance(inner, httpcore.AsyncHTTP11Connection) and bool(
        inner._h11_state.trailing_data[0]
    )
