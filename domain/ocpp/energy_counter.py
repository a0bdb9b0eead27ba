"""The energy of one transaction out of what its register says, moment by moment. Pure.

The register decides: energy is how far it has come since the start. Where only intervals are told
they are added up, each once. A register that falls has

- rolled over, if it stood just below the end of its digits and the way over it is possible;
- been set back to nothing, if what it says now can have flowed since: what was counted before is
  kept, and what flowed unseen around the reset is nobody's;
- come back, if it goes on where it was before it fell (boxes that mix two registers).

What none of these explains is a `doubt`: nothing is counted by it, and the session is held.
`possible` is what the connector can give, with time to spare.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypedDict

from domain.ocpp.meter_values import Measured

ENDS_OF_REGISTERS_WH = tuple(sorted({*(10.0**digits for digits in range(8, 13)), 2.0**31, 2.0**32}))
"""Where counters begin anew: five digits of kWh and more, and whole numbers of 31 and 32 bits."""
DEFAULT_BOUND_W = 1_000_000
"""Of a connector of which nothing is known: more than any gives today."""
MAX_INTERVALS = 600
"""Moments kept, to count each interval once; older ones come no more."""
_FREE_WH = 100.0
_FREE_TIME = timedelta(minutes=1)
_FACTOR = 1.1


class Branch(TypedDict):
    """A register before it fell."""

    base_wh: float
    from_wh: float
    register_wh: float
    at: datetime


class Counter(TypedDict):
    """On the transaction's document."""

    start_wh: float | None
    """what the register said at the start, or first of all; None: it was never told"""
    base_wh: float
    """counted before the register last began anew"""
    from_wh: float | None
    """what the register said where counting by it began"""
    register_wh: float | None
    """what it says now"""
    at: datetime
    """when it said so"""
    told: bool
    """it was told after the start: it decides, whatever the intervals add up to"""
    interval_wh: float
    intervals: list[datetime]
    fell: Branch | None
    restarts: int
    doubt: str | None


def started(at: datetime, register_wh: float | None) -> Counter:
    return {
        "start_wh": register_wh,
        "base_wh": 0.0,
        "from_wh": register_wh,
        "register_wh": register_wh,
        "at": at,
        "told": False,
        "interval_wh": 0.0,
        "intervals": [],
        "fell": None,
        "restarts": 0,
        "doubt": None,
    }


def energy_wh(counter: Counter) -> float:
    """Since the start."""
    return round(_by_register(counter) if counter["told"] else counter["interval_wh"], 3)


def steady_register_wh(counter: Counter) -> float | None:
    """The register as it would stand, had it never begun anew: what a session compares with.
    None: it was never told."""
    start_wh = counter["start_wh"]
    return None if start_wh is None else round(start_wh + energy_wh(counter), 3)


def counted(counter: Counter, measured: Measured, bound_w: float | None) -> Counter:
    """After a further moment, in whatever order it comes. `bound_w`: the connector's power."""
    after = _with_interval(counter, measured)
    if measured.register_wh is None:
        return after
    told = float(measured.register_wh)
    known = after["register_wh"]
    if known is None:
        return {
            **after,
            "start_wh": told,
            "from_wh": told,
            "register_wh": told,
            "at": measured.at,
        }
    if measured.at < after["at"]:
        return after  # of the past: what came since says more
    if measured.at == after["at"] and told == known:
        return after
    after = {**after, "told": True}
    if told >= known:
        return _risen(after, told, measured.at, bound_w)
    if told > known - float(measured.register_step_wh):
        return {**after, "at": measured.at}  # the same, told less exactly
    if measured.at == after["at"]:
        return after
    return _fallen(after, known, told, measured.at, bound_w)


def with_start(counter: Counter, at: datetime, register_wh: float | None) -> Counter:
    """The start's own reading came after others: counting begins there after all."""
    begin = counter["start_wh"]
    if register_wh is None or counter["restarts"] or at > counter["at"]:
        return counter
    if begin is None:
        told: Counter = {**counter, "start_wh": register_wh, "from_wh": register_wh}
        return {**told, "register_wh": register_wh, "at": at}
    if register_wh > begin:
        return counter
    moved = counter["register_wh"] != register_wh
    return {
        **counter,
        "start_wh": register_wh,
        "from_wh": register_wh,
        "told": counter["told"] or moved,
    }


def contradiction(counter: Counter) -> str | None:
    """Why the energy cannot be told, at the end; None: it can."""
    if counter["doubt"] is not None:
        return counter["doubt"]
    if counter["told"] and _by_register(counter) <= 0 and counter["interval_wh"] > 1:
        return f"its register did not move, though {counter['interval_wh']:.0f} Wh were told"
    return None


def _with_interval(counter: Counter, measured: Measured) -> Counter:
    if measured.interval_wh is None or measured.at in counter["intervals"]:
        return counter
    intervals = counter["intervals"]
    if len(intervals) >= MAX_INTERVALS and measured.at < intervals[0]:
        return counter
    return {
        **counter,
        "interval_wh": counter["interval_wh"] + float(measured.interval_wh),
        "intervals": sorted([*intervals, measured.at])[-MAX_INTERVALS:],
    }


def _risen(counter: Counter, told: float, at: datetime, bound_w: float | None) -> Counter:
    fell = counter["fell"]
    known = counter["register_wh"]
    assert known is not None  # noqa: S101 (`counted` has looked)
    if fell is not None and told - known > _possible(counter["at"], at, bound_w):
        if 0 <= told - fell["register_wh"] <= _possible(fell["at"], at, bound_w):
            return {
                **counter,
                "base_wh": fell["base_wh"],
                "from_wh": fell["from_wh"],
                "register_wh": told,
                "at": at,
                "fell": None,
            }
        return _doubted(counter, known, told, at)
    return {**counter, "register_wh": told, "at": at}


def _fallen(
    counter: Counter, known: float, told: float, at: datetime, bound_w: float | None
) -> Counter:
    possible = _possible(counter["at"], at, bound_w)
    so_far = _by_register(counter)
    for end in ENDS_OF_REGISTERS_WH:
        over = end - known + told
        if known < end and over <= possible:
            return {
                **counter,
                "base_wh": so_far + over,
                "from_wh": told,
                "register_wh": told,
                "at": at,
                "restarts": counter["restarts"] + 1,
            }
    if told > possible:
        return _doubted(counter, known, told, at)
    fell: Branch = {
        "base_wh": counter["base_wh"],
        "from_wh": counter["from_wh"] or 0.0,
        "register_wh": known,
        "at": counter["at"],
    }
    return {
        **counter,
        "base_wh": so_far,
        "from_wh": 0.0,
        "register_wh": told,
        "at": at,
        "fell": fell,
        "restarts": counter["restarts"] + 1,
    }


def _doubted(counter: Counter, known: float, told: float, at: datetime) -> Counter:
    """Counting goes on from what is told now."""
    doubt = f"its register went from {known:.0f} to {told:.0f} Wh, which nothing explains"
    return {
        **counter,
        "base_wh": _by_register(counter),
        "from_wh": told,
        "register_wh": told,
        "at": at,
        "fell": None,
        "restarts": counter["restarts"] + 1,
        "doubt": counter["doubt"] or doubt,
    }


def _by_register(counter: Counter) -> float:
    told, begin = counter["register_wh"], counter["from_wh"]
    return counter["base_wh"] + (0.0 if told is None or begin is None else told - begin)


def _possible(since: datetime, until: datetime, bound_w: float | None) -> float:
    hours = max(until - since + _FREE_TIME, _FREE_TIME).total_seconds() / 3600
    return (bound_w or DEFAULT_BOUND_W) * _FACTOR * hours + _FREE_WH
