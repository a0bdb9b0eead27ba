"""Places in the order of creation, given out without asking anybody.

A place is a number that is never given twice: the millisecond of the creating transaction, the
process's number, and a count within the millisecond. Places of earlier versions are small numbers
from 1 on, so what was there before stays before what comes.

    bits   43 milliseconds since 1970 · 9 process · 11 count        fits MongoDB's long
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

_PROCESS_BITS = 9
_COUNT_BITS = 11
_TIME_SHIFT = _PROCESS_BITS + _COUNT_BITS
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)
_MAX_AHEAD = 1000 << _COUNT_BITS
"""Given out more than a second ahead of the clock: it was set back, and is followed."""


class OrderOfCreation:
    """The places that this process gives out."""

    def __init__(self) -> None:
        self.number = 0
        """Of this process; two that run side by side have different ones."""
        self.follows_back = False
        """Whether a clock that was set back is followed: it is others', too."""
        self._next = 0
        self.last = 0
        """The latest place that was given out."""

    def places(self, now: datetime, number: int) -> list[int]:
        """So many, ascending; more than a millisecond holds go on into the next."""
        earliest = _milliseconds(now) << _COUNT_BITS
        too_far = self.follows_back and self._next > earliest + _MAX_AHEAD
        first = earliest if too_far else max(earliest, self._next)
        self._next = first + number
        places = [self._place(first + n) for n in range(number)]
        self.last = max([self.last, *places])
        return places

    def _place(self, position: int) -> int:
        time, count = position >> _COUNT_BITS, position & ((1 << _COUNT_BITS) - 1)
        process = self.number & ((1 << _PROCESS_BITS) - 1)
        return (time << _TIME_SHIFT) | (process << _COUNT_BITS) | count


def first_place(at: datetime) -> int:
    """The first place that a transaction of that millisecond, or a later one, can have given."""
    return _milliseconds(at) << _TIME_SHIFT


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MILLISECOND
