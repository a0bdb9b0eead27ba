"""What the times of one charge point mean by our clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.charge_points.charge_point_documents import ChargePoint
from domain.charge_points.engine_clocks import EngineClock, by_our_clock
from domain.ocpp.clocks import clock_after
from domain.ocpp.meter_values import Measured

MAX_OFFLINE = timedelta(days=30)
"""Nothing waits longer in a charge point: an older time is a clock that was never set."""
ANOTHER = timedelta(minutes=1)
"""Further apart a session's begin is not the one that it was taken for."""


@dataclass(frozen=True)
class Times:
    """The clock of one charge point, as a message shows it."""

    clock: EngineClock | None
    changed: EngineClock | None
    """The clock, where the message says something new of it."""
    received_at: datetime

    def ours(self, told_at: datetime) -> datetime:
        at = by_our_clock(told_at, self.clock, self.received_at)
        # A clock that was never set: when it came is as near as can be told.
        return at if self.received_at - at <= MAX_OFFLINE else self.received_at

    def is_otherwise_than(self, told_at: datetime, taken_as: datetime) -> bool:
        """Whether a time that was told is another by what is known of the clock since."""
        return abs(self.ours(told_at) - taken_as) > ANOTHER

    def moments(self, measured: list[Measured]) -> list[Measured]:
        return [replace(one, at=self.ours(one.at)) for one in measured]

    def never_set(self, told_at: datetime) -> bool:
        at = by_our_clock(told_at, self.clock, self.received_at)
        return self.received_at - at > MAX_OFFLINE


def clock_of(
    charge_point: ChargePoint, at: datetime, received_at: datetime, *, waited: bool
) -> Times:
    """The charge point's clock after a message that bears the time `at`."""
    clock = before = charge_point.get("clock")
    if received_at - at <= MAX_OFFLINE:
        clock = clock_after(before, at, received_at, may_have_waited=waited)
    return Times(clock, clock if clock != before else None, received_at)
