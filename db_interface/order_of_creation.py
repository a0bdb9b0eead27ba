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
_MAX_COUNT = 1 << _COUNT_BITS
_KEPT = 20_000
"""Milliseconds of which it is known how many places they have given; no transaction is as old."""


class OrderOfCreation:
    """The places that this process gives out."""

    def __init__(self) -> None:
        self.number = 0
        """Of this process; two that run side by side have different ones."""
        self.others_have_the_clock = False
        """Then a place lies in the millisecond of its stamp, for lists hide by both; else places
        ascend, however a clock of this process's own is turned."""
        self._given: dict[int, int] = {}
        self._latest = 0
        self.last = 0
        """The highest place that was given out."""

    def places(self, now: datetime, number: int) -> list[int]:
        """So many, ascending; what a millisecond does not hold goes into the next."""
        time = _milliseconds(now)
        if not self.others_have_the_clock:
            time = self._latest = max(time, self._latest)
        places: list[int] = []
        while len(places) < number:
            count = self._given.get(time, 0)
            taken = min(number - len(places), _MAX_COUNT - count)
            places += [self._place(time, count + n) for n in range(taken)]
            self._given[time] = count + taken
            time += 1
        while len(self._given) > _KEPT:
            del self._given[next(iter(self._given))]
        self.last = max([self.last, *places])
        return places

    def _place(self, time: int, count: int) -> int:
        process = self.number & ((1 << _PROCESS_BITS) - 1)
        return (time << _TIME_SHIFT) | (process << _COUNT_BITS) | count


def first_place(at: datetime) -> int:
    """The first place that a transaction of that millisecond, or a later one, can have given."""
    return _milliseconds(at) << _TIME_SHIFT


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MILLISECOND
