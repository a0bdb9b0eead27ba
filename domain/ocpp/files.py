"""The collections `ocpp_files`, `ocpp_file_parts`: what stations have uploaded, what they are to
download. In parts, so that no file is ever in memory whole; each goes by itself after a while.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import TypedDict

from db_interface.collection import Collection, Where
from db_interface.database import Database

PART_BYTES = 512 * 1024
KEPT_FOR = timedelta(days=30)


class StoredFile(TypedDict):
    """A document of `ocpp_files`; there once all of its parts are."""

    _id: str
    name: str
    size: int
    sha256: str
    created: datetime
    expires: datetime


class _Part(TypedDict):
    """A document of `ocpp_file_parts`."""

    _id: str
    file: str
    n: int
    data: bytes
    expires: datetime


FILES: Collection[StoredFile] = Collection("ocpp_files")
_PARTS: Collection[_Part] = Collection("ocpp_file_parts")


class FileTooLarge(Exception):
    """It is larger than a file may be; nothing of it is kept."""


async def keep(
    db: Database, name: str, content: AsyncIterator[bytes], max_bytes: int
) -> StoredFile:
    """Read it to its end and keep it. Raises FileTooLarge, and what `content` does: then nothing
    is kept."""
    id_, expires = uuid.uuid4().hex, db.now() + KEPT_FOR
    digest, size, n, waiting = hashlib.sha256(), 0, 0, bytearray()
    try:
        async for piece in content:
            size += len(piece)
            if size > max_bytes:
                raise FileTooLarge
            digest.update(piece)
            waiting += piece
            while len(waiting) >= PART_BYTES:
                await _put(db, id_, n, bytes(waiting[:PART_BYTES]), expires)
                del waiting[:PART_BYTES]
                n += 1
        if waiting:
            await _put(db, id_, n, bytes(waiting), expires)
    except BaseException:
        await _PARTS.of(db).delete_many({"file": id_})
        raise
    stored: StoredFile = {
        "_id": id_,
        "name": name,
        "size": size,
        "sha256": digest.hexdigest(),
        "created": db.now(),
        "expires": expires,
    }
    await FILES.of(db).insert_one(stored)
    return stored


async def get(where: Where, file_id: str) -> StoredFile | None:
    return await FILES.of(where).find_one({"_id": file_id})


async def content_of(db: Database, file: StoredFile) -> AsyncIterator[bytes]:
    """Its parts, in order."""
    for n in range(-(-file["size"] // PART_BYTES)):
        part = await _PARTS.of(db).find_one({"_id": f"{file['_id']}:{n}"})
        if part is None:
            raise LookupError(f"part {n} of {file['_id']} is gone")
        yield part["data"]


async def _put(db: Database, file: str, n: int, data: bytes, expires: datetime) -> None:
    part: _Part = {"_id": f"{file}:{n}", "file": file, "n": n, "data": data, "expires": expires}
    await _PARTS.of(db).insert_one(part)
