"""Every change of an EVSE's status with its time, and the uptime that follows from it.

A document of `evse_status_history`:
    _id    "<cp_id>/<n>"   n counts each charge point's changes from 1
    cp_id, n
    at     when (never before the change before it)
    from   the status before, None for the first
    to     the status since
    why    what brought it about

Entries are never changed. Written by charge_points.apply alone, in its transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db_interface.database import Database
from db_interface.transaction import Tx
from domain.charge_points.evse_states import EvseStatus

COLLECTION = "evse_status_history"
MAX_ENTRIES = 1000

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


async def record(
    db: Database,
    before: Mapping[str, Any],
    status: str,
    why: str,
    now: datetime,
    tx: Tx,
) -> dict[str, Any]:
    """Write the change of `before`'s status; returns the fields that its charge point gets."""
    # The clocks of two hosts differ: a history must not run backwards.
    at = max(now, before.get("status_updated") or now)
    n = before.get("status_n", 0) + 1
    entry = {
        "_id": f"{before['_id']}/{n}",
        "cp_id": before["_id"],
        "n": n,
        "at": at,
        "from": before.get("ocpi_status"),
        "to": status,
        "why": why,
    }
    await db[COLLECTION].insert_one(entry, session=tx.mongo)
    return {"status_updated": at, "status_n": n}


async def history(
    db: Database, cp_id: str, since: datetime, until: datetime, limit: int = MAX_ENTRIES
) -> list[dict[str, Any]]:
    """Changes in [since, until), oldest first: [{at, from, to, why}]; at most `limit`."""
    found = db[COLLECTION].find(
        {"cp_id": cp_id, "at": {"$gte": since, "$lt": until}}, {"_id": 0, "cp_id": 0}
    )
    rows = await found.sort([("at", 1), ("n", 1)]).limit(limit).to_list(limit)
    return [{name: row[name] for name in ("at", "from", "to", "why")} for row in rows]


async def uptime(db: Database, cp_id: str, since: datetime, until: datetime) -> Uptime:
    """How long the EVSE was in which status in [since, until).

    `until` should not be later than now: the present status is taken to last until then.
    Raises ValueError unless since < until.
    """
    if since >= until:
        raise ValueError("since is not before until")
    seconds: dict[str, float] = {}
    status, begun = await _status_at(db, cp_id, since), since
    changes = db[COLLECTION].find({"cp_id": cp_id, "at": {"$gte": since, "$lt": until}})
    async for change in changes.sort([("at", 1), ("n", 1)]):
        _count(seconds, status, begun, change["at"])
        status, begun = change["to"], change["at"]
    _count(seconds, status, begun, until)
    return _summed(seconds)


async def _status_at(db: Database, cp_id: str, moment: datetime) -> str | None:
    earlier = db[COLLECTION].find({"cp_id": cp_id, "at": {"$lt": moment}})
    last = await earlier.sort([("at", -1), ("n", -1)]).limit(1).to_list(1)
    return last[0]["to"] if last else None


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
