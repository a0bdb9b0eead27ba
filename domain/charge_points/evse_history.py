"""Every change of an EVSE's status with its time, and the uptime that follows from it.

Entries are never changed. Written by charge_points.apply alone, in its transaction; forgotten
when they are old, but for the one that tells in which status that time ended.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from db_interface.collection import Collection, Where
from db_interface.database import Database
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.charge_points.charge_point_documents import CHARGE_POINTS, ChargePoint
from domain.charge_points.evse_states import EvseStatus

Change = TypedDict(
    "Change",
    {
        "_id": str,  # "<cp_id>/<n>": n counts each charge point's changes from 1
        "cp_id": str,
        "n": int,
        "at": datetime,  # never before the change before it
        "from": str | None,  # the status before, None for the first
        "to": str,  # the status since
        "why": str,  # what brought it about
    },
)
"""A document of `evse_status_history`."""

HISTORY: Collection[Change] = Collection("evse_status_history")
MAX_ENTRIES = 1000
AT_ONCE = 500
"""So many are forgotten at once, and charge points looked at."""

UP = frozenset({EvseStatus.AVAILABLE, EvseStatus.BLOCKED, EvseStatus.CHARGING, EvseStatus.RESERVED})
"""Able to charge, whoever holds it at the moment."""
NOT_COUNTED = frozenset({EvseStatus.REMOVED})
"""A removed EVSE is neither up nor down."""


@dataclass(frozen=True)
class Uptime:
    """`by_status` in seconds, keyed by OCPI status. `available_s`: the time it was able to charge
    (AVAILABLE, BLOCKED, CHARGING, RESERVED). `uptime_percent`: that part of the time in which it
    was to be up (all but REMOVED, and but before it was first known); None where there was none.
    """

    available_s: float
    by_status: dict[str, float]
    uptime_percent: float | None


async def record(tx: Tx, before: ChargePoint, status: str, why: str) -> tuple[datetime, int]:
    """Write the change of `before`'s status; when it happened, and which change it is."""
    # The clocks of two databases may differ after an election: a history must not run backwards.
    at = max(tx.now, before.get("status_updated", tx.now))
    n = before.get("status_n", 0) + 1
    await HISTORY.of(tx).insert_one(
        {
            "_id": f"{before['_id']}/{n}",
            "cp_id": before["_id"],
            "n": n,
            "at": at,
            "from": before.get("ocpi_status"),
            "to": status,
            "why": why,
        }
    )
    return at, n


async def latest(where: Where, cp_id: str, limit: int) -> list[Change]:
    """The latest changes, the newest first."""
    return await HISTORY.of(where).find(
        {"cp_id": cp_id}, {"_id": 0, "cp_id": 0}, sort=[("at", -1), ("n", -1)], limit=limit
    )


async def latest_since(where: Where, cp_id: str, since: datetime, limit: int) -> list[Change]:
    """The latest changes back to that time, the newest first; behind them the one that says in
    which status the time began."""
    shown = {"_id": 0, "cp_id": 0}
    newest = [("at", -1), ("n", -1)]
    found = await HISTORY.of(where).find(
        {"cp_id": cp_id, "at": {"$gte": since}}, shown, sort=newest, limit=limit
    )
    if len(found) < limit:
        before = {"cp_id": cp_id, "at": {"$lt": since}}
        found += await HISTORY.of(where).find(before, shown, sort=newest, limit=1)
    return found


async def history(
    where: Where, cp_id: str, since: datetime, until: datetime, limit: int = MAX_ENTRIES
) -> list[Change]:
    """Changes in [since, until), oldest first; at most `limit`."""
    return await HISTORY.of(where).find(
        {"cp_id": cp_id, "at": {"$gte": since, "$lt": until}},
        sort=[("at", 1), ("n", 1)],
        limit=limit,
    )


async def uptime(where: Where, cp_id: str, since: datetime, until: datetime) -> Uptime:
    """How long the EVSE was in which status in [since, until).

    `until` should not be later than now: the present status is taken to last until then.
    Raises ValueError unless since < until.
    """
    if since >= until:
        raise ValueError("since is not before until")
    seconds: dict[str, float] = {}
    status, begun = await _status_at(where, cp_id, since), since
    async for change in HISTORY.of(where).stream(
        {"cp_id": cp_id, "at": {"$gte": since, "$lt": until}}, sort=[("at", 1), ("n", 1)]
    ):
        _count(seconds, status, begun, change["at"])
        status, begun = change["to"], change["at"]
    _count(seconds, status, begun, until)
    return _summed(seconds)


async def _status_at(where: Where, cp_id: str, moment: datetime) -> str | None:
    last = await HISTORY.of(where).find_one(
        {"cp_id": cp_id, "at": {"$lt": moment}}, sort=[("at", -1), ("n", -1)]
    )
    return None if last is None else last["to"]


async def forget(db: Database, before: datetime) -> AsyncIterator[int]:
    """Delete the changes of before that time, in small parts; how many each time.

    Each charge point keeps the last of them: it is the status in which the time after it begins.
    """
    documents, cp_id = HISTORY.of(db), ""
    while rows := await CHARGE_POINTS.of(db).find(
        {"_id": {"$gt": cp_id}}, {"_id": 1}, sort=[("_id", 1)], limit=AT_ONCE
    ):
        for row in rows:
            cp_id = row["_id"]
            old: JsonObject = {"cp_id": cp_id, "at": {"$lt": before}}
            last = await documents.find_one(old, {"_id": 1}, sort=[("at", -1), ("n", -1)])
            if last is None:
                continue
            old["_id"] = {"$ne": last["_id"]}
            while found := await documents.find(old, {"_id": 1}, limit=AT_ONCE):
                yield await documents.delete_many({"_id": {"$in": [one["_id"] for one in found]}})
        yield 0


def _count(seconds: dict[str, float], status: str | None, begun: datetime, end: datetime) -> None:
    if status is not None and end > begun:
        seconds[status] = seconds.get(status, 0.0) + (end - begun).total_seconds()


def _summed(seconds: dict[str, float]) -> Uptime:
    up_s = sum(s for status, s in seconds.items() if status in UP)
    counted_s = sum(s for status, s in seconds.items() if status not in NOT_COUNTED)
    return Uptime(
        available_s=round(up_s, 3),
        by_status={status: round(s, 3) for status, s in sorted(seconds.items())},
        uptime_percent=round(100 * up_s / counted_s, 3) if counted_s else None,
    )
