"""Time as the charge point sees it: one clock that tests can turn.

Durations are measured with `monotonic` only, so that a corrected wall clock never changes a
meter; `now` gives the instants on the wire.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.times import utc_now


class Clock(Protocol):
    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""


class SystemClock:
    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return utc_now()


@dataclass(frozen=True)
class Backoff:
    """Waiting times between attempts: `first_s`, growing by `factor`, never above `max_s`."""

    first_s: float = 2.0
    factor: float = 1.5
    max_s: float = 10.0

    def delays(self) -> Iterator[float]:
        delay = self.first_s
        while True:
            yield delay
            delay = min(delay * self.factor, self.max_s)
