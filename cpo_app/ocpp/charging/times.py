"""A message's own time, and whether it may have waited before it came."""

from __future__ import annotations

from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from cpo_app.ocpp.charging.station_clock import Times, clock_of
from cpo_app.ocpp.connection import Connection
from cpo_app.ocpp.handlers import Incoming
from db_interface.transaction import Tx
from domain.charge_points import charge_points
from domain.ocpp.clocks import Heard, waited
from domain.ocpp.times import time_of

BEFORE_CONNECTION = timedelta(seconds=10)
"""What began longer than this before its station connected began offline."""
_heard: WeakKeyDictionary[Connection, Heard] = WeakKeyDictionary()


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
    return clock_of(charge_point or {}, at, incoming.received_at, waited=waited)
