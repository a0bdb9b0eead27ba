"""What was charged and billed on each day of the operator's, for charts.

A day that is over does not change any more (a CDR is never changed, and its `last_updated` is when
it was made), so it is added up once and kept. Today is added up hour by hour: what is over is kept
by the process, and only the rest is read at each look. Nobody waits long where many days are not
added up yet: some are, and the next look goes on.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import TypedDict
from zoneinfo import ZoneInfo

from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.json_data import JsonObject
from db_interface.owned_objects import OwnedObjects
from domain.operator import fleet_samples
from domain.operator.fleet_samples import Share
from domain.sessions.session_records import SESSIONS

DAYS = 30
"""Today is one of them."""
SETTLED_AFTER = timedelta(minutes=10)
"""By then every transaction has ended that wrote what was made before."""
MAX_ZONES = 12
FILL_WITHIN_S = 0.05
PIECE = timedelta(hours=1)


class DayTotal(TypedDict):
    """A document of `day_totals`: a day that is over."""

    _id: str
    """"Europe/Berlin 2025-06-01": another zone has other days"""
    cdrs: int
    energy_kwh: float
    revenue: Mapping[str, float]
    sessions: int
    samples: Mapping[str, int]
    """Share of fleet_samples"""


DAY_TOTALS: Collection[DayTotal] = Collection("day_totals")


@dataclass
class Billed:
    """CDRs added up, credits taken off. `revenue`: by currency, with VAT where it is said."""

    cdrs: int = 0
    energy_kwh: float = 0.0
    revenue: dict[str, float] = field(default_factory=dict)

    def add(self, other: Billed) -> None:
        self.cdrs += other.cdrs
        self.energy_kwh += other.energy_kwh
        for currency, amount in other.revenue.items():
            self.revenue[currency] = self.revenue.get(currency, 0.0) + amount


@dataclass(frozen=True)
class Day:
    """`sessions`: those that began that day."""

    day: date
    billed: Billed
    sessions: int
    fleet: Share


class DayTotals:
    """One per process and zone."""

    def __init__(self, db: Database, zone: ZoneInfo) -> None:
        self._db = db
        self._zone = zone
        self._today: date | None = None
        self._pieces: dict[datetime, Billed] = {}

    async def latest(self) -> tuple[list[Day], bool]:
        """The latest DAYS days, the oldest first, today last; whether none is missing yet."""
        now = self._db.now()
        today = now.astimezone(self._zone).date()
        past = [today - timedelta(days=back) for back in range(DAYS - 1, 0, -1)]
        kept = {
            row["_id"]: _day(day, row)
            for row in await DAY_TOTALS.of(self._db).find(
                {"_id": {"$in": [self._id(day) for day in past]}}
            )
            for day in [date.fromisoformat(row["_id"].rpartition(" ")[2])]
        }
        begun, days = time.monotonic(), list[Day]()
        for day in reversed(past):  # the newest are wanted first
            known = kept.get(self._id(day))
            if known is None and time.monotonic() - begun < FILL_WITHIN_S:
                known = await self._added_up(day, now)
            if known is not None:
                days.append(known)
        missing = len(past) - len(days)
        return [*reversed(days), await self._of_today(today, now)], not missing

    def begin_of(self, day: date) -> datetime:
        """Midnight there, in UTC."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=self._zone)
        return midnight.astimezone(timezone.utc)

    def _id(self, day: date) -> str:
        return f"{self._zone.key} {day.isoformat()}"

    async def _added_up(self, day: date, now: datetime) -> Day:
        since, until = self.begin_of(day), self.begin_of(day + timedelta(days=1))
        billed = Billed()
        for piece in (await _billed(self._db, since, until)).values():
            billed.add(piece)
        found = Day(
            day,
            billed,
            await _began(self._db, since, until),
            await fleet_samples.share(self._db, since, until),
        )
        if until + SETTLED_AFTER <= now:
            await DAY_TOTALS.of(self._db).update_one(
                {"_id": self._id(day)}, {"$setOnInsert": _row(found)}, upsert=True
            )
        return found

    async def _of_today(self, today: date, now: datetime) -> Day:
        if today != self._today:
            self._today, self._pieces = today, {}
        midnight = self.begin_of(today)
        since = max((at + PIECE for at in self._pieces), default=midnight)
        fresh = await _billed(self._db, since, now + PIECE)
        while since + PIECE + SETTLED_AFTER <= now:
            self._pieces[since] = fresh.pop(since, Billed())
            since += PIECE
        billed = Billed()
        for piece in (*self._pieces.values(), *fresh.values()):
            billed.add(piece)
        return Day(
            today,
            billed,
            await _began(self._db, midnight, now),
            await fleet_samples.share(self._db, midnight, now),
        )


class DaysOfZones:
    """One per process: the days of whoever looks. Of the zones that are looked at least, what is
    over of today is read anew."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._of: dict[ZoneInfo, DayTotals] = {}

    def zone(self, zone: ZoneInfo) -> DayTotals:
        found = self._of.pop(zone, None) or DayTotals(self._db, zone)
        self._of[zone] = found  # the latest is the last to go
        if len(self._of) > MAX_ZONES:
            del self._of[next(iter(self._of))]
        return found


async def _billed(db: Database, since: datetime, until: datetime) -> dict[datetime, Billed]:
    """The CDRs made in [since, until), by the hour after `since`.

    Only total_cost is negative in a credit CDR (domain/reconciliation/cdr_totals.py).
    """
    cost = "$fields.total_cost"
    stages: list[JsonObject] = [
        {"$match": {"last_updated": {"$gte": since, "$lt": until}}},
        {
            "$group": {
                "_id": {
                    "piece": {
                        "$floor": {
                            "$divide": [
                                {"$subtract": ["$last_updated", since]},
                                int(PIECE.total_seconds() * 1000),
                            ]
                        }
                    },
                    "currency": "$fields.currency",
                },
                "cdrs": {"$sum": 1},
                "energy_kwh": {
                    "$sum": {
                        "$cond": [
                            {"$eq": ["$fields.credit", True]},
                            {"$multiply": [-1, "$fields.total_energy"]},
                            "$fields.total_energy",
                        ]
                    }
                },
                "amount": {"$sum": {"$ifNull": [f"{cost}.incl_vat", f"{cost}.excl_vat"]}},
            }
        },
    ]
    found: dict[datetime, Billed] = {}
    for row in await OwnedObjects(db, "cdrs").of(db).aggregate(stages):
        at = since + int(row["_id"]["piece"]) * PIECE
        found.setdefault(at, Billed()).add(
            Billed(
                row["cdrs"],
                float(row["energy_kwh"]),
                {row["_id"]["currency"]: float(row["amount"])},
            )
        )
    return found


async def _began(db: Database, since: datetime, until: datetime) -> int:
    return await SESSIONS.of(db).count({"created": {"$gte": since, "$lt": until}})


def _row(day: Day) -> JsonObject:
    """All but its id."""
    return {
        "cdrs": day.billed.cdrs,
        "energy_kwh": day.billed.energy_kwh,
        "revenue": day.billed.revenue,
        "sessions": day.sessions,
        "samples": {
            "counted": day.fleet.counted,
            "up": day.fleet.up,
            "charging": day.fleet.charging,
        },
    }


def _day(day: date, row: DayTotal) -> Day:
    return Day(
        day,
        Billed(row["cdrs"], row["energy_kwh"], dict(row["revenue"])),
        row["sessions"],
        Share(**row["samples"]),
    )
