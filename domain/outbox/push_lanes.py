"""A lane per peer: which process pushes to it now, and whether it takes anything at the moment.

One process at a time holds a peer's lane under a lease, so nothing is sent twice at once and no
older state after a newer one, and the breaker is one for all processes. Leases are measured by
the database's clock. A holder that dies is followed by another when the lease ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import TypedDict

from db_interface.bulk import upsert_each
from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.json_data import JsonObject
from db_interface.lease import Lease
from db_interface.transaction import Tx
from domain.outbox.marks import MARKS
from domain.peers.peer_document import PEERS
from domain.peers.statuses import CONNECTED


class PushLane(TypedDict, total=False):
    _id: str
    """Peer id."""
    owner: str
    until: datetime
    """The lease."""
    failures: int
    """Of the circuit breaker: closed when 0."""
    retry_at: datetime | None
    opened: datetime | None
    reason: str | None
    delivered: int
    last_delivered: datetime | None
    latency_ms: float | None
    greeted: bool
    """Its first push (if it gets one) has been marked."""
    settles_at: datetime
    """When every change has ended that began before the peer was connected."""


LANES: Collection[PushLane] = Collection("push_lanes")
LEASE_S = 3.0
LEASE = Lease(owner="owner", until="until")

_LONG_AGO = datetime(2000, 1, 1, tzinfo=timezone.utc)


async def claim(db: Database, peer_id: str, owner: str) -> PushLane | None:
    """Take or renew the lease: the lane's document, or None while another process has it."""
    for _ in range(2):
        lane = await LANES.of(db).update_and_find(
            {"_id": peer_id, **LEASE.free_for(owner)},
            [{"$set": LEASE.taken(owner, LEASE_S)}],
        )
        if lane is not None:
            return lane
        was_there = await LANES.of(db).update_one(
            {"_id": peer_id},
            {"$setOnInsert": {"owner": "", "until": _LONG_AGO, "failures": 0}},
            upsert=True,
        )
        if was_there:
            return None
    return None


async def release(db: Database, peer_id: str, owner: str) -> None:
    """Let another process have the lane at once."""
    await LANES.of(db).update_one({"_id": peer_id, "owner": owner}, {"$set": {"until": _LONG_AGO}})


async def note(db: Database, peer_id: str, owner: str, facts: Mapping[str, object]) -> None:
    """Keep facts of the lane (its breaker, its figures) while it is ours."""
    await LANES.of(db).update_one({"_id": peer_id, "owner": owner}, {"$set": dict(facts)})


async def greeted(db: Database, peer_ids: Iterable[str], settles_at: datetime) -> None:
    change: JsonObject = {
        "$set": {"greeted": True, "settles_at": settles_at},
        "$setOnInsert": {"owner": "", "until": _LONG_AGO, "failures": 0},
    }
    await upsert_each(LANES.of(db), [(peer_id, change) for peer_id in peer_ids])


async def settle_at(db: Database, peer_id: str, settles_at: datetime) -> None:
    """Have what changes until then marked again, as after a first connection."""
    await LANES.of(db).update_one(
        {"_id": peer_id},
        {
            "$set": {"settles_at": settles_at},
            "$setOnInsert": {"owner": "", "until": _LONG_AGO, "failures": 0},
        },
        upsert=True,
    )


async def end_pause(tx: Tx, peer_id: str) -> None:
    """Close the breaker: the operator has changed something, the peer is tried at once."""
    await LANES.of(tx).update_one(
        {"_id": peer_id},
        {"$set": {"failures": 0, "retry_at": None, "reason": ""}},
    )


async def settled(db: Database, peer_id: str) -> None:
    await LANES.of(db).update_one({"_id": peer_id}, {"$unset": {"settles_at": ""}})


async def lane_of(db: Database, peer_id: str) -> PushLane:
    """What is known of the peer's lane, for the operator; empty if it never had one."""
    return await LANES.of(db).find_one({"_id": peer_id}) or {}


async def forget(db: Database, peer_id: str) -> None:
    await LANES.of(db).delete_one({"_id": peer_id})


async def to_look_at(db: Database, now: datetime, changed_since: datetime) -> set[str]:
    """The peers of which `waiting` may have to tell: who has a mark, due or not, whose changes have
    settled, and who was connected or switched since. All others are left alone: they may be
    thousands."""
    settled = await LANES.of(db).find({"settles_at": {"$lte": now}}, {"_id": 1})
    changed = await PEERS.of(db).find(
        {"status": CONNECTED, "updated": {"$gte": changed_since}}, {"_id": 1}
    )
    marked: list[str] = await MARKS.of(db).distinct("peer_id")
    return {*marked, *(row["_id"] for row in settled), *(row["_id"] for row in changed)}


async def never_greeted(db: Database) -> list[str]:
    """Connected peers that no process has greeted: all of them are looked at."""
    found = await PEERS.of(db).aggregate(
        [
            {"$match": {"status": CONNECTED}},
            {"$project": {"_id": 1}},
            {
                "$lookup": {
                    "from": LANES.name,
                    "localField": "_id",
                    "foreignField": "_id",
                    "as": "lane",
                }
            },
            {"$match": {"lane.greeted": {"$ne": True}}},
            {"$project": {"_id": 1}},
        ]
    )
    return [row["_id"] for row in found]


async def waiting(db: Database, due_by: datetime, peer_ids: Iterable[str]) -> list[JsonObject]:
    """Those of these peers that are connected as {_id, updated, lane, leased, due}: whether a
    process has the lane, and whether something is to be sent.

    One round trip, and one index look-up for each peer.
    """
    return await PEERS.of(db).aggregate(
        [
            {"$match": {"status": CONNECTED, "_id": {"$in": list(peer_ids)}}},
            {
                "$lookup": {
                    "from": LANES.name,
                    "localField": "_id",
                    "foreignField": "_id",
                    "as": "lane",
                }
            },
            {
                "$lookup": {
                    "from": MARKS.name,
                    "localField": "_id",
                    "foreignField": "peer_id",
                    "pipeline": [
                        {"$match": {"due": {"$lte": due_by}}},
                        {"$limit": 1},
                        {"$project": {"_id": 1}},
                    ],
                    "as": "due",
                }
            },
            {"$set": {"lane": {"$arrayElemAt": ["$lane", 0]}, "due": {"$ne": ["$due", []]}}},
            {
                "$project": {
                    "updated": 1,
                    "lane": 1,
                    "due": 1,
                    "leased": {"$gt": ["$lane.until", "$$NOW"]},
                }
            },
        ]
    )


async def known(db: Database) -> list[str]:
    """Peers that ever had a lane."""
    found: list[str] = await LANES.of(db).distinct("_id")
    return found
