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
    restoring: bool
    """a backup is being restored, or a restore broke off"""
    owner: str | None
    """who runs a step now, and until when (db_interface/lease.py)"""
    until: datetime | None


SCHEMA: Collection[Schema] = Collection("schema")


class StoreRefused(Exception):
    """This software must not touch the store; why, and what to do, in one line."""


class StoreIsNewer(StoreRefused):
    """A later version of this software has changed the store: this one must not touch it."""

    def __init__(self, version: int, known: int) -> None:
        super().__init__(
            f"the store is of a later version (schema {version}, this software knows {known}): "
            "install that version again, or restore a backup of before its upgrade"
        )


class StoreHalfRestored(StoreRefused):
    """A restore broke off: what is there is not all that there was."""

    def __init__(self) -> None:
        super().__init__(
            "a restore of a backup into the store broke off: make it again (cpo restore --force)"
        )


async def version_of(db: Database) -> int | None:
    """The version of the store; None for one that bears none: new, or older than versions.

    Raises StoreHalfRestored.
    """
    # As the primary has it: should it be lost with it, a step is made again.
    found = await SCHEMA.of(db).find_one({"_id": _ID})
    if found is None:
        return None
    if found.get("restoring"):
        raise StoreHalfRestored
    return found["version"]


async def mark_restoring(db: Database) -> None:
    """Until `restored` nobody works on the store."""
    await SCHEMA.of(db).update_one({"_id": _ID}, {"$set": {"restoring": True}}, upsert=True)


async def restored(db: Database, schema: Schema | None) -> None:
    """The store is whole again, with the version that it had in the backup, or none."""
    if schema is None:
        await SCHEMA.of(db).delete_one({"_id": _ID})
        return
    whole: Schema = {**schema, "owner": None, "until": None}
    await SCHEMA.of(db).replace_one({"_id": _ID}, whole, upsert=True)


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
