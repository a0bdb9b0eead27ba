"""How many charge points were in which status, every few minutes: what the fleet's uptime and
utilization of a day are worked out from.

Whoever comes first in a slot of time writes its sample, in whatever process. A slot in which
nothing of ours ran has none: of that time nothing is said.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TypedDict

from db_interface.collection import Collection
from db_interface.database import Database
from domain.charge_points.charge_point_documents import CHARGE_POINTS
from domain.charge_points.evse_history import NOT_COUNTED, UP
from domain.charge_points.evse_states import EvseStatus
from domain.rounds import Rounds

logger = logging.getLogger("cpo.operator")

SLOT = timedelta(minutes=5)
_LOOK_EVERY_S = 60.0
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Sample(TypedDict):
    """A document of `fleet_samples`. Those that EV_Central never saw are not counted."""

    _id: datetime
    """the beginning of the slot"""
    at: datetime
    """the same: an _id cannot say when to forget it"""
    counts: Mapping[str, int]
    """charge points by OCPI status; those of none are left out"""


SAMPLES: Collection[Sample] = Collection("fleet_samples")


@dataclass(frozen=True)
class Share:
    """In charge points times samples."""

    counted: int = 0
    up: int = 0
    charging: int = 0

    @property
    def uptime_percent(self) -> float | None:
        return round(100 * self.up / self.counted, 2) if self.counted else None

    @property
    def utilization_percent(self) -> float | None:
        """Of the charge points, how many charged."""
        return round(100 * self.charging / self.counted, 2) if self.counted else None

    def __add__(self, other: Share) -> Share:
        return Share(
            self.counted + other.counted, self.up + other.up, self.charging + other.charging
        )


class FleetSampling:
    """`rounds.start` and `rounds.stop` the background work."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.rounds = Rounds("fleet samples", self.round, _LOOK_EVERY_S, logger=logger)

    async def round(self) -> bool:
        """Write the sample of the present slot; whether it was not there yet."""
        now = self._db.now()
        slot = now - (now - _EPOCH) % SLOT
        samples = SAMPLES.of(self._db)
        if await samples.find_one({"_id": slot}, {"_id": 1}) is not None:
            return False
        counts = {
            status.value: await CHARGE_POINTS.of(self._db).count({"ocpi_status": status.value})
            for status in EvseStatus
        }
        there = {status: number for status, number in counts.items() if number}
        # Another process may have been faster.
        return not await samples.update_one(
            {"_id": slot}, {"$setOnInsert": {"at": slot, "counts": there}}, upsert=True
        )


async def share(db: Database, since: datetime, until: datetime) -> Share:
    """Of the samples in [since, until)."""
    found = Share()
    for sample in await SAMPLES.of(db).find({"_id": {"$gte": since, "$lt": until}}):
        found += _of(sample["counts"])
    return found


def _of(counts: Mapping[str, int]) -> Share:
    return Share(
        counted=sum(n for status, n in counts.items() if status not in _LEFT_OUT),
        up=sum(counts.get(status.value, 0) for status in UP),
        charging=counts.get(EvseStatus.CHARGING.value, 0),
    )


_LEFT_OUT = {status.value for status in NOT_COUNTED}
