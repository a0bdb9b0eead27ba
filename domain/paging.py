"""Pages of documents, newest first, with a cursor that says where the next page begins."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TypeVar

from db_interface.collection import Documents
from db_interface.json_data import JsonMapping, JsonObject

D = TypeVar("D", bound=JsonMapping)

_CURSOR = re.compile(r"([0-9a-f]{1,11})-(.{1,300})", re.S)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LAST = datetime(9999, 1, 1, tzinfo=timezone.utc)


class BadCursor(ValueError):
    """It is none that we gave out."""

    def __str__(self) -> str:
        return "cursor: is none that we gave out"


async def newest(
    documents: Documents[D],
    query: JsonMapping,
    *,
    by: str,
    limit: int,
    cursor: str | None,
    fields: JsonMapping | None = None,
) -> tuple[list[D], str | None]:
    """At most `limit` documents, the latest `by` that time first, and the cursor of those behind
    them (None: that was all). Raises BadCursor. An index has to end in (`by`, _id)."""
    wanted: JsonObject = dict(query)
    if cursor is not None:
        at, id_ = _read(cursor)
        wanted |= {by: {"$lte": at}, "$or": [{by: {"$lt": at}}, {by: at, "_id": {"$lt": id_}}]}
    found = await documents.find(wanted, fields, sort=[(by, -1), ("_id", -1)], limit=limit + 1)
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], f"{round(last[by].timestamp() * 1000):x}-{last['_id']}"


def _read(cursor: str) -> tuple[datetime, str]:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise BadCursor
    at = _EPOCH + timedelta(milliseconds=int(found[1], 16))
    if at >= _LAST:
        raise BadCursor
    return at, found[2]
