"""How far a charge point's clock is from ours, where messages do not say when they were sent. Pure.

An OCPP message bears the time of what happened, and may have waited in a queue since. A time in our
future is certain to be the clock's fault. One in our past may be either: it is the clock's only
where the message did not wait. 2.0.1 says where it did. It is believed of a message
that came out of a silence (a queue is emptied without pauses), when two in a row say the same and
none on the connection was nearer to our time (values that are always sent late say nothing).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

from domain.charge_points.engine_clocks import AGREE_S, EngineClock, observed

SILENCE = timedelta(seconds=5)
SAME_S = 5.0
_BOOT = "ocpp"


@dataclass(frozen=True)
class Heard:
    """What a connection's latest message has shown; `distance_s`: of one that did not wait."""

    at: datetime
    distance_s: float | None = None
    least_s: float = inf
    """the smallest distance of all: no clock is further behind than that"""


def waited(heard: Heard | None, told_at: datetime, received_at: datetime) -> tuple[bool, Heard]:
    """Whether the message may have waited (1.6), and what is known of the connection after it."""
    distance_s = (received_at - told_at).total_seconds()
    if heard is None:
        return True, Heard(received_at, least_s=distance_s)
    least_s = min(heard.least_s, distance_s)
    if received_at - heard.at < SILENCE:
        return True, Heard(received_at, heard.distance_s, least_s)
    before = heard.distance_s
    same = before is not None and abs(distance_s - before) <= SAME_S
    # A clock that was ahead and is right by now agrees with ours.
    nearest = distance_s <= SAME_S or distance_s - least_s <= SAME_S
    return not (same and nearest), Heard(received_at, distance_s, least_s)


def clock_after(
    before: EngineClock | None, told_at: datetime, received_at: datetime, *, may_have_waited: bool
) -> EngineClock | None:
    """What is known of the clock after a message; None: nothing, its times are believed."""
    distance_s = (received_at - told_at).total_seconds()
    if may_have_waited:
        if before is None and distance_s >= -AGREE_S:
            return None
        if before is not None and distance_s >= before["offset_s"]:
            return before
    return observed(before, _BOOT, told_at, received_at)
