"""What a charge point's times mean by our clock, message by message."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from cpo_app.ocpp.connection import Connection
from cpo_app.ocpp.handlers import Incoming
from db_interface.transaction import Tx
from domain.charge_points import charge_points
from domain.charge_points.engine_clocks import EngineClock, by_our_clock
from domain.ocpp.clocks import Heard, clock_after, waited
from domain.ocpp.meter_values import Measured
from domain.ocpp.times import time_of

BEFORE_CONNECTION = timedelta(seconds=10)
"""What began longer than this before its station connected began offline."""
MAX_OFFLINE = timedelta(days=30)
"""Nothing waits longer in a charge point: an older time is a clock that was never set."""
ANOTHER = timedelta(minutes=1)
"""Further apart a session's begin is not the one that it was taken for."""
_heard: WeakKeyDictionary[Connection, Heard] = WeakKeyDictionary()


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


def told_at(incoming: Incoming, text: object) -> datetime:
    """The message's own time; one that has none is of when it came."""
    return time_of(text) or incoming.received_at


def may_have_waited(incoming: Incoming, at: datetime) -> bool:
    """Whether the message may come out of a queue. Asked once for each."""
    waits, _heard[incoming.connection] = waited(
        _heard.get(incoming.connection), at, incoming.received_at
    )
    return waits


async def times_of(tx: Tx, incoming: Incoming, cp_id: str, at: datetime, *, waited: bool) -> Times:
    charge_point = await charge_points.get(tx, cp_id)
    before = (charge_point or {}).get("clock")
    clock = before
    if incoming.received_at - at <= MAX_OFFLINE:
        clock = clock_after(before, at, incoming.received_at, may_have_waited=waited)
    changed = clock if clock != before else None
    return Times(clock, changed, incoming.received_at)
