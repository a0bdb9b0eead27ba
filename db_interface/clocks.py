"""Clocks that need no database: this host's two, and what all clocks here have in common.

Apart from database_clock.py, so that a process without a store does not load the driver.
"""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Protocol


class Clock(Protocol):
    """Whatever tells the time; tests turn their own."""

    def now(self) -> datetime:
        """Aware UTC, whole milliseconds: what MongoDB's dates can hold."""


class HostClock:
    """This host's wall clock: where there is no server to ask (mocks)."""

    def now(self) -> datetime:
        return to_milliseconds(datetime.now(timezone.utc))


def to_milliseconds(at: datetime) -> datetime:
    """Cut to whole milliseconds, as MongoDB would."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def uptime_s() -> float:
    """Monotonic, and running on while the machine sleeps (Linux)."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
