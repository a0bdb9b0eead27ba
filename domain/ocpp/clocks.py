"""How far a charge point's clock is from ours, where messages do not say when they were sent. Pure.

An OCPP message bears the time of what happened, and may have waited in a queue since. A time in our
future is certain to be the clock's fault. One in our past may be either: it is the clock's only
where the message did not wait. 2.0.1 says whether it did. Of 1.6 it is believed of a message that
came out of a silence (a queue is emptied without pauses), and only when two in a row say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.charge_points.engine_clocks import AGREE_S, EngineClock, observed

SILENCE = timedelta(seconds=5)
SAME_S = 5.0
_BOOT = "ocpp"


@dataclass(frozen=True)
class Heard:
    """What a connection's latest message has shown; `distance_s`: of one that did not wait."""

    at: datetime
    distance_s: float | None = None


def waited(heard: Heard | None, told_at: datetime, received_at: datetime) -> tuple[bool, Heard]:
    """Whether the message may have waited (1.6), and what is known of the connection after it."""
    if heard is None or received_at - heard.at < SILENCE:
        return True, Heard(received_at, None if heard is None else heard.distance_s)
    distance_s = (received_at - told_at).total_seconds()
    same = heard.distance_s is not None and abs(distance_s - heard.distance_s) <= SAME_S
    return not same, Heard(received_at, distance_s)


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
