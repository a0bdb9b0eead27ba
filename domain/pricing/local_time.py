"""Local time at the location, for the length of one session.

A session is covered by spans of constant UTC offset, so that inside a span local time is plain
arithmetic and a change to or from summer time is only another boundary. The machine's own time
zone must never be asked.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from domain.pricing.quantities import (
    US_PER_DAY,
    US_PER_MINUTE,
    US_PER_SECOND,
    PricingInputError,
    datetime_of,
)

# Nothing that is billed lasts this long; it bounds the work that one wrong date can cause.
MAX_SESSION_US = 3_660 * US_PER_DAY


def zone_of(name: str) -> ZoneInfo:
    """The IANA time zone of a location; raises `PricingInputError` for an unknown one."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError, AttributeError):
        raise PricingInputError(f"time zone: {name!r} is unknown") from None


class LocalClock:
    """Local day and minute of any instant between two instants."""

    def __init__(self, zone: ZoneInfo, start_us: int, end_us: int) -> None:
        if end_us - start_us > MAX_SESSION_US:
            raise PricingInputError("session: lasts longer than ten years")
        self._zone = zone
        self._end_us = end_us
        self._starts = [start_us]
        self._offsets = [self._offset(start_us)]
        probe = start_us
        while probe < end_us:
            ahead = min(probe + US_PER_DAY, end_us)
            if self._offset(ahead) != self._offsets[-1]:
                self._starts.append(self._change_between(probe, ahead))
                self._offsets.append(self._offset(ahead))
            probe = ahead

    def day_and_minute(self, us: int) -> tuple[int, int]:
        """The local date (days since 1970-01-01) and the local minute of the day."""
        span = max(0, bisect_right(self._starts, us) - 1)
        day, within = divmod(us + self._offsets[span], US_PER_DAY)
        return day, within // US_PER_MINUTE

    def boundaries(self, minutes: Sequence[int]) -> Iterable[int]:
        """Every instant at which local time passes one of `minutes`, or the offset changes."""
        for span, start in enumerate(self._starts):
            last = span + 1 == len(self._starts)
            end = self._end_us if last else self._starts[span + 1]
            offset = self._offsets[span]
            if span:
                yield start
            first_day = (start + offset) // US_PER_DAY
            for day in range(first_day, (end + offset) // US_PER_DAY + 1):
                for minute in minutes:
                    instant = day * US_PER_DAY + minute * US_PER_MINUTE - offset
                    if start < instant < end:
                        yield instant

    def _offset(self, us: int) -> int:
        try:
            offset = datetime_of(us).astimezone(self._zone).utcoffset()
        except OverflowError:
            raise PricingInputError("session: a date is out of range") from None
        assert offset is not None  # noqa: S101 - a ZoneInfo always knows it
        return (offset.days * 86_400 + offset.seconds) * US_PER_SECOND

    def _change_between(self, low: int, high: int) -> int:
        """The first second with a new offset, where there is one change in between."""
        before = self._offset(low)
        while high - low > 1:
            middle = (low + high) // 2
            if self._offset(middle) == before:
                low = middle
            else:
                high = middle
        return high
