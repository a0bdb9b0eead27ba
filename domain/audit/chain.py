"""The chain: each entry's hash is over the hash of the one before it and what the entry says.

Entries are written unsealed, side by side; whoever holds the lease seals them every second, in
one transaction with the head. So nobody who writes an entry waits for another, and nothing that
was sealed can be changed, taken out or put in between without the hashes saying so. Whoever
writes the head down elsewhere can prove that all before it is as it was.

At its beginning the chain is cut by age: what is dropped leaves its last hash as the anchor.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from datetime import datetime, timedelta
from functools import partial
from typing import TypedDict

import orjson

from db_interface.bulk import update_each
from db_interface.collection import Collection, Where
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping
from db_interface.lease import Lease
from db_interface.transaction import Tx
from domain.audit.entries import AUDIT, AuditEntry, close_refusals
from domain.audit.refusals import windows_over
from domain.rounds import Rounds
from domain.times import format_datetime

logger = logging.getLogger("cpo.audit")

NO_HASH = "0" * 64
AT_ONCE = 500
LEASE_S = 10.0
PAUSE_S = 1.0
DROP_EVERY = timedelta(hours=1)
_HEAD = "head"
_LEASE = Lease("owner", "until")
SAID = ("_id", "who", "action", "about", "before", "after", "result", "why", "correlation_id")
"""What of an entry is sealed, besides its place and its time."""


class Head(TypedDict, total=False):
    """The document of `audit_chain`."""

    _id: str
    seq: int
    """of the latest entry that is sealed"""
    hash: str
    anchor_seq: int
    """of the latest entry that was dropped for its age"""
    anchor_hash: str
    drop_due: datetime
    owner: str | None
    until: datetime


AUDIT_CHAIN: Collection[Head] = Collection("audit_chain")


def hash_of(previous: str, seq: int, entry: AuditEntry | JsonMapping) -> str:
    """sha256 over the previous hash and the entry as canonical JSON."""
    said = {name: entry.get(name) for name in SAID}
    said |= {"seq": seq, "at": format_datetime(entry["at"])}
    canonical = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(previous.encode() + canonical).hexdigest()


async def head_of(where: Where) -> Head:
    """As it is; before anything was sealed, its beginning."""
    found = await AUDIT_CHAIN.of(where).find_one({"_id": _HEAD})
    return found or {
        "_id": _HEAD,
        "seq": 0,
        "hash": NO_HASH,
        "anchor_seq": 0,
        "anchor_hash": NO_HASH,
    }


async def seal(store: DbInterface) -> int:
    """Seal what waits, at most AT_ONCE; how many there were. Of two at once one runs again."""

    async def work(tx: Tx) -> int:
        waiting = await AUDIT.of(tx).find(
            {"unsealed": True}, sort=[("at", 1), ("_id", 1)], limit=AT_ONCE
        )
        if not waiting:
            return 0
        head = await head_of(tx)
        seq, last = head["seq"], head["hash"]
        changes: list[tuple[JsonMapping, JsonMapping]] = []
        for entry in waiting:
            seq += 1
            last = hash_of(last, seq, entry)
            place = {"$set": {"seq": seq, "hash": last}, "$unset": {"unsealed": ""}}
            changes.append(({"_id": entry["_id"]}, place))
        moved = {"seq": seq, "hash": last}
        new = {"anchor_seq": 0, "anchor_hash": NO_HASH}
        # First the head: of two that seal at once the second conflicts here.
        await AUDIT_CHAIN.of(tx).update_one(
            {"_id": _HEAD}, {"$set": moved, "$setOnInsert": new}, upsert=True
        )
        await update_each(AUDIT.of(tx), changes)
        return len(waiting)

    return await store.transact(work)


async def drop(store: DbInterface, before: datetime) -> int:
    """Drop the beginning of the chain up to the first entry of that time or later, at most
    AT_ONCE entries: how many there were. The last one's hash is kept."""

    async def work(tx: Tx) -> int:
        head = await head_of(tx)
        first = await AUDIT.of(tx).find(
            {"seq": {"$gt": head["anchor_seq"]}},
            {"seq": 1, "hash": 1, "at": 1},
            sort=[("seq", 1)],
            limit=AT_ONCE,
        )
        old = []
        for entry in first:
            if entry["at"] >= before:
                break
            old.append(entry)
        if not old:
            return 0
        anchor = {"anchor_seq": old[-1]["seq"], "anchor_hash": old[-1]["hash"]}
        await AUDIT_CHAIN.of(tx).update_one({"_id": _HEAD}, {"$set": anchor})
        await AUDIT.of(tx).delete_many({"_id": {"$in": [entry["_id"] for entry in old]}})
        return len(old)

    return await store.transact(work)


class Sealing:
    """The job: runs in every process, and works in one. `days`: how long entries are kept; 0: for
    ever."""

    def __init__(self, store: DbInterface, days: float, *, pause_s: float = PAUSE_S) -> None:
        self._store = store
        self._days = days
        self._owner = uuid.uuid4().hex
        self.rounds = Rounds("audit log", self.round, pause_s, logger=logger)

    async def round(self) -> None:
        """Seal what waits; once an hour, drop what is too old."""
        db = self._store.db
        for key in await windows_over(self._store):
            await self._store.transact(partial(close_refusals, key=key))
        if await AUDIT.of(db).find_one({"unsealed": True}, {"_id": 1}) and await self._mine(db):
            while await seal(self._store) == AT_ONCE:
                pass
        if self._days and await self._time_to_drop(db):
            before = db.now() - timedelta(days=self._days)
            while await drop(self._store, before) == AT_ONCE:
                pass

    async def _mine(self, db: Database) -> bool:
        """Whether it is this process's to seal now. Where it is not, no harm: another does."""
        there = await AUDIT_CHAIN.of(db).find_one({"_id": _HEAD}, {"_id": 1})
        taken = await AUDIT_CHAIN.of(db).update_and_find(
            {"_id": _HEAD, **_LEASE.free_for(self._owner)},
            [{"$set": _LEASE.taken(self._owner, LEASE_S)}],
        )
        return there is None or taken is not None

    async def _time_to_drop(self, db: Database) -> bool:
        later = {"$add": ["$$NOW", round(DROP_EVERY.total_seconds() * 1000)]}
        claimed = await AUDIT_CHAIN.of(db).update_and_find(
            {
                "_id": _HEAD,
                "$expr": {"$lte": [{"$ifNull": ["$drop_due", "$$NOW"]}, "$$NOW"]},
            },
            [{"$set": {"drop_due": later}}],
        )
        return claimed is not None
