"""How far the push is behind with each peer, and whether it takes anything: read once, for all.

From the marks and the peer's lane, so it is true whichever process is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from domain.outbox.marks import MARKS
from domain.outbox.push_lanes import LANES
from domain.peers.peer_document import PEERS
from domain.peers.statuses import CONNECTED


@dataclass(frozen=True)
class PushState:
    backlog: int
    """Objects whose present state the peer has not seen."""
    backlog_is_more: bool
    """There are more than were counted."""
    oldest: datetime | None
    """Since when the oldest of them has waited."""
    failures: int
    """In a row; the breaker is open while there are any: nothing goes out but a probe."""
    reason: str | None
    next_try: datetime | None
    last_delivered: datetime | None
    latency_ms: float | None

    def said(self, status: str) -> str:
        """In a word, for a peer of that status."""
        if status != CONNECTED:
            return f"none: the peer is {status}"
        return "pausing" if self.failures else "working"


async def push_states(
    db: Database,
    wanted: JsonMapping,
    fields: Sequence[str],
    *,
    limit: int,
    sort: str | None = None,
    max_counted: int | None = None,
) -> list[tuple[JsonMapping, PushState]]:
    """Of the peers that match `wanted`: these fields of their documents, and the push to them.

    Backlogs are counted up to `max_counted`. One round trip, index look-ups for each peer.
    """
    stages: list[JsonObject] = [{"$match": wanted}]
    stages += [{"$sort": {sort: 1}}] if sort else []
    stages += [{"$limit": limit}, {"$project": dict.fromkeys(fields, 1)}]
    bound: list[JsonObject] = [] if max_counted is None else [{"$limit": max_counted + 1}]
    oldest: list[JsonObject] = [
        {"$sort": {"since": 1}},
        {"$limit": 1},
        {"$project": {"_id": 0, "since": 1}},
    ]
    stages += [
        _looked_up(MARKS.name, "peer_id", "oldest", oldest),
        _looked_up(MARKS.name, "peer_id", "backlog", [*bound, {"$count": "n"}]),
        _looked_up(LANES.name, "_id", "lane", [{"$project": dict.fromkeys(_OF_A_LANE, 1)}]),
    ]
    return [(row, _state(row, max_counted)) for row in await PEERS.of(db).aggregate(stages)]


_OF_A_LANE = ("failures", "retry_at", "reason", "last_delivered", "latency_ms")


def _looked_up(collection: str, by: str, name: str, pipeline: Sequence[JsonMapping]) -> JsonObject:
    return {
        "$lookup": {
            "from": collection,
            "localField": "_id",
            "foreignField": by,
            "pipeline": list(pipeline),
            "as": name,
        }
    }


def _state(row: JsonMapping, max_counted: int | None) -> PushState:
    backlog = row["backlog"][0]["n"] if row["backlog"] else 0
    lane = row["lane"][0] if row["lane"] else {}
    failures = lane.get("failures") or 0
    is_more = max_counted is not None and backlog > max_counted
    return PushState(
        backlog=max_counted if is_more and max_counted is not None else backlog,
        backlog_is_more=is_more,
        oldest=row["oldest"][0]["since"] if row["oldest"] else None,
        failures=failures,
        reason=(lane.get("reason") or None) if failures else None,
        next_try=lane.get("retry_at") if failures else None,
        last_delivered=lane.get("last_delivered"),
        latency_ms=lane.get("latency_ms"),
    )
