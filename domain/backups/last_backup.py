"""When the store was backed up last: `cpo backup` keeps it here once its file is whole."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.transaction import Tx
from domain.audit.entries import About, record


class LastBackup(TypedDict):
    _id: str
    """There is one document."""
    at: datetime
    """The backup holds everything until then, at least."""
    made: datetime
    bytes: int
    sha256: str
    documents: int
    software: str


BACKUPS: Collection[LastBackup] = Collection("backups")
_LAST = "last"


async def keep(
    tx: Tx, *, at: datetime, size: int, sha256: str, documents: int, software: str
) -> None:
    """A backup was made."""
    last: LastBackup = {
        "_id": _LAST,
        "at": at,
        "made": tx.now,
        "bytes": size,
        "sha256": sha256,
        "documents": documents,
        "software": software,
    }
    await BACKUPS.of(tx).replace_one({"_id": _LAST}, last, upsert=True)
    after = {"at": at, "bytes": size, "sha256": sha256, "documents": documents}
    await record(tx, "backups.make", About("backup", sha256[:16]), after=after)


async def last_backup(db: Database) -> LastBackup | None:
    return await BACKUPS.of(db).find_one({"_id": _LAST}, {"_id": 0})
