"""The audit log as people read it: newest first, by what it is about, by whom, page by page."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import orjson

from db_interface.database import Database
from db_interface.json_data import JsonObject
from domain.audit.entries import AUDIT, AuditEntry, folded

_CURSOR = re.compile(r"([0-9a-f]{1,11})-([0-9a-f]{32})")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class BadCursor(ValueError):
    """It is none that we gave out."""


async def listed(
    db: Database,
    *,
    about: str | None = None,
    by: str | None = None,
    action: str | None = None,
    limit: int,
    cursor: str | None = None,
) -> tuple[list[JsonObject], str | None]:
    """Entries, and the cursor of those behind them (None: that was all). Raises BadCursor."""
    query: JsonObject = {}
    if about is not None:
        query["ids"] = folded(about)
    if by is not None:
        query["who.name"] = by
    if action is not None:
        query["action"] = action
    if cursor is not None:
        at, id_ = _read(cursor)
        query["$or"] = [{"at": {"$lt": at}}, {"at": at, "_id": {"$lt": id_}}]
        query["at"] = {"$lte": at}
    found = await AUDIT.of(db).find(query, sort=[("at", -1), ("_id", -1)], limit=limit + 1)
    rows = [row_of(entry) for entry in found[:limit]]
    more = len(found) > limit
    return rows, _cursor(found[limit - 1]) if more else None


def row_of(entry: AuditEntry) -> JsonObject:
    """What is shown of an entry."""
    return {
        "id": entry["_id"],
        "at": entry["at"],
        "by": entry["who"],
        "action": entry["action"],
        "about": entry["about"],
        "before": _value(entry.get("before")),
        "after": _value(entry.get("after")),
        "result": entry["result"],
        "why": entry.get("why"),
        "correlation_id": entry.get("correlation_id"),
        "seq": entry.get("seq"),
        "hash": entry.get("hash"),
    }


def changes_of(row: JsonObject) -> list[tuple[str, object, object]]:
    """(field, before, after) of what an entry says that was changed."""
    before, after = row["before"], row["after"]
    names = [*(before if isinstance(before, dict) else ())]
    names += [name for name in (after if isinstance(after, dict) else ()) if name not in names]
    return [
        (name, (before or {}).get(name), (after or {}).get(name))
        for name in names
        if (before or {}).get(name) != (after or {}).get(name)
    ]


def _value(text: str | None) -> object:
    return None if text is None else orjson.loads(text)


def _cursor(entry: AuditEntry) -> str:
    return f"{round(entry['at'].timestamp() * 1000):x}-{entry['_id']}"


def _read(cursor: str) -> tuple[datetime, str]:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise BadCursor("cursor: is none that we gave out")
    return _EPOCH + timedelta(milliseconds=int(found[1], 16)), found[2]
