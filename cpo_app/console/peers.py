"""What the console shows of peers, and what it does to them.

Never reads a token, not even sealed or as a hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from db_interface.database import Database
from domain.peers.statuses import BLOCKED, CONNECTED, SUSPENDED
from domain.peers.switches import possible_for

MOST = 200
MAX_COUNTED = 10_000
"""A longer backlog is shown as "10 000+": counting it on every refresh would cost too much."""
LATE = timedelta(minutes=1)
"""An object that a connected peer has not got for this long is trouble."""
ERROR_IS_NEWS = timedelta(hours=24)

_SHOWN = dict.fromkeys(
    (
        "name",
        "status",
        "roles",
        "versions_url",
        "version",
        "endpoints",
        "quirks",
        "settings",
        "last_seen",
        "last_error",
        "created",
        "updated",
    ),
    1,
)

Document = Mapping[str, Any]


async def table(db: Database, now: datetime) -> list[dict[str, Any]]:
    """All peers (at most MOST) by name, each with how far its push is behind."""
    stages = [{"$sort": {"name": 1}}, {"$limit": MOST}, *_WITH_PUSH]
    return [row_of(row, now) for row in await db["peers"].aggregate(stages).to_list(MOST)]


async def one(db: Database, peer_id: str, now: datetime) -> dict[str, Any] | None:
    """A peer with everything that is shown of it; None: unknown."""
    stages = [{"$match": {"_id": peer_id}}, *_WITH_PUSH]
    found = await db["peers"].aggregate(stages).to_list(1)
    if not found:
        return None
    refused = (
        db["marks"]
        .find(
            {"peer_id": peer_id, "error": {"$exists": True}},
            {"_id": 0, "module": 1, "key": 1, "since": 1, "due": 1, "attempts": 1, "error": 1},
        )
        .sort("due", 1)
        .limit(20)
    )
    return {**row_of(found[0], now), "refused": await refused.to_list(20)}


def row_of(peer: Document, now: datetime) -> dict[str, Any]:
    """A peer in a table; `trouble` is a list of sentences, empty when all is well."""
    oldest = peer["oldest"][0]["since"] if peer["oldest"] else None
    backlog = peer["backlog"][0]["n"] if peer["backlog"] else 0
    lane = peer["lane"][0] if peer["lane"] else {}
    row = {
        "id": peer["_id"],
        "name": peer["name"],
        "status": peer["status"],
        "roles": peer.get("roles") or [],
        "versions_url": peer.get("versions_url"),
        "version": peer.get("version"),
        "endpoints": peer.get("endpoints") or [],
        "quirks": peer.get("quirks") or {},
        "settings": peer.get("settings") or {},
        "created": peer.get("created"),
        "last_seen": peer.get("last_seen"),
        "last_error": peer.get("last_error"),
        "backlog": backlog,
        "backlog_is_more": backlog > MAX_COUNTED,
        "oldest": oldest,
        "lane": lane,
        "actions": possible_for(peer),
    }
    return {**row, "trouble": _trouble(row, now)}


def _trouble(row: Document, now: datetime) -> list[str]:
    said = []
    if row["status"] == BLOCKED:
        said.append("blocked: its requests are refused")
    if row["status"] == SUSPENDED:
        said.append("suspended: nothing is pushed to it")
    if row["lane"].get("failures"):
        said.append(f"push fails: {row['lane'].get('reason') or 'no reason known'}")
    elif row["status"] == CONNECTED and row["oldest"] and now - row["oldest"] > LATE:
        said.append("push is behind")
    error = row["last_error"]
    if error and now - error["at"] < ERROR_IS_NEWS:
        said.append(error["text"])
    return said


_WITH_PUSH: list[dict[str, Any]] = [
    {"$project": _SHOWN},
    {
        "$lookup": {
            "from": "push_lanes",
            "localField": "_id",
            "foreignField": "_id",
            "pipeline": [
                {
                    "$project": {
                        "failures": 1,
                        "retry_at": 1,
                        "reason": 1,
                        "delivered": 1,
                        "last_delivered": 1,
                        "latency_ms": 1,
                    }
                }
            ],
            "as": "lane",
        }
    },
    {
        "$lookup": {
            "from": "marks",
            "localField": "_id",
            "foreignField": "peer_id",
            "pipeline": [
                {"$sort": {"since": 1}},
                {"$limit": 1},
                {"$project": {"_id": 0, "since": 1}},
            ],
            "as": "oldest",
        }
    },
    {
        "$lookup": {
            "from": "marks",
            "localField": "_id",
            "foreignField": "peer_id",
            "pipeline": [{"$limit": MAX_COUNTED + 1}, {"$count": "n"}],
            "as": "backlog",
        }
    },
]
