"""The `commands` collection: kept, claimed under a lease, ended; by any worker, one at a time.

A document:
    _id            command_id: the charge point knows the command by it, too
    kind           OCPI's commands; SET_, GET_, CLEAR_PROFILE; INNER_...: what we ourselves want of
                   a charge point; PROFILE_UPDATE, RESERVATION_CANCELED: only to be delivered
    state          command_states.State
    cp_id, seq     whose turn: the commands of one charge point are carried out in order of `seq`,
                   which is given in the creating transaction
    peer_id, idempotency_key  who asked; fingerprint of the request while it counts as the same one
    answer         the synchronous answer that the peer got
    session_id?, and what the kind needs, under `content`
    attempts, unsent   how often the charge point was asked; how often it surely did not hear
    created, deadline (its answer counts until then), due (a worker may look),
    lease, lease_until   who works on it, by the database's clock (db_interface/lease.py)
    result         the body that goes to the peer
    delivery       {peer_id, method, url | module + path, correlation_id, from_party, to_party,
                   until, attempts, error?}; absent where nobody waits
    finished_at    when it became final; it is deleted KEPT_DAYS later (db_interface/indexes.py)

Nothing here knows what a command means. Every write names the state that it changes and, for
whoever holds a lease, the lease: a worker that lost it changes nothing any more.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from db_interface.database import Database
from db_interface.lease import Lease
from db_interface.transaction import Tx, mongo_session
from domain.commands.command_states import OPEN, Event, State, next_state

COLLECTION = "commands"
LANES = "command_lanes"
LEASE = Lease(owner="lease", until="lease_until")

Document = dict[str, Any]


class LeaseLost(Exception):
    """Another worker, or the deadline, has the command now: nothing may be written."""


async def add(
    db: Database,
    kind: str,
    *,
    cp_id: str | None,
    now: datetime,
    deadline: datetime,
    tx: Tx,
    result: Mapping[str, Any] | None = None,
    delivery: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Document:
    """Keep a new command; call inside a transaction. With `result` it has its result already."""
    document: Document = {
        "_id": str(uuid.uuid4()),
        "kind": kind,
        "state": (State.RECEIVED if result is None else State.RESULT).value,
        "cp_id": cp_id,
        "seq": await _place(db, cp_id, tx),
        "created": now,
        "due": now,
        "deadline": deadline,
        "lease": None,
        "attempts": 0,
        "unsent": 0,
        **fields,
    }
    if result is not None:
        document["result"] = dict(result)
    if delivery is not None:
        document["delivery"] = {**delivery, "attempts": 0}
    await db[COLLECTION].insert_one(document, session=tx.mongo)
    return document


async def _place(db: Database, cp_id: str | None, tx: Tx) -> int:
    if cp_id is None:
        return 0
    lane = await db[LANES].find_one_and_update(
        {"_id": cp_id}, {"$inc": {"n": 1}}, upsert=True, return_document=True, session=tx.mongo
    )
    return lane["n"]


async def same_request(db: Database, idempotency_key: str, tx: Tx | None = None) -> Document | None:
    """The command that the latest request with this fingerprint has made, or None."""
    return await db[COLLECTION].find_one(
        {"idempotency_key": idempotency_key}, session=mongo_session(tx)
    )


async def free_idempotency_key(db: Database, idempotency_key: str, tx: Tx) -> None:
    """From now on the same request makes a new command."""
    await db[COLLECTION].update_one(
        {"idempotency_key": idempotency_key}, {"$unset": {"idempotency_key": ""}}, session=tx.mongo
    )


async def due_for_charge_points(db: Database, now: datetime, limit: int) -> list[Document]:
    """[{_id, cp_id, seq}] of open commands that a worker may take, the longest due first."""
    found = db[COLLECTION].find(
        {"state": {"$in": list(OPEN)}, "due": {"$lte": now}}, {"cp_id": 1, "seq": 1}
    )
    return await found.sort("due", 1).limit(limit).to_list(limit)


async def due_for_peers(db: Database, now: datetime, limit: int) -> list[Document]:
    """[{_id, delivery.peer_id}] of results that a worker may deliver, the longest due first."""
    found = db[COLLECTION].find(
        {"state": State.RESULT.value, "due": {"$lte": now}}, {"delivery.peer_id": 1}
    )
    return await found.sort("due", 1).limit(limit).to_list(limit)


async def overdue(db: Database, now: datetime, limit: int) -> list[str]:
    """Ids of open commands whose deadline has passed, whoever holds them."""
    found = db[COLLECTION].find(
        {"state": {"$in": list(OPEN)}, "deadline": {"$lte": now}}, {"_id": 1}
    )
    return [row["_id"] for row in await found.sort("deadline", 1).limit(limit).to_list(limit)]


async def next_instant(db: Database, now: datetime) -> datetime | None:
    """When something is next to be done that is not yet: the earliest due or deadline."""
    documents = db[COLLECTION]
    waiting = {"state": {"$in": [*OPEN, State.RESULT.value]}, "due": {"$gt": now}}
    ending = {"state": {"$in": list(OPEN)}, "deadline": {"$gt": now}}
    first = await documents.find_one(waiting, {"due": 1}, sort=[("due", 1)])
    last = await documents.find_one(ending, {"deadline": 1}, sort=[("deadline", 1)])
    instants = [row[name] for row, name in ((first, "due"), (last, "deadline")) if row is not None]
    return min(instants, default=None)


async def is_first(db: Database, row: Mapping[str, Any]) -> bool:
    """Whether no earlier command of the same charge point is still open."""
    if row["cp_id"] is None:
        return True
    earlier = await db[COLLECTION].find_one(
        {"cp_id": row["cp_id"], "state": {"$in": list(OPEN)}, "seq": {"$lt": row["seq"]}},
        {"_id": 1},
    )
    return earlier is None


async def claim(
    db: Database, command_id: str, states: Sequence[str], now: datetime, lease: str, lease_s: float
) -> Document | None:
    """Take the command for `lease_s`; None if somebody else was first."""
    due = now + timedelta(seconds=lease_s)
    return await db[COLLECTION].find_one_and_update(
        {"_id": command_id, "state": {"$in": list(states)}, "due": {"$lte": now}, **LEASE.free},
        [{"$set": {"due": due, **LEASE.taken(lease, lease_s)}}],
        return_document=True,
    )


async def prolong(db: Database, command: Document, now: datetime, lease_s: float) -> bool:
    """Hold it for so long from now; False: the lease is lost."""
    due = now + timedelta(seconds=lease_s)
    written = await db[COLLECTION].update_one(
        {"_id": command["_id"], **LEASE.held_by(command["lease"])},
        [{"$set": {"due": due, **LEASE.prolonged(lease_s)}}],
    )
    return bool(written.matched_count)


async def put_back(db: Database, command: Document, due: datetime, **changes: Any) -> None:
    """Any worker may take it again from `due` on; nothing if the lease is lost."""
    await db[COLLECTION].update_one(
        {"_id": command["_id"], "state": command["state"], "lease": command["lease"]},
        {"$set": {**changes, "due": due, "lease": None}},
    )


async def waiting(db: Database, cp_id: str, most: int) -> int:
    """How many commands wait for the charge point, counted up to `most`."""
    return await db[COLLECTION].count_documents(
        {"cp_id": cp_id, "state": {"$in": list(OPEN)}}, limit=most
    )


async def release_all(db: Database, lease_prefix: str, now: datetime) -> None:
    """What this worker holds may be taken at once (it stops)."""
    await db[COLLECTION].update_many(
        {
            "state": {"$in": [*OPEN, State.RESULT.value]},
            "lease": {"$regex": f"^{lease_prefix}"},
        },
        {"$set": {"due": now, "lease": None}},
    )


async def advance(
    db: Database,
    command: Document,
    event: Event,
    tx: Tx | None = None,
    *,
    any_holder: bool = False,
    **changes: Any,
) -> Document:
    """Let `event` happen to the command as it was read; the command after it.

    Raises LeaseLost if it is in another state by now or, unless `any_holder`, in other hands;
    inside a transaction that undoes what was written with it.
    """
    state = next_state(command["state"], event)
    changes["state"] = state.value
    if state.value not in OPEN:
        # Who waits for the result's delivery, or for nothing, needs no lease of this one.
        changes["lease"] = None
    query = {"_id": command["_id"], "state": command["state"]}
    if not any_holder:
        query["lease"] = command["lease"]
    after = await db[COLLECTION].find_one_and_update(
        query, {"$set": changes}, return_document=True, session=mongo_session(tx)
    )
    if after is None:
        raise LeaseLost(command["_id"])
    return after


async def move(
    db: Database, command: Document, cp_id: str, now: datetime, tx: Tx, **changes: Any
) -> Document:
    """Let the command wait at another charge point, behind what waits there."""
    seq = await _place(db, cp_id, tx)
    return await advance(
        db, command, Event.MOVED, tx, cp_id=cp_id, seq=seq, due=now, lease=None, **changes
    )


async def get(db: Database, command_id: str, tx: Tx | None = None) -> Document | None:
    return await db[COLLECTION].find_one({"_id": command_id}, session=mongo_session(tx))
