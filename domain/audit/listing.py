"""The audit log as people read it: newest first, by what it is about, by whom, page by page."""

from __future__ import annotations

import orjson

from db_interface.database import Database
from db_interface.json_data import JsonObject
from domain.audit.entries import AUDIT, AuditEntry, folded
from domain.paging import newest


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
    found, following = await newest(AUDIT.of(db), query, by="at", limit=limit, cursor=cursor)
    return [row_of(entry) for entry in found], following


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
