"""Clocks for tests: one that stands still until a test turns it (`db.clock = Clock()`), and that of
a process whose host's wall clock is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from db_interface.clocks import HostClock, uptime_s
from db_interface.database_clock import DatabaseClock

SERVER = ("127.0.0.1", 27017)


@dataclass
class Clock:
    at: datetime = field(default_factory=lambda: datetime.now(timezone.utc).replace(microsecond=0))

    def now(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class WrongClock:
    """A wall clock that is off."""

    off: timedelta

    def now(self) -> datetime:
        return HostClock().now() + self.off


def told_the_time(host: WrongClock) -> DatabaseClock:
    """The clock of a process on that host, once the database has answered."""
    clock = DatabaseClock(host)
    clock.heard(SERVER, datetime.now(timezone.utc), uptime_s())
    return clock
