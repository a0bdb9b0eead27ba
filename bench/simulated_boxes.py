"""The simulator's OCPP charge points, watched: when each was asked to start, what was heard of its
meter values. Thousands in the process of whoever measures.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from cpo_app.charge_point.clock import SystemClock
from cpo_app.charge_point.journal import Message
from cpo_app.charge_point.ocpp.fleet import hardware
from cpo_app.charge_point.ocpp.keeping import Access, Keeping
from cpo_app.charge_point.ocpp.memory import MemoryJournal
from cpo_app.charge_point.ocpp.station import Station
from cpo_app.charge_point.ocpp.v16 import V16
from db_interface.backoff import Backoff
from db_interface.json_data import JsonObject
from domain.times import parse_datetime


@dataclass
class Seen:
    starts: asyncio.Event = field(default_factory=asyncio.Event)
    """A RemoteStartTransaction was accepted, at `started_at` by the monotonic clock."""
    started_at: float = 0.0
    readings_s: list[float] = field(default_factory=list)
    """How long after it was taken each reading was answered."""


class WatchedStation(Station):
    seen: Seen

    def said(self, message: Message) -> None:
        if message["kind"] == "meter":
            taken = parse_datetime(message["at"])
            self.seen.readings_s.append((self.timeline.now() - taken).total_seconds())
        super().said(message)


class Watched16(V16):
    def __init__(self, station: Station, seen: Seen) -> None:
        super().__init__(station)
        self._seen = seen

    def asked(self, action: str, payload: JsonObject) -> JsonObject:
        answer = super().asked(action, payload)
        if action == "RemoteStartTransaction" and answer["status"] == "Accepted":
            self._seen.started_at = time.monotonic()
            self._seen.starts.set()
        return answer


@dataclass
class Box:
    keeping: Keeping
    station: WatchedStation
    seen: Seen

    @property
    def name(self) -> str:
        return self.station.station_id

    def toggle(self) -> None:
        """A car comes, or goes: the EVSE's status changes."""
        evse = self.station.places[1].evse
        if evse.car is None:
            evse.plug()
        else:
            evse.unplug()
        self.station.keep()


def box(name: str, access: Access, backoff: Backoff, *, sample_s: int, tick_s: float) -> Box:
    seen = Seen()
    station = WatchedStation(name, hardware(), MemoryJournal(), SystemClock())
    station.seen = seen
    station.configuration.values["MeterValueSampleInterval"] = str(sample_s)
    keeping = Keeping(station, Watched16(station, seen), access, backoff=backoff, tick_s=tick_s)
    return Box(keeping, station, seen)
