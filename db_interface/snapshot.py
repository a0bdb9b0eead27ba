"""Everything that a database holds at one moment, as bytes; and bytes put back.

The server keeps the past for a while only (minSnapshotHistoryWindowInSeconds, 5 minutes): who takes
longer loses the moment, and is told so.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.errors import BulkWriteError, OperationFailure

from db_interface.database import Database
from db_interface.json_data import JsonObject
from db_interface.writers import SLOTS, WRITERS

_AWARE: CodecOptions[JsonObject] = CodecOptions(tz_aware=True)
BATCH = 1000
PUT_BACK_WITHIN_S = 60.0
"""A batch is large, and nobody waits for an answer."""
WINDOW = "minSnapshotHistoryWindowInSeconds"
_TOO_OLD, _UNAVAILABLE = 239, 246
_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)


class MomentLost(Exception):
    """The server does not keep the moment any more: reading took too long."""


class StoreWasWritten(Exception):
    """What was to be put back was there already."""

    def __init__(self, collection: str) -> None:
        super().__init__(
            f"somebody wrote to the store meanwhile ({collection}): stop all servers, then restore "
            "again (--force)"
        )


class MomentUnreadable(Exception):
    """A collection or an index was just being made: another moment will do."""


async def batches_of(
    db: Database, first: Sequence[str] = (), without: Sequence[str] = ()
) -> AsyncIterator[tuple[str, bytes]]:
    """(collection, BSON documents one after the other) of everything but the collections
    `without`, all of the same moment.

    The collections `first` come first, in that order. Raises MomentLost, MomentUnreadable.
    """
    names = await _collections(db) - set(without)
    ordered = [name for name in first if name in names]
    ordered += sorted(names - set(ordered))
    try:
        async with await db.client.start_session(snapshot=True) as moment:
            for name in ordered:
                cursor = db[name].find_raw_batches({}, session=moment, batch_size=BATCH)
                async for documents in cursor:
                    if documents:
                        yield name, bytes(documents)
    except OperationFailure as error:
        if error.code == _TOO_OLD:
            raise MomentLost(str(error)) from error
        if error.code == _UNAVAILABLE:
            raise MomentUnreadable(str(error)) from error
        raise


def documents_in(documents: bytes) -> list[JsonObject]:
    return bson.decode_all(documents, _AWARE)


@contextlib.asynccontextmanager
async def keeping_the_past(db: Database, seconds: int | None) -> AsyncIterator[None]:
    """While the block runs the server keeps the past for so long; for one of our own, whose root
    we are. None: it is not ours."""
    if seconds is None:
        yield
        return
    before = await db.client.admin.command({"setParameter": 1, WINDOW: seconds})
    try:
        yield
    finally:
        await db.client.admin.command({"setParameter": 1, WINDOW: before["was"]})


async def put_back(db: Database, collection: str, documents: bytes) -> None:
    """Insert the documents as they are. Raises StoreWasWritten."""
    rows = bson.decode_all(documents, _RAW)
    for start in range(0, len(rows), BATCH):
        try:
            with db.within(PUT_BACK_WITHIN_S):
                await db[collection].insert_many(rows[start : start + BATCH], ordered=False)
        except BulkWriteError:
            raise StoreWasWritten(collection) from None


async def drop_all_but(db: Database, kept: Sequence[str]) -> None:
    for name in sorted(await _collections(db) - set(kept)):
        await db[name].drop()


async def holds_nothing_but(db: Database, ignored: Sequence[str]) -> bool:
    """Whether the other collections hold no document; what processes that write leave there while
    they do (db_interface/writers.py) is nothing."""
    for name in await _collections(db) - {*ignored, WRITERS, SLOTS}:
        if await db[name].find_one({}, {"_id": 1}) is not None:
            return False
    return True


async def _collections(db: Database) -> set[str]:
    names: list[str] = await db.client[db.name].list_collection_names(filter={"type": "collection"})
    return {name for name in names if not name.startswith("system.")}
