"""A database's clock that stands still until a test turns it: `db.clock = Clock()`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone


@dataclass
class Clock:
    at: datetime = field(default_factory=lambda: datetime.now(timezone.utc).replace(microsecond=0))

    def now(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
