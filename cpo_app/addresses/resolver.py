"""The system's name resolution, off the event loop, such that a dead DNS server holds up nobody.

One daemon thread per look-up under way, one look-up per name: a name whose server does not
answer costs one thread, however often it is tried, and never blocks the process's end (which
the event loop's own thread pool would). It never caches an answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Sequence

MAX_LOOK_UPS = 64


class SystemResolver:
    """A `Resolver` on getaddrinfo. Belongs to one event loop."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Future[list[str]]] = {}

    async def __call__(self, host: str) -> Sequence[str]:
        """The host's IPv4 and IPv6 addresses in the system's order of preference. Raises
        OSError if there are none, or if too many look-ups are under way already."""
        answer = self._under_way.get(host)
        if answer is None:
            if len(self._under_way) >= MAX_LOOK_UPS:
                raise OSError("too many name look-ups under way")
            answer = self._start(host)
        # Whoever gives up waiting leaves the look-up to the others.
        return await asyncio.shield(answer)

    def _start(self, host: str) -> asyncio.Future[list[str]]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[str]] = loop.create_future()
        self._under_way[host] = answer

        def settle(addresses: list[str] | None, error: OSError | None) -> None:
            self._under_way.pop(host, None)
            if answer.cancelled():
                return
            if addresses is None:
                answer.set_exception(error or OSError("the name has no addresses"))
                answer.exception()  # marks it as seen: all who waited may have given up
            else:
                answer.set_result(addresses)

        def look_up() -> None:
            addresses, error = None, None
            try:
                addresses = _getaddrinfo(host)
            except (OSError, UnicodeError) as exc:
                error = exc if isinstance(exc, OSError) else OSError("not a host name")
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle, addresses, error)

        threading.Thread(target=look_up, name="peer-dns", daemon=True).start()
        return answer


def _getaddrinfo(host: str) -> list[str]:
    rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in rows))
