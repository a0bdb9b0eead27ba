"""The `commands` collection: kept, claimed under a lease, ended; by any worker, one at a time.

Nothing here knows what a command means. Every write names the state that it changes and, for
whoever holds a lease, the lease: a worker that lost it changes nothing any more.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from db_interface.collection import Collection, Where
from db_interface.database import Database
from db_interface.json_data import JsonMapping
from db_interface.lease import Lease
from db_interface.transaction import Tx
from domain.commands.command_delivery import DeliveryRecord
from domain.commands.command_states import OPEN, Event, State, next_state
from domain.events.kinds import COMMANDS as EVENTS_OF
from domain.events.marks import Touched, mark_event
from domain.log_events import event
from domain.trace import TRACEPARENT, bound_id


class Asker(TypedDict):
    """As domain.operators.actor names whoever acts."""

    kind: str
    name: str


class Command(TypedDict, total=False):
    """Always there: everything from `_id` to `unsent`."""

    _id: str
    """command_id: the charge point knows the command by it, too."""
    kind: str
    """OCPI's commands; SET_, GET_, CLEAR_PROFILE; INNER_...: what we ourselves want of a charge
    point; PROFILE_UPDATE, RESERVATION_CANCELED: only to be delivered."""
    state: str
    """command_states.State"""
    cp_id: str | None
    seq: int
    """Whose turn: the commands of one charge point are carried out in order of `seq`, which is
    given in the creating transaction."""
    created: datetime
    due: datetime
    """When a worker may take it."""
    deadline: datetime
    """The charge point's answer counts until then."""
    lease: str | None
    lease_until: datetime | None
    """Who works on it, by the database's clock (db_interface/lease.py)."""
    attempts: int
    """How often the charge point was asked."""
    unsent: int
    """How often it surely did not hear."""

    peer_id: str
    """Which peer has asked."""
    by: Asker
    """Who of ours has, where no peer did."""
    idempotency_key: str
    """Fingerprint of the request, while the same one again counts as this one."""
    answer: JsonMapping
    """The synchronous answer that the peer got."""
    session_id: str | None
    content: JsonMapping
    """What the kind needs."""
    traceparent: str
    """The trace that it was asked for in, where traces are kept."""
    sent_at: datetime
    answered_at: datetime
    expired_at: datetime
    result: JsonMapping
    """The body that goes to the peer."""
    delivery: DeliveryRecord
    """Absent where nobody waits."""
    finished_at: datetime
    """When it became final; it is deleted 30 days later (db_interface/indexes.py) or sooner
    (`forget`)."""


class _Lane(TypedDict):
    """The turns that were given at a charge point."""

    _id: str
    n: int


logger = logging.getLogger("cpo.commands")

_AT_ONCE = 500
LEASE = Lease(owner="lease", until="lease_until")
COMMANDS: Collection[Command] = Collection("commands")
_LANES: Collection[_Lane] = Collection("command_lanes")


class LeaseLost(Exception):
    """Another worker, or the deadline, has the command now: nothing may be written."""


async def add(
    tx: Tx, kind: str, *, cp_id: str | None, deadline: datetime, also: Command
) -> Command:
    """Keep a new command with what its kind needs `also`; with a `result` it is only to be
    delivered."""
    document: Command = {
        **also,
        "_id": str(uuid.uuid4()),
        "kind": kind,
        "state": (State.RESULT if "result" in also else State.RECEIVED).value,
        "cp_id": cp_id,
        "seq": await _next_turn(tx, cp_id),
        "created": tx.now,
        "due": tx.now,
        "deadline": deadline,
        "lease": None,
        "attempts": 0,
        "unsent": 0,
    }
    traceparent = bound_id(TRACEPARENT)
    if traceparent is not None:
        document["traceparent"] = traceparent
    if "delivery" in also:
        document["delivery"] = {**also["delivery"], "attempts": 0}
    await COMMANDS.of(tx).insert_one(document)
    _tell_of(document, tx)
    if is_asked_for(document):
        _say_taken_up(tx, document)
    return document


def _say_taken_up(tx: Tx, command: Command) -> None:
    """Of what somebody has asked for; what we ourselves want of a charge point is our own."""
    peer_id, by = command.get("peer_id"), command.get("by")
    who = f"peer {peer_id}" if peer_id else by["name"] if by else "nobody"
    tx.say(
        event(
            logger,
            "command.accepted",
            command_id=command["_id"],
            kind=command["kind"],
            cp_id=command["cp_id"],
            peer_id=peer_id,
            by=by and by["name"],
            session_id=command.get("session_id"),
        ),
        "command %s: %s for charge point %s, asked by %s",
        command["_id"],
        command["kind"],
        command["cp_id"] or "none",
        who,
    )


def _tell_of(command: Command, tx: Tx) -> None:
    """Of what somebody has asked for the event stream is told: all but the delivery of its result,
    which alone is noted outside of transactions."""
    if is_asked_for(command):
        mark_event(Touched(EVENTS_OF, command["_id"]), tx)


def is_asked_for(command: Command) -> bool:
    """Whether a peer or one of ours wants it; else it is our own business with a charge point."""
    return "peer_id" in command or "by" in command


async def _next_turn(tx: Tx, cp_id: str | None) -> int:
    if cp_id is None:
        return 0
    lane = await _LANES.of(tx).update_and_find({"_id": cp_id}, {"$inc": {"n": 1}}, upsert=True)
    return 0 if lane is None else lane["n"]


async def get(where: Where, command_id: str) -> Command | None:
    return await COMMANDS.of(where).find_one({"_id": command_id})


async def same_request(where: Where, idempotency_key: str) -> Command | None:
    """The command that the latest request with this fingerprint has made, or None."""
    return await COMMANDS.of(where).find_one({"idempotency_key": idempotency_key})


async def free_idempotency_key(tx: Tx, idempotency_key: str) -> None:
    """From now on the same request makes a new command."""
    await COMMANDS.of(tx).update_one(
        {"idempotency_key": idempotency_key}, {"$unset": {"idempotency_key": ""}}
    )


async def recent(
    db: Database, session_id: str, kinds: Sequence[str], within: timedelta, limit: int
) -> int:
    """How many commands of those kinds a session has had lately, counted up to `limit`."""
    since = db.now() - within
    return await COMMANDS.of(db).count(
        {"session_id": session_id, "created": {"$gt": since}, "kind": {"$in": list(kinds)}},
        limit=limit,
    )


async def waiting(where: Where, cp_id: str, limit: int) -> int:
    """How many commands wait for the charge point, counted up to `limit`."""
    return await COMMANDS.of(where).count(
        {"cp_id": cp_id, "state": {"$in": list(OPEN)}}, limit=limit
    )


@dataclass(frozen=True)
class ToDo:
    """What there is for a worker at one instant."""

    overdue: Sequence[str]
    """Ids of open commands whose deadline has passed, whoever holds them."""
    for_charge_points: Sequence[Command]
    """[{_id, cp_id, seq}] of open commands that a worker may take, the longest due first."""
    for_peers: Sequence[Command]
    """[{_id, delivery.peer_id}] of results that a worker may deliver, the longest due first."""
    next_instant: datetime | None
    """When there is something that is not yet there; None: not within the time that was asked
    for."""


async def to_do(db: Database, now: datetime, ahead: timedelta, limit: int) -> ToDo:
    """Two queries, for it is asked whenever anything happens. `ahead`: for how long whoever asks
    would rest. `limit`: how many at most are overdue, and twice as many due."""
    soon, documents = {"$lte": now + ahead}, COMMANDS.of(db)
    ending = await documents.find(
        {"state": {"$in": list(OPEN)}, "deadline": soon},
        {"deadline": 1},
        sort=[("deadline", 1)],
        limit=limit,
    )
    due = await documents.find(
        {"state": {"$in": [*OPEN, State.RESULT.value]}, "due": soon},
        {"state": 1, "due": 1, "cp_id": 1, "seq": 1, "delivery.peer_id": 1},
        sort=[("due", 1)],
        limit=2 * limit,
    )
    is_due = [row for row in due if row["due"] <= now]
    instants = [row["deadline"] for row in ending if row["deadline"] > now]
    instants += [row["due"] for row in due if row["due"] > now]
    return ToDo(
        overdue=[row["_id"] for row in ending if row["deadline"] <= now],
        for_charge_points=[row for row in is_due if row["state"] in OPEN],
        for_peers=[row for row in is_due if row["state"] not in OPEN],
        next_instant=min(instants, default=None),
    )


async def first_in_line(db: Database, rows: Sequence[Command]) -> list[Command]:
    """Those of [{_id, cp_id, seq}] before which no earlier command of the same charge point is
    still open, in the order in which they came."""
    cp_ids = sorted({row["cp_id"] for row in rows if row["cp_id"] is not None})
    first = {}
    if cp_ids:
        stages: list[JsonMapping] = [
            {"$match": {"cp_id": {"$in": cp_ids}, "state": {"$in": list(OPEN)}}},
            {"$group": {"_id": "$cp_id", "seq": {"$min": "$seq"}}},
        ]
        first = {one["_id"]: one["seq"] for one in await COMMANDS.of(db).aggregate(stages)}
    ready = [row for row in rows if row["seq"] <= first.get(row["cp_id"], row["seq"])]
    return sorted(ready, key=lambda row: row["seq"])


async def claim(
    db: Database, command_id: str, states: Sequence[str], now: datetime, lease: str, lease_s: float
) -> Command | None:
    """Take the command for `lease_s`; None if somebody else was first."""
    due = now + timedelta(seconds=lease_s)
    return await COMMANDS.of(db).update_and_find(
        {"_id": command_id, "state": {"$in": list(states)}, "due": {"$lte": now}, **LEASE.free},
        [{"$set": {"due": due, **LEASE.taken(lease, lease_s)}}],
    )


async def prolong(db: Database, command: Command, now: datetime, lease_s: float) -> bool:
    """Hold it for so long from now; False: the lease is lost."""
    due = now + timedelta(seconds=lease_s)
    return await COMMANDS.of(db).update_one(
        {"_id": command["_id"], **LEASE.held_by(command["lease"] or "")},
        [{"$set": {"due": due, **LEASE.prolonged(lease_s)}}],
    )


async def put_back(db: Database, command: Command, due: datetime, **changes: object) -> None:
    """Any worker may take it again from `due` on; nothing if the lease is lost."""
    await COMMANDS.of(db).update_one(
        {"_id": command["_id"], "state": command["state"], "lease": command["lease"]},
        {"$set": {**changes, "due": due, "lease": None}},
    )


async def release_all(db: Database, lease_prefix: str, now: datetime) -> None:
    """What this worker holds may be taken at once (it stops)."""
    await COMMANDS.of(db).update_many(
        {
            "state": {"$in": [*OPEN, State.RESULT.value]},
            "lease": {"$regex": f"^{lease_prefix}"},
        },
        {"$set": {"due": now, "lease": None}},
    )


async def party_is_back(db: Database, peer_id: str, now: datetime) -> None:
    """Offer the results that this hub has not taken at once: one may have awaited a party behind
    it."""
    waiting = {"state": State.RESULT.value, "delivery.peer_id": peer_id, "lease": None}
    await COMMANDS.of(db).update_many(waiting, {"$set": {"due": now}})


async def undelivered(db: Database, since: datetime) -> dict[str, int]:
    """How many results each peer never took, of those that were given up since then."""
    rows = await COMMANDS.of(db).aggregate(
        [
            {"$match": {"state": State.UNDELIVERED.value, "finished_at": {"$gte": since}}},
            {"$group": {"_id": "$delivery.peer_id", "n": {"$sum": 1}}},
        ]
    )
    return {row["_id"]: row["n"] for row in rows}


async def advance(
    where: Where,
    command: Command,
    event: Event,
    changes: Mapping[str, object] = {},
    *,
    any_holder: bool = False,
) -> Command:
    """Let `event` happen to the command as it was read, with `changes`; the command after it.

    Raises LeaseLost if it is in another state by now or, unless `any_holder`, in other hands;
    inside a transaction that undoes what was written with it.
    """
    state = next_state(command["state"], event)
    written = {**changes, "state": state.value}
    if state.value not in OPEN:
        # Who waits for the result's delivery, or for nothing, needs no lease of this one.
        written["lease"] = None
    query: dict[str, object] = {"_id": command["_id"], "state": command["state"]}
    if not any_holder:
        query["lease"] = command["lease"]
    after = await COMMANDS.of(where).update_and_find(query, {"$set": written})
    if after is None:
        raise LeaseLost(command["_id"])
    if isinstance(where, Tx):
        _tell_of(after, where)
    return after


async def move(tx: Tx, command: Command, cp_id: str, changes: Mapping[str, object]) -> Command:
    """Let the command wait at another charge point, behind what waits there."""
    seq = await _next_turn(tx, cp_id)
    moved = {"cp_id": cp_id, "seq": seq, "due": tx.now, "lease": None}
    return await advance(tx, command, Event.MOVED, {**changes, **moved})


async def forget(db: Database, before: datetime) -> AsyncIterator[int]:
    """Delete those that were final by that time, in small parts; how many each time."""
    over = {"finished_at": {"$lt": before}}
    while found := await COMMANDS.of(db).find(over, {"_id": 1}, limit=_AT_ONCE):
        yield await COMMANDS.of(db).delete_many({"_id": {"$in": [one["_id"] for one in found]}})
