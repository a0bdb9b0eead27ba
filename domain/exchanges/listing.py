"""Exchanges as people look for them: newest first, page by page, one query each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypedDict

import orjson

from db_interface.database import Database
from db_interface.json_data import JsonObject
from domain.exchanges.exchange import EXCHANGES, LOSSES, Direction, Exchange, Part
from domain.exchanges.looking_through import bounded_query, reach
from domain.exchanges.search_keys import BadSearch, Wanted, hint_of
from domain.secrets import Vault

_ID = re.compile(r"[0-9a-f]{22}")
_FACTS = (
    *("at", "took_ms", "direction", "peer_id", "address", "module", "version", "method", "url"),
    *("status", "ocpi_status", "outcome", "error", "request_id", "correlation_id", "objects"),
)
ROW = dict.fromkeys((*_FACTS, "request.size", "response.size"), 1)
LATELY = timedelta(hours=24)


class Asked(TypedDict, total=False):
    """A question in people's words, as `wanted_of` takes it."""

    peer: str | None
    module: str | None
    object_id: str | None
    correlation: str | None
    status: str | None
    direction: str | None
    since: datetime | None
    until: datetime | None


def wanted_of(
    vault: Vault,
    *,
    peer: str | None = None,
    module: str | None = None,
    object_id: str | None = None,
    correlation: str | None = None,
    status: str | None = None,
    direction: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Wanted:
    """A question in people's words; what is empty is not asked. Raises BadSearch."""
    try:
        way = Direction(direction) if direction else None
    except ValueError:
        raise BadSearch("direction: is in (the peer asked) or out (we did)") from None
    return Wanted(
        peer_id=peer or None,
        module=module or None,
        object=object_id or None,
        correlation_id=correlation or None,
        status=status or None,
        direction=way,
        since=since,
        until=until,
        cards=vault.digests(object_id.lower()) if object_id else (),
    )


async def listed(
    db: Database, wanted: Wanted, *, limit: int, cursor: str | None = None
) -> tuple[list[JsonObject], str | None]:
    """Rows without heads and bodies, and the cursor of those behind them (None: that was all).
    Where much had to be looked through, there can be fewer rows before a cursor than `limit`.
    Raises BadSearch."""
    found = await _found(db, wanted, limit + 1, cursor, ROW)
    rows = [row_of(one) for one in found[:limit]]
    if len(found) > limit:
        return rows, found[limit - 1]["_id"]
    return rows, await reach(db, wanted, cursor)


async def whole(db: Database, wanted: Wanted, *, limit: int) -> list[Exchange]:
    """With heads and bodies, the oldest first: for an export. Raises BadSearch."""
    return list(reversed(await _found(db, wanted, limit, None, None)))


async def one(db: Database, exchange_id: str) -> Exchange | None:
    return await EXCHANGES.of(db).find_one({"_id": exchange_id})


async def lost_since(db: Database, since: datetime) -> int:
    """How many were not kept since then."""
    rows = await LOSSES.of(db).find({"at": {"$gte": since}}, {"lost": 1})
    return sum(row["lost"] for row in rows)


def row_of(exchange: Exchange) -> JsonObject:
    """What is shown of one in a list."""
    row: JsonObject = {name: exchange.get(name) for name in _FACTS}
    sizes = {
        "request_size": exchange.get("request", {}).get("size", 0),
        "response_size": exchange.get("response", {}).get("size", 0),
    }
    return {"id": exchange["_id"], **row, **sizes}


def facts_of(exchange: Exchange) -> JsonObject:
    """All that is kept of one."""
    return {
        **row_of(exchange),
        "request": _part(exchange.get("request", {})),
        "response": _part(exchange.get("response", {})),
    }


def headers_of(part: Part) -> list[tuple[str, str]]:
    """(name, value) of each line of a head."""
    pairs = [line.partition(": ") for line in part.get("head", "").split("\n") if line]
    return [(name, value) for name, _, value in pairs]


def indented(body: str) -> str:
    """A body for people: JSON line by line, anything else as it is."""
    try:
        return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return body


def _part(part: Part) -> JsonObject:
    return {
        "headers": [{"name": name, "value": value} for name, value in headers_of(part)],
        "body": part.get("body"),
        "size": part.get("size", 0),
        "cut": part.get("cut", False),
    }


async def _found(
    db: Database, wanted: Wanted, limit: int, cursor: str | None, fields: JsonObject | None
) -> Sequence[Exchange]:
    if cursor is not None and not _ID.fullmatch(cursor):
        raise BadSearch("cursor: is none that we gave out")
    query = await bounded_query(db, wanted, cursor)
    return await EXCHANGES.of(db).find(
        query, fields, sort=[("_id", -1)], limit=limit, hint=hint_of(query)
    )
