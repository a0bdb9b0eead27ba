"""Marks: "this peer has not seen the present state of this object". There are no messages.

Written in the transaction of the change, for every peer that may see the object or might have
until now (for a blocked one only what it may no longer see); taken away by the push
(due_marks.py) once the peer has seen it. A mark says nothing of the object's state: that is read
when it is sent.

A document of `marks`:
    _id        "peer id/module/object key": one mark, however often the object changes
    peer_id, module, key
    version    another one with every change, never reused
    since      when the peer fell behind; changed: the latest change
    due        not to be sent before; a change brings it forward
    whole      True: send all of it; else only `parts` (domain/outbox/mark_parts.py) have changed
    known      False: the peer cannot have had it when the mark was made
    attempts   in vain since the latest change; error {at, text} of the last one
    posting    a CDR only: its POST went out, the outcome is not known
    identity   {country_code, party_id, id} of an object that was deleted, as it was written
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from db_interface.bulk import upsert_each
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.owned_objects import NOBODY, OwnedObject, Replaced
from db_interface.transaction import Tx
from domain.outbox.mark_parts import changed_parts
from domain.peers.statuses import BLOCKED, MARKED_FOR
from domain.visibility import GUESTS, Reader, audiences, may_see

MARKS = "marks"
PUSHED = ("tariffs", "locations", "sessions", "cdrs")
"""The modules whose objects are pushed; what others refer to comes first."""
FOR_EVERY_READER = ("tariffs", "locations")

# A host whose clock is behind another's by less than this sees a fresh mark as due at once.
CLOCKS_DIFFER = timedelta(seconds=30)
_BATCH = 1000


@dataclass(frozen=True)
class Changed:
    """An object that was written (`obj`) or withdrawn (None), and what it replaced."""

    key: str
    before: Replaced
    obj: OwnedObject | None

    @property
    def audience_before(self) -> str:
        return self.before.audience or NOBODY

    @property
    def audience_after(self) -> str:
        return NOBODY if self.obj is None else self.obj.audience


def mark_id(peer_id: str, module: str, key: str) -> str:
    return f"{peer_id}/{module}/{key}"


def reader_of(peer: Mapping[str, Any]) -> Reader:
    """A peer's document as visibility knows it."""
    return Reader(
        tuple(peer.get("parties") or ()), bool((peer.get("settings") or {}).get("narrowed"))
    )


async def mark_changes(store: DbInterface, module: str, changes: Sequence[Changed], tx: Tx) -> None:
    """Mark the peers that these changes concern; call in the transaction that made them.

    The peers are read in it, too: nobody who is connected when it begins is left out.
    """
    if module not in PUSHED or not changes:
        return
    peers = await _receivers(store, module, changes, tx)
    if not peers:
        return
    now = tx.now
    updates: list[tuple[str, Mapping[str, Any]]] = []
    for change in changes:
        parts, identity = _parts(module, change), _identity_of_gone(change)
        for peer in peers:
            reader = reader_of(peer)
            seen_before = may_see(module, reader, change.audience_before)
            sees_now = may_see(module, reader, change.audience_after)
            if sees_now and peer["status"] == BLOCKED:
                continue  # it is sent all that it may see when it is resumed
            if seen_before or sees_now:
                id_, update = _mark(
                    peer["_id"], module, change.key, now, parts=parts, known=seen_before
                )
                if identity is not None:
                    update["$set"]["identity"] = identity
                updates.append((id_, update))
    await upsert_each(store.db[MARKS], updates, tx)


async def mark_everything(
    store: DbInterface,
    peer: Mapping[str, Any],
    modules: Sequence[str] = PUSHED,
    changed_since: datetime | None = None,
) -> int:
    """Mark all that the peer (its document) may see, as if it had seen nothing; with
    `changed_since` only what has been updated from then on. How many.

    CDRs that it has provably had are left out: they are sent once.
    """
    total = 0
    for module in modules:
        if not offers(peer, module):
            continue
        wanted: dict[str, Any] = {"audience": {"$in": list(audiences(module, reader_of(peer)))}}
        if changed_since is not None:
            wanted["last_updated"] = {"$gte": changed_since}
        total += await _mark_all(store, peer["_id"], module, wanted)
    return total


async def mark_unpublished(store: DbInterface, peer: Mapping[str, Any], *, known: bool) -> int:
    """Mark what a narrowed peer does not see and others do, when the peer (its document) has been
    narrowed (`known`: it could see that until now) or widened. How many."""
    return sum(
        [
            await _mark_all(store, peer["_id"], module, {"audience": GUESTS}, known=known)
            for module in FOR_EVERY_READER
            if offers(peer, module)
        ]
    )


async def mark_again(store: DbInterface, peer_id: str, module: str, key: str) -> None:
    """Mark one object anew, when it is uncertain which state the peer saw last."""
    await _mark_again(store, peer_id, module, [key])


async def post_again(db: Database, peer_id: str) -> int:
    """Forget that CDRs' POSTs went out with unknown outcome: the operator has found out that
    they failed. How many there were."""
    outcome = await db[MARKS].update_many(
        {"peer_id": peer_id, "module": "cdrs", "posting": {"$exists": True}},
        {"$unset": {"posting": ""}},
    )
    return outcome.modified_count


def offers(peer: Mapping[str, Any], module: str) -> bool:
    """Whether the peer (its document) takes pushes of the module."""
    return any(
        row["identifier"] == module and row["role"] == "RECEIVER"
        for row in peer.get("endpoints") or ()
    )


async def _receivers(
    store: DbInterface, module: str, changes: Sequence[Changed], tx: Tx
) -> list[dict[str, Any]]:
    concerned = {change.audience_before for change in changes}
    concerned |= {change.audience_after for change in changes}
    concerned.discard(NOBODY)
    if not concerned:
        return []
    query: dict[str, Any] = {
        "status": {"$in": [*MARKED_FOR, BLOCKED]},
        "endpoints": {"$elemMatch": {"identifier": module, "role": "RECEIVER"}},
    }
    if module not in FOR_EVERY_READER:
        query["parties"] = {"$in": sorted(concerned)}
    wanted = {"parties": 1, "status": 1, "settings.narrowed": 1}
    return await store.db["peers"].find(query, wanted, session=tx.mongo).to_list(None)


async def _mark_all(
    store: DbInterface, peer_id: str, module: str, wanted: Mapping[str, Any], *, known: bool = True
) -> int:
    """Mark all objects of the module that match, in batches; how many."""
    total, keys = 0, []
    async for document in store.db[module].find(wanted, {"_id": 1}).batch_size(_BATCH):
        keys.append(document["_id"])
        if len(keys) == _BATCH:
            total += await _mark_again(store, peer_id, module, keys, known=known)
            keys = []
    return total + await _mark_again(store, peer_id, module, keys, known=known)


async def _mark_again(
    store: DbInterface, peer_id: str, module: str, keys: Sequence[str], *, known: bool = True
) -> int:
    if module == "cdrs" and keys:
        wanted = {"_id": {"$in": [mark_id(peer_id, module, key) for key in keys]}}
        proven = {row["key"] async for row in store.db["deliveries"].find(wanted, {"key": 1})}
        keys = [key for key in keys if key not in proven]
    now = store.db.now()
    updates = [_mark(peer_id, module, key, now, parts=None, known=known) for key in keys]
    await upsert_each(store.db[MARKS], updates)
    return len(updates)


def _identity_of_gone(change: Changed) -> dict[str, str] | None:
    if change.obj is not None or change.before.raw is None:
        return None
    fields = orjson.loads(change.before.raw)
    return {name: fields[name] for name in ("country_code", "party_id", "id")}


def _parts(module: str, change: Changed) -> tuple[str, ...] | None:
    """What has changed, or None for all of it: always when it appears or goes."""
    if change.obj is None or change.before.raw is None:
        return None
    if change.audience_before != change.audience_after:
        return None
    return changed_parts(
        module, orjson.loads(change.before.raw), orjson.loads(orjson.dumps(change.obj.fields))
    )


def _mark(
    peer_id: str,
    module: str,
    key: str,
    now: datetime,
    *,
    parts: tuple[str, ...] | None,
    known: bool,
) -> tuple[str, dict[str, Any]]:
    fresh = {"version": uuid.uuid4().hex, "changed": now, "attempts": 0}
    update: dict[str, Any] = {
        "$set": fresh if parts is not None else {**fresh, "whole": True},
        "$min": {"due": now - CLOCKS_DIFFER},
        "$setOnInsert": {
            "peer_id": peer_id,
            "module": module,
            "key": key,
            "since": now,
            "known": known,
        },
    }
    if parts is not None:
        update["$addToSet"] = {"parts": {"$each": list(parts)}}
    return mark_id(peer_id, module, key), update
