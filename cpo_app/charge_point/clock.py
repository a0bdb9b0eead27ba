"""Time as the charge point sees it: one clock that tests can turn.

Durations are measured with `monotonic` only, so that a corrected wall clock never changes a
meter; `now` gives the instants on the wire.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Protocol


class Clock(Protocol):
    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""


class SystemClock:
    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return datetime.now(timezone.utc)


def wire_time(instant: datetime) -> str:
    """`2024-05-01T12:00:00.123Z`: the one form in which the charge point writes instants."""
    utc = instant.astimezone(timezone.utc)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 instant; no designator means UTC (OCPI types, DateTime).

    Raises ValueError for anything else.
    """
    # Python 3.10 knows neither the letter Z nor fractions of other than 3 or 6 digits.
    text = text.strip()
    if text.endswith(("Z", "z")):
        text = text[:-1] + "+00:00"
    head, dot, tail = text.partition(".")
    if dot:
        digits = len(tail) - len(tail.lstrip("0123456789"))
        text = f"{head}.{tail[:digits][:6].ljust(6, '0')}{tail[digits:]}"
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        return instant.replace(tzinfo=timezone.utc)
    return instant.astimezone(timezone.utc)


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
