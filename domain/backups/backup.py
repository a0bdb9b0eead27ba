"""`back_up`: everything that the store holds at one moment, written into a file."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from db_interface.backup_file import BackupWriter
from db_interface.database import Database
from db_interface.snapshot import WINDOW, MomentLost, MomentUnreadable, batches_of, documents_in
from domain.backups.keys import Keys
from domain.exchanges.exchange import EXCHANGES, LOSSES
from domain.upgrades.schema_version import SCHEMA

MAX_MOMENTS = 5
NEXT_MOMENT_S = 1.0
_LEFT_OUT = (EXCHANGES.name, LOSSES.name)
"""What was said to peers is kept for a while only, and may be more than all the rest."""


class BackupFailed(Exception):
    """No backup was made; why, and what to do, in one line."""


@dataclass(frozen=True)
class BackedUp:
    at: datetime
    """The backup holds everything until then, at least."""
    schema: int | None
    documents: Mapping[str, int]
    sha256: str


async def back_up(db: Database, keys: Keys, file: BinaryIO, software: str) -> BackedUp:
    """Write a backup; `file` holds one when this returns. Raises BackupFailed."""
    for _ in range(MAX_MOMENTS):
        file.seek(0)
        file.truncate()
        try:
            return await _of_one_moment(db, keys, file, software)
        except MomentUnreadable:
            await asyncio.sleep(NEXT_MOMENT_S)
        except MomentLost:
            raise BackupFailed(
                "the store is too big to be read within the time for which MongoDB keeps the past: "
                f"raise {WINDOW} (300 s by default) on its members, or back it up with the means "
                "of MongoDB (mongodump --oplog, snapshots of the disks)"
            ) from None
    raise BackupFailed("collections or indexes are being made all the while: try again later")


async def _of_one_moment(db: Database, keys: Keys, file: BinaryIO, software: str) -> BackedUp:
    at = db.now()
    writer = BackupWriter(file)
    begun, schema = False, None
    async for collection, documents in batches_of(db, (SCHEMA.name,), _LEFT_OUT):
        if not begun:
            schema = _version(documents) if collection == SCHEMA.name else None
            _begin(writer, keys, software, at, schema)
            begun = True
        writer.add(collection, documents)
    if not begun:
        _begin(writer, keys, software, at, None)
    written = writer.end()
    return BackedUp(at, schema, written.documents, written.sha256)


def _begin(
    writer: BackupWriter, keys: Keys, software: str, at: datetime, schema: int | None
) -> None:
    writer.begin({"software": software, "at": at, "schema": schema, **keys.marks()})


def _version(documents: bytes) -> int | None:
    [one] = documents_in(documents)
    version: int | None = one.get("version")
    return version
