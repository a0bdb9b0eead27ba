"""How much Central has in hand for charge points at once: what is beyond it hears "later".

Whoever may come in at any time makes everybody wait until nobody is answered in time, and their
repeats make it worse. So requests that need the store are bounded; the rest get 503 with
Retry-After before their body is read. A heartbeat without news is not bounded: it costs next to
nothing, and it is what keeps a charge point from being taken for silent.

Meter values wait for each other and give way to what presses: that costs next to nothing, and there
may be many. Meanwhile they stand aside, in a room of their own, and turn nobody else away.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

from cpo_app.front_door.refusals import REFUSALS

MIN_RETRY_AFTER_S = 2
MAX_RETRY_AFTER_S = 10


class Overloaded(Exception):
    """Not now. `retry_after_s` is another one for each: they are not to come back together."""

    def __init__(self) -> None:
        super().__init__("EV_Central has too much to do at the moment")
        self.retry_after_s = random.randint(MIN_RETRY_AFTER_S, MAX_RETRY_AFTER_S)


ASIDE = 4
"""Requests that may stand aside, for each that may be worked on."""


class Door:
    """One per process; `most`: requests that are worked on at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._inside = 0
        self.aside = 0
        """How many stand aside."""

    def check(self, who: str) -> None:
        """Return if there is room. Raises Overloaded."""
        if self._inside >= self._most:
            REFUSALS.count("overload", who)
            raise Overloaded

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """While something is done for somebody who was let in."""
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    @contextlib.contextmanager
    def standing_aside(self, who: str) -> Iterator[None]:
        """While somebody who was let in waits for others. Raises Overloaded."""
        if self.aside >= ASIDE * self._most:
            REFUSALS.count("overload", who)
            raise Overloaded
        self._inside -= 1
        self.aside += 1
        try:
            yield
        finally:
            self.aside -= 1
            self._inside += 1
