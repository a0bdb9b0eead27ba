"""What each peer may have of one process: its share of the places, and so many requests a minute.

A place is a request in work. The places are shared evenly by the peers that have asked for
anything in the last second, and none holds more than its share, nor ever more than a quarter:
one that sends a hundred times as much waits behind itself, in a queue of its own. Of who waits,
no body is read.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from prometheus_client import Counter

from domain.errors import TooManyRequests

logger = logging.getLogger("cpo.ocpi")

PLACES_PER_PEER = 4
"""So many times what one peer may have at most."""
ACTIVE_S = 1.0
"""Who has asked for something within this time has a share."""
MAX_WAITING = 200
"""Requests of one peer that wait for a place; more are refused."""
MAX_WAIT_S = 10.0
MAX_HANDSHAKES = 2
"""Of one peer at once: each may wait for that peer's own servers."""
MAX_KEPT = 10_000

_REFUSED = Counter(
    "cpo_peer_requests_refused_total",
    "OCPI requests answered 429 to known peers, by reason",
    ["reason"],
)


class Shares:
    """The places of one process: at most `per_peer` for each."""

    def __init__(
        self, per_peer: int, places: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_peer = per_peer
        self._places = places
        self._clock = clock
        self._asked_at: OrderedDict[str, float] = OrderedDict()
        """By peer: its last request; the oldest first."""
        self._in_work: dict[str, int] = {}
        self._taken = 0
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        """By peer; the peer that has waited longest since it got a place stands first."""

    def place(self, peer_id: str) -> AbstractAsyncContextManager[None]:
        """A place while the block runs. Raises TooManyRequests where too many wait already, or
        none became free in time."""
        return _Place(self, peer_id)

    async def enter(self, peer_id: str) -> None:
        """Wait for a place; whoever has one gives it back with `leave`."""
        self._note(peer_id)
        free = self._taken < self._places and peer_id not in self._waiting
        if free and self._in_work.get(peer_id, 0) < self._share():
            self._take(peer_id)
        else:
            await self._wait(peer_id)

    def _note(self, peer_id: str) -> None:
        now = self._clock()
        self._asked_at[peer_id] = now
        self._asked_at.move_to_end(peer_id)
        while now - next(iter(self._asked_at.values())) > ACTIVE_S:
            self._asked_at.popitem(last=False)

    def _share(self) -> int:
        return max(1, min(self._per_peer, self._places // len(self._asked_at)))

    def _take(self, peer_id: str) -> None:
        self._taken += 1
        self._in_work[peer_id] = self._in_work.get(peer_id, 0) + 1

    async def _wait(self, peer_id: str) -> None:
        queue = self._waiting.setdefault(peer_id, deque())
        if len(queue) >= MAX_WAITING:
            raise refused(peer_id, "at once", 1)
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        queue.append(turn)
        timer = loop.call_later(MAX_WAIT_S, _give_up, turn, peer_id)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.leave(peer_id)  # it was given a place and will not use it
            else:
                self._forget(peer_id, turn)
            raise
        finally:
            timer.cancel()

    def _forget(self, peer_id: str, turn: asyncio.Future[None]) -> None:
        queue = self._waiting.get(peer_id)
        if queue is not None:
            with contextlib.suppress(ValueError):
                queue.remove(turn)
            if not queue:
                del self._waiting[peer_id]

    def leave(self, peer_id: str) -> None:
        self._taken -= 1
        left = self._in_work[peer_id] - 1
        if left:
            self._in_work[peer_id] = left
        else:
            del self._in_work[peer_id]
        self._hand_on()

    def _hand_on(self) -> None:
        while self._waiting and self._taken < self._places:
            # The first of those that have the fewest: `min` keeps the order.
            peer_id = min(self._waiting, key=lambda waiting: self._in_work.get(waiting, 0))
            if self._in_work.get(peer_id, 0) >= self._share():
                return
            queue = self._waiting[peer_id]
            turn = queue.popleft()
            if queue:
                self._waiting.move_to_end(peer_id)
            else:
                del self._waiting[peer_id]
            if not turn.done():
                self._take(peer_id)
                turn.set_result(None)


class _Place(AbstractAsyncContextManager[None]):
    """No generator, which would cost every request as much again."""

    __slots__ = ("_peer_id", "_shares")

    def __init__(self, shares: Shares, peer_id: str) -> None:
        self._shares = shares
        self._peer_id = peer_id

    async def __aenter__(self) -> None:
        await self._shares.enter(self._peer_id)

    async def __aexit__(self, *_: object) -> None:
        self._shares.leave(self._peer_id)


class Buckets:
    """So many requests of each peer a minute, a minute's worth of them at once. 0: any number."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """By peer: how many requests it has left, and when that was so."""

    def take(self, peer_id: str) -> None:
        """One request more. Raises TooManyRequests, which says when the next one is taken."""
        if not self._per_minute:
            return
        now, per_s = self._clock(), self._per_minute / 60
        left, at = self._left.pop(peer_id, (float(self._per_minute), now))
        left = min(float(self._per_minute), left + (now - at) * per_s)
        enough = left >= 1
        self._left[peer_id] = (left - 1 if enough else left, now)
        if len(self._left) > MAX_KEPT:
            self._left.popitem(last=False)
        if not enough:
            raise refused(peer_id, "a minute", math.ceil((1 - left) / per_s))


class PeerLimits:
    """Both, for the gate."""

    def __init__(self, at_once: int, per_minute: int) -> None:
        self._buckets = Buckets(per_minute)
        places = at_once * PLACES_PER_PEER
        self._shares = Shares(at_once, places)
        self._handshakes = Shares(MAX_HANDSHAKES, places)

    def admitted(self, peer_id: str, module: str) -> AbstractAsyncContextManager[None]:
        """While the block runs the peer's request is in work. Raises TooManyRequests."""
        self._buckets.take(peer_id)
        shares = self._handshakes if module == "credentials" else self._shares
        return shares.place(peer_id)


def refused(peer_id: str, reason: str, retry_after_s: int) -> TooManyRequests:
    """The answer to a peer that wants more than it may have; counted, and told to the operator."""
    _REFUSED.labels(reason).inc()
    logger.warning("peer %s: too many requests %s", peer_id, reason)
    return TooManyRequests(f"Too many requests {reason}", retry_after_s)


def _give_up(turn: asyncio.Future[None], peer_id: str) -> None:
    if not turn.done():
        turn.set_exception(refused(peer_id, "at once", 1))
