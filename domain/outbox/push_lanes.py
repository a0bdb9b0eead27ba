"""A lane per peer: which process pushes to it now, and whether it takes anything at the moment.

One process at a time holds a peer's lane under a lease, so nothing is sent twice at once and no
older state after a newer one, and the breaker is one for all processes. Leases are measured by
the database's clock. A holder that dies is followed by another when the lease ends.

A document of `push_lanes`:
    _id              peer id
    owner, until     the lease
    failures, retry_at, opened, reason   the breaker: closed when failures is 0
    delivered, last_delivered, latency_ms   for the operator
    greeted          its first push (if it gets one) has been marked
    settles_at       when every change has ended that began before the peer was connected
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timezone

from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.lease import Lease
from db_interface.transaction import Tx
from domain.peers.statuses import CONNECTED

LANES = "push_lanes"
LEASE_S = 3.0
LEASE = Lease(owner="owner", until="until")

_LONG_AGO = datetime(2000, 1, 1, tzinfo=timezone.utc)


async def claim(db: Database, peer_id: str, owner: str) -> JsonObject | None:
    """Take or renew the lease: the lane's document, or None while another process has it."""
    for _ in range(2):
        lane = await db[LANES].find_one_and_update(
            {"_id": peer_id, **LEASE.free_for(owner)},
            [{"$set": LEASE.taken(owner, LEASE_S)}],
            return_document=True,
        )
        if lane is not None:
            return lane
        made = await db[LANES].update_one(
            {"_id": peer_id},
            {"$setOnInsert": {"owner": "", "until": _LONG_AGO, "failures": 0}},
            upsert=True,
        )
        if made.upserted_id is None:
            return None
    return None


async def release(db: Database, peer_id: str, owner: str) -> None:
    """Let another process have the lane at once."""
    await db[LANES].update_one({"_id": peer_id, "owner": owner}, {"$set": {"until": _LONG_AGO}})


async def note(db: Database, peer_id: str, owner: str, facts: JsonMapping) -> None:
    """Keep facts of the lane (its breaker, its figures) while it is ours."""
    await db[LANES].update_one({"_id": peer_id, "owner": owner}, {"$set": dict(facts)})


async def greeted(db: Database, peer_id: str, settles_at: datetime) -> None:
    await db[LANES].update_one(
        {"_id": peer_id},
        {
            "$set": {"greeted": True, "settles_at": settles_at},
            "$setOnInsert": {"owner": "", "until": _LONG_AGO, "failures": 0},
        },
        upsert=True,
    )


async def settle_at(db: Database, peer_id: str, settles_at: datetime) -> None:
    """Have what changes until then marked again, as after a first connection."""
    await db[LANES].update_one(
        {"_id": peer_id},
        {
            "$set": {"settles_at": settles_at},
            "$setOnInsert": {"owner": "", "until": _LONG_AGO, "failures": 0},
        },
        upsert=True,
    )


async def end_pause(tx: Tx, peer_id: str) -> None:
    """Close the breaker: the operator has changed something, the peer is tried at once."""
    await tx.db[LANES].update_one(
        {"_id": peer_id},
        {"$set": {"failures": 0, "retry_at": None, "reason": ""}},
        session=tx.mongo,
    )


async def settled(db: Database, peer_id: str) -> None:
    await db[LANES].update_one({"_id": peer_id}, {"$unset": {"settles_at": ""}})


async def lane_of(db: Database, peer_id: str) -> JsonObject:
    """What is known of the peer's lane, for the operator; empty if it never had one."""
    return await db[LANES].find_one({"_id": peer_id}) or {}


async def forget(db: Database, peer_id: str) -> None:
    await db[LANES].delete_one({"_id": peer_id})


async def waiting(
    db: Database, due_by: datetime, peer_ids: Collection[str] | None = None
) -> list[JsonObject]:
    """The connected peers (of those named) as {_id, updated, lane, leased, due}: whether a
    process has the lane, and whether something is to be sent.

    One round trip, and one index look-up for each peer.
    """
    wanted: JsonObject = {"status": CONNECTED}
    if peer_ids is not None:
        wanted["_id"] = {"$in": list(peer_ids)}
    rows = db["peers"].aggregate(
        [
            {"$match": wanted},
            {"$lookup": {"from": LANES, "localField": "_id", "foreignField": "_id", "as": "lane"}},
            {
                "$lookup": {
                    "from": "marks",
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
    return await rows.to_list(None)


async def known(db: Database) -> list[str]:
    """Peers that ever had a lane."""
    return await db[LANES].distinct("_id")
