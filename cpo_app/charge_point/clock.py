"""Time as the charge point sees it: one clock that tests can turn.

Durations are measured with `monotonic` only, so that a corrected wall clock never changes a
meter; `now` gives the instants on the wire.
"""

from __future__ import annotations

import time
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
