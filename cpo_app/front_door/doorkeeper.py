"""The connections of one server: how many there may be, and how long a stranger may dawdle.

A newcomer is let in as long as anybody dawdles: where the house, or the newcomer's address, has
as many connections as it may, the oldest one that nothing is being done for makes room. Connections
that we owe an answer to are never cut for another. Files are never used up: whatever the settings
say, the bound stays well below the process's limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
from collections.abc import Callable, Iterator
from typing import Protocol

SWEEP_S = 1.0
MIN_FILES_LEFT = 512
"""For MongoDB, peers, charge points and logs, where the limit is large enough; else two thirds."""


class Connection(Protocol):
    """What the doorkeeper must know of a connection."""

    address: str

    def is_owed_an_answer(self) -> bool:
        """Whether a whole request has arrived that is being answered."""

    def look_at_the_clock(self, now: float) -> None:
        """End yourself if you are late; `now` is the loop's time."""

    def give_way(self) -> None:
        """End at once: somebody else needs the place."""


def most_connections(wanted: int) -> int:
    """How many connections this process can hold: `wanted`, or what its files allow.

    Raises the limit of open files as far as this user may.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = 1 << 20
    if soft < hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    return min(wanted, max(soft // 3, soft - MIN_FILES_LEFT))


class Doorkeeper:
    """One per server. `may_fill_it`: whether an address (a proxy's) may take all there is."""

    def __init__(
        self,
        max_connections: int,
        max_per_address: int,
        may_fill_it: Callable[[str], bool] = lambda _address: False,
    ) -> None:
        self._max = max_connections
        self._max_per_address = max_per_address
        self._may_fill_it = may_fill_it
        # In the order of their coming: whoever dawdles longest stands first.
        self._inside: dict[Connection, None] = {}
        self._by_address: dict[str, dict[Connection, None]] = {}
        self._sweeping: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._inside)

    def let_in(self, connection: Connection) -> bool:
        """Whether the connection may stay; somebody idle may have had to leave for it."""
        of_address = self._by_address.get(connection.address, {})
        is_full = len(self._inside) >= self._max
        if len(of_address) >= self._max_per_address and not self._may_fill_it(connection.address):
            allowed = _make_room(of_address)
        else:
            # An address that has much gives way before one that has little.
            allowed = not is_full or _make_room(of_address) or _make_room(self._largest())
        if not allowed:
            return False
        self._inside[connection] = None
        self._by_address.setdefault(connection.address, {})[connection] = None
        if self._sweeping is None:
            self._sweep_later()
        return True

    def has_room_to_keep(self, connection: Connection) -> bool:
        """Whether it may stay while it is idle: not where the house, or its address, is half full
        of connections."""
        of_address = self._by_address.get(connection.address, {})
        return len(self._inside) * 2 <= self._max and (
            len(of_address) * 2 <= self._max_per_address or self._may_fill_it(connection.address)
        )

    def gone(self, connection: Connection) -> None:
        """The connection has ended; nothing happens for one that is not inside."""
        if self._inside.pop(connection, 0) == 0:
            return
        of_address = self._by_address[connection.address]
        del of_address[connection]
        if not of_address:
            del self._by_address[connection.address]

    def _largest(self) -> dict[Connection, None]:
        return max(self._by_address.values(), key=len, default={})

    def _sweep_later(self) -> None:
        self._sweeping = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        self._sweeping = None
        now = asyncio.get_running_loop().time()
        for connection in list(self._inside):
            connection.look_at_the_clock(now)
        if self._inside:
            self._sweep_later()


def _make_room(connections: dict[Connection, None]) -> bool:
    """Let the oldest connection go that is owed nothing; False where all are."""
    for connection in _idle(connections):
        connection.give_way()
        return True
    return False


def _idle(connections: dict[Connection, None]) -> Iterator[Connection]:
    return (connection for connection in connections if not connection.is_owed_an_answer())
