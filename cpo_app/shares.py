"""What each caller may have of one process: its share of the places, and so many requests a minute.

A place is a request in work. The places are shared evenly by the callers that have asked for
anything in the last second, and none holds more than its share: one that sends a hundred times as
much waits behind itself, in a queue of its own. Of who waits, no body is read.

A caller is whatever a room tells apart: a peer, or a stranger's address.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from domain.errors import TooManyRequests

ACTIVE_S = 1.0
"""Who has asked for something within this time has a share."""
MAX_WAITING = 200
"""Requests of one caller that wait for a place; more are refused."""
MAX_WAIT_S = 10.0
MAX_KEPT = 10_000

Refuse = Callable[[str, str, int], TooManyRequests]
"""(caller, "at once" or "a minute", seconds until it may try again): its answer."""


class Shares:
    """The places of one process: at most `per_caller` for each."""

    def __init__(
        self,
        per_caller: int,
        places: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        refused: Refuse,
    ) -> None:
        self._per_caller = per_caller
        self._places = places
        self._clock = clock
        self._refused = refused
        self._asked_at: OrderedDict[str, float] = OrderedDict()
        """By caller: its last request; the oldest first."""
        self._in_work: dict[str, int] = {}
        self._taken = 0
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        """By caller; the one that has waited longest since it got a place stands first."""

    def place(self, caller: str) -> AbstractAsyncContextManager[None]:
        """A place while the block runs. Raises TooManyRequests where too many wait already, or
        none became free in time."""
        return _Place(self, caller)

    async def enter(self, caller: str) -> None:
        """Wait for a place; whoever has one gives it back with `leave`."""
        self._note(caller)
        free = self._taken < self._places and caller not in self._waiting
        if free and self._in_work.get(caller, 0) < self._share():
            self._take(caller)
        else:
            await self._wait(caller)

    def _note(self, caller: str) -> None:
        now = self._clock()
        self._asked_at[caller] = now
        self._asked_at.move_to_end(caller)
        while now - next(iter(self._asked_at.values())) > ACTIVE_S:
            self._asked_at.popitem(last=False)

    def _share(self) -> int:
        return max(1, min(self._per_caller, self._places // len(self._asked_at)))

    def _take(self, caller: str) -> None:
        self._taken += 1
        self._in_work[caller] = self._in_work.get(caller, 0) + 1

    async def _wait(self, caller: str) -> None:
        queue = self._waiting.setdefault(caller, deque())
        if len(queue) >= MAX_WAITING:
            raise self._refused(caller, "at once", 1)
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        queue.append(turn)
        timer = loop.call_later(MAX_WAIT_S, self._give_up, turn, caller)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.leave(caller)  # it was given a place and will not use it
            else:
                self._forget(caller, turn)
            raise
        finally:
            timer.cancel()

    def _give_up(self, turn: asyncio.Future[None], caller: str) -> None:
        if not turn.done():
            turn.set_exception(self._refused(caller, "at once", 1))

    def _forget(self, caller: str, turn: asyncio.Future[None]) -> None:
        queue = self._waiting.get(caller)
        if queue is not None:
            with contextlib.suppress(ValueError):
                queue.remove(turn)
            if not queue:
                del self._waiting[caller]

    def leave(self, caller: str) -> None:
        self._taken -= 1
        left = self._in_work[caller] - 1
        if left:
            self._in_work[caller] = left
        else:
            del self._in_work[caller]
        self._hand_on()

    def _hand_on(self) -> None:
        while self._waiting and self._taken < self._places:
            # The first of those that have the fewest: `min` keeps the order.
            caller = min(self._waiting, key=lambda waiting: self._in_work.get(waiting, 0))
            if self._in_work.get(caller, 0) >= self._share():
                return
            queue = self._waiting[caller]
            turn = queue.popleft()
            if queue:
                self._waiting.move_to_end(caller)
            else:
                del self._waiting[caller]
            if not turn.done():
                self._take(caller)
                turn.set_result(None)


class _Place(AbstractAsyncContextManager[None]):
    """No generator, which would cost every request as much again."""

    __slots__ = ("_caller", "_shares")

    def __init__(self, shares: Shares, caller: str) -> None:
        self._shares = shares
        self._caller = caller

    async def __aenter__(self) -> None:
        await self._shares.enter(self._caller)

    async def __aexit__(self, *_: object) -> None:
        self._shares.leave(self._caller)


class Buckets:
    """So many requests of each caller a minute, a minute's worth of them at once. 0: any number."""

    def __init__(
        self,
        per_minute: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        refused: Refuse,
    ) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._refused = refused
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """By caller: how many requests it has left, and when that was so."""

    def take(self, caller: str) -> None:
        """One request more. Raises TooManyRequests, which says when the next one is taken."""
        if not self._per_minute:
            return
        now, per_s = self._clock(), self._per_minute / 60
        left, at = self._left.pop(caller, (float(self._per_minute), now))
        left = min(float(self._per_minute), left + (now - at) * per_s)
        enough = left >= 1
        self._left[caller] = (left - 1 if enough else left, now)
        if len(self._left) > MAX_KEPT:
            self._left.popitem(last=False)
        if not enough:
            raise self._refused(caller, "a minute", math.ceil((1 - left) / per_s))
