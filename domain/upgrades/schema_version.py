"""The version of the store, in the store: which steps it has had, and who runs one now."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.lease import Lease

LEASE_S = 30.0
_LEASE = Lease("owner", "until")
_ID = "schema"


class StepDone(TypedDict):
    to: int
    name: str
    at: datetime


class Schema(TypedDict, total=False):
    """The one document of `schema`."""

    _id: str
    version: int
    """the latest step that it has had"""
    steps: list[StepDone]
    owner: str | None
    """who runs a step now, and until when (db_interface/lease.py)"""
    until: datetime | None


SCHEMA: Collection[Schema] = Collection("schema")


class StoreIsNewer(Exception):
    """A later version of this software has changed the store: this one must not touch it."""

    def __init__(self, version: int, known: int) -> None:
        super().__init__(
            f"the store is of a later version (schema {version}, this software knows {known}): "
            "install that version again, or restore a backup of before its upgrade"
        )


async def version_of(db: Database) -> int | None:
    """The version of the store; None for one that bears none: new, or older than versions."""
    found = await SCHEMA.of(db).settled().find_one({"_id": _ID}, {"version": 1})
    return None if found is None else found["version"]


async def begin_at(db: Database, version: int) -> None:
    """Give the store a version, if it bears none."""
    await SCHEMA.of(db).update_one(
        {"_id": _ID}, {"$setOnInsert": {"version": version, "steps": []}}, upsert=True
    )


async def claim(db: Database, owner: str) -> bool:
    """Whether the steps are this owner's to run for the next LEASE_S (again: to go on)."""
    found = await SCHEMA.of(db).update_and_find(
        {"_id": _ID, **_LEASE.free_for(owner)}, [{"$set": _LEASE.taken(owner, LEASE_S)}]
    )
    return found is not None


async def done(db: Database, owner: str, to: int, name: str) -> bool:
    """Note that the step to that version is done; False when the lease was lost meanwhile."""
    step: StepDone = {"to": to, "name": name, "at": db.now()}
    return await SCHEMA.of(db).update_one(
        {"_id": _ID, "version": to - 1, **_LEASE.held_by(owner)},
        {"$set": {"version": to}, "$push": {"steps": step}},
    )


async def let_go(db: Database, owner: str) -> None:
    await SCHEMA.of(db).update_one(
        {"_id": _ID, **_LEASE.held_by(owner)}, {"$set": {"owner": None, "until": None}}
    )
