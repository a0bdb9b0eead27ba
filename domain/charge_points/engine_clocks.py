"""How far a charge point's clock is from ours, and what its times mean by ours. Pure.

A charge point says in each batch when it sent it, by its own clock. What lies between that and
our receipt is the distance of the clocks plus the time under way, which is never negative: the
smallest distance seen is nearest to the truth (the idea of NTP's clock filter). Durations are the
charge point's own: all its times are moved by the same distance, however long they waited.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypedDict

AGREE_S = 2.0
"""Clocks that are no further apart agree: times are taken as they were told."""
MAX_UNDER_WAY_S = 15.0
"""An engine waits for an answer for 10 s: a larger distance than before by more than this is no
slow network, but a clock that was set or stood still."""
_DRIFT = 200e-6
"""A quartz that is slow makes the distance grow; none is worse than this."""


class EngineClock(TypedDict):
    """On the charge point's document. `offset_s`: ours minus the charge point's; an engine whose
    clock is an hour behind has 3600."""

    boot_id: str
    offset_s: float
    measured_at: datetime


def observed(
    before: EngineClock | None, boot_id: str, sent_at: datetime, received_at: datetime
) -> EngineClock:
    """What is known of the clock after a batch that left at `sent_at` (its clock) and came at
    `received_at` (ours)."""
    sample_s = (received_at - sent_at).total_seconds()
    offset_s = sample_s
    if before is not None and before["boot_id"] == boot_id:
        passed_s = max(0.0, (received_at - before["measured_at"]).total_seconds())
        expected_s = before["offset_s"] + passed_s * _DRIFT
        if sample_s - expected_s <= MAX_UNDER_WAY_S:
            offset_s = min(sample_s, expected_s)
    return {"boot_id": boot_id, "offset_s": round(offset_s, 3), "measured_at": received_at}


def by_our_clock(at: datetime, clock: EngineClock | None, received_at: datetime) -> datetime:
    """The charge point's time `at` by our clock; nothing that is told has yet to happen."""
    if clock is None or agrees(clock["offset_s"]):
        return at
    try:
        return min(at + timedelta(seconds=clock["offset_s"]), received_at)
    except OverflowError:
        return received_at


def agrees(offset_s: float) -> bool:
    return abs(offset_s) <= AGREE_S
