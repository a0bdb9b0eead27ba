"""When each reconciliation is due, and whose it is: one worker's at a time, by the database's
clock. Who dies in the middle lets go when its lease ends; a pass that is done again harms nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypedDict

from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.lease import Lease

LEASE_S = 3600.0
_LEASE = Lease("owner", "until")


class ReconciliationJob(TypedDict, total=False):
    """A document of `reconciliation_jobs`."""

    _id: str
    """registers, cdrs"""
    owner: str | None
    until: datetime | None
    due: datetime
    done: datetime
    """when it was done last"""


JOBS: Collection[ReconciliationJob] = Collection("reconciliation_jobs")


async def claim(db: Database, job: str, owner: str, first_due: datetime) -> bool:
    """Whether the job is due and this owner's to do now. One that is new is due at `first_due`."""
    new = {"$setOnInsert": {"due": first_due}}
    await JOBS.of(db).update_one({"_id": job}, new, upsert=True)
    claimed = await JOBS.of(db).update_and_find(
        {"_id": job, "$and": [_LEASE.free, {"$expr": {"$lte": ["$due", "$$NOW"]}}]},
        [{"$set": _LEASE.taken(owner, LEASE_S)}],
    )
    return claimed is not None


async def finished(db: Database, job: str, owner: str, next_due: datetime) -> None:
    await JOBS.of(db).update_one(
        {"_id": job, **_LEASE.held_by(owner)},
        {"$set": {"due": next_due, "done": db.now(), "owner": None, "until": None}},
    )


async def last_done(db: Database, job: str) -> datetime | None:
    found = await JOBS.of(db).find_one({"_id": job}, {"done": 1})
    return None if found is None else found.get("done")


def next_hour(now: datetime, hour: int) -> datetime:
    """The next time that it is this hour (UTC)."""
    today = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)
