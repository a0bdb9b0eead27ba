"""Marks: "this peer has not seen the present state of this object". There are no messages.

Written in the transaction of the change, for every peer that may see the object or might have
until now (for a blocked one only what it may no longer see); taken away by the push
(due_marks.py) once the peer has seen it. A mark says nothing of the object's state: that is read
when it is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TypedDict

import orjson

from db_interface.bulk import upsert_each
from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import NOBODY, OwnedDocument, OwnedObject, Replaced
from db_interface.transaction import Tx
from domain.objects.location_fields import fields_of
from domain.outbox import deliveries
from domain.outbox.crash_points import crash_point
from domain.outbox.fresh_marks import fresh_mark
from domain.outbox.mark_parts import changed_parts
from domain.peers.peer_document import PeerDocument, given_groups, receivers
from domain.peers.statuses import BLOCKED, MARKED_FOR
from domain.versions import version_of
from domain.visibility import GUESTS, Reader, may_see, required, visible


class MarkError(TypedDict, total=False):
    at: datetime
    text: str
    refused: bool
    """the peer has read the object and does not want it"""
    awaits: str
    """the folded party that its hub does not reach now"""


class MarkDocument(TypedDict, total=False):
    """A document of `marks`. Complete as stored; some readers ask for less."""

    _id: str
    """ "peer id/module/object key": one mark, however often the object changes"""
    peer_id: str
    module: str
    key: str
    version: str
    """another one with every change, never reused"""
    since: datetime
    """when the peer fell behind"""
    changed: datetime
    """the latest change"""
    due: datetime
    """not to be sent before; a change brings it forward"""
    whole: bool
    """send all of it; else only `parts` (mark_parts.py) have changed"""
    parts: list[str]
    known: bool
    """False: the peer cannot have had it when the mark was made"""
    attempts: int
    """in vain since the latest change"""
    error: MarkError
    """of the last attempt"""
    posting: datetime
    """a CDR only: its POST went out, the outcome is not known"""
    request_id: str
    """a CDR only: the X-Request-ID of its POST and of every repeat, until the peer has answered"""
    missed: datetime
    """a CDR only: the peer said then, once, that it has not got what was POSTed"""
    before_restore: bool
    """a CDR only: another one of its id may have been POSTed before the store was restored"""
    identity: Mapping[str, str]
    """{country_code, party_id, id} of an object that was deleted, as it was written"""


MARKS: Collection[MarkDocument] = Collection("marks")
PUSHED = ("tariffs", "locations", "sessions", "cdrs")
"""The modules whose objects are pushed; what others refer to comes first."""
FOR_EVERY_READER = ("tariffs", "locations")

AHEAD = timedelta(minutes=1)
"""A lane goes by what is due longest. Of fresh marks what a driver looks at goes first: a change of
status is due so much earlier than what begins, ends or changes otherwise, and that than a session
that merely goes on, or what is sent once more. Who has waited longer than that waits no more."""
_BATCH = 1000


@dataclass(frozen=True)
class Changed:
    """An object that was written (`obj`) or withdrawn (None), and what it replaced."""

    key: str
    before: Replaced
    obj: OwnedObject | None
    posted: datetime | None = None
    """A CDR only: it may have been POSTed once, then at the latest."""

    @property
    def audience_before(self) -> str:
        return self.before.audience or NOBODY

    @property
    def audience_after(self) -> str:
        return NOBODY if self.obj is None else self.obj.audience

    @cached_property
    def has_before(self) -> Sequence[str]:
        """Of a location: what of that which a peer can require it had."""
        return () if self.before.raw is None else fields_of(orjson.loads(self.before.raw))

    @property
    def has_after(self) -> Sequence[str]:
        return () if self.obj is None else self.obj.links.get("has", ())


def mark_id(peer_id: str, module: str, key: str) -> str:
    return f"{peer_id}/{module}/{key}"


def reader_of(peer: PeerDocument) -> Reader:
    """A peer's document as visibility knows it."""
    holds = (*(peer.get("audiences") or ()), *(peer.get("client_audiences") or ()))
    version = version_of(peer.get("version", ""))
    return Reader.of(peer.get("settings"), peer.get("parties") or (), holds, version)


def mark_changes(module: str, changes: Sequence[Changed], tx: Tx) -> None:
    """Mark the peers that these changes concern; call in the transaction that made them.

    It is done at the transaction's end, for all modules together: one look at the peers, one
    write. The peers are read in the transaction, too: nobody who is connected when it begins is
    left out.
    """
    if module in PUSHED:
        for change in changes:
            tx.at_end(_mark_all_changes, (module, change))


async def _mark_all_changes(tx: Tx, changed: list[tuple[str, Changed]]) -> None:
    by_module: dict[str, list[Changed]] = {}
    for module, change in changed:
        by_module.setdefault(module, []).append(change)
    peers = await _receivers(by_module, tx)
    readers = [(peer, reader_of(peer)) for peer in peers]
    updates: list[tuple[str, JsonMapping]] = []
    for module, changes in by_module.items():
        concerned = [(peer, reader) for peer, reader in readers if offers(peer, module)]
        if concerned:
            updates += await _marks_of(module, changes, concerned, tx)
    await upsert_each(MARKS.of(tx), updates)
    crash_point("marks-written")


async def _marks_of(
    module: str,
    changes: Sequence[Changed],
    readers: Sequence[tuple[PeerDocument, Reader]],
    tx: Tx,
) -> list[tuple[str, JsonMapping]]:
    """What the changes of one module are to these peers."""
    groups: Mapping[str, Sequence[str]] = {}
    if module == "locations" and any(reader.groups is not None for _, reader in readers):
        groups = await _groups_of([change.key for change in changes], tx)
    updates: list[tuple[str, JsonMapping]] = []
    for change in changes:
        parts, identity = _parts(module, change), identity_of_gone(change)
        ahead = _ahead(module, change, parts)
        its = groups.get(change.key, ())
        for peer, reader in readers:
            had, has = (change.has_before, change.has_after) if reader.requires else ((), ())
            seen_before = may_see(module, reader, change.audience_before, had, its)
            sees_now = may_see(module, reader, change.audience_after, has, its)
            if sees_now and peer["status"] == BLOCKED:
                continue  # it is sent all that it may see when it is resumed
            if seen_before or sees_now:
                id_, update = _mark(
                    peer["_id"],
                    module,
                    change.key,
                    tx.now,
                    parts=parts if seen_before == sees_now else None,
                    known=seen_before,
                    ahead=ahead,
                )
                if identity is not None:
                    update["$set"]["identity"] = identity
                if change.posted is not None:
                    update["$set"] |= {"posting": change.posted, "before_restore": True}
                updates.append((id_, update))
    return updates


async def mark_everything(
    store: DbInterface,
    peer: PeerDocument,
    modules: Sequence[str] = PUSHED,
    changed_since: datetime | None = None,
    key: str | None = None,
) -> int:
    """Mark all that the peer (its document) may see, as if it had seen nothing; with
    `changed_since` only what has been updated from then on, with `key` that object alone. How many.

    CDRs that it has provably had are left out: they are sent once.
    """
    total = 0
    for module in modules:
        if not offers(peer, module):
            continue
        wanted = visible(module, reader_of(peer))
        if changed_since is not None:
            wanted["last_updated"] = {"$gte": changed_since}
        if key is not None:
            wanted["_id"] = key
        total += await _mark_all(store, peer["_id"], module, wanted)
    return total


async def mark_unpublished(store: DbInterface, peer: PeerDocument) -> int:
    """Mark what a peer (its document) that has been narrowed does not see any more, and others
    do. How many."""
    return sum(
        [
            await _mark_all(
                store,
                peer["_id"],
                module,
                {**visible(module, reader_of(peer)), "audience": GUESTS},
            )
            for module in FOR_EVERY_READER
            if offers(peer, module)
        ]
    )


async def mark_matching(
    store: DbInterface, peer: PeerDocument, module: str, wanted: JsonMapping
) -> int:
    """Mark what of the module matches, as what the peer (its document) may have. How many."""
    return await _mark_all(store, peer["_id"], module, wanted) if offers(peer, module) else 0


async def mark_turned(store: DbInterface, peer: PeerDocument, before: Reader) -> int:
    """Mark the locations that the peer (its document) could see as `before` and cannot now; where
    what it is offered is what it was, those that it is not, to make sure that it has none of them.
    How many."""
    if not offers(peer, "locations"):
        return 0
    after = reader_of(peer)
    same = required("locations", before) == required("locations", after)
    seen_by = replace(after, requires=(), groups=None) if same else before
    wanted = unseen("locations", seen_by, after)
    return await _mark_all(store, peer["_id"], "locations", wanted, known=not same)


def unseen(module: str, seen_by: Reader, unseen_by: Reader) -> JsonObject:
    """The query for what the one reader may see and the other may not."""
    return {"$and": [visible(module, seen_by), {"$nor": [visible(module, unseen_by)]}]}


async def mark_opened(
    peer_id: str, module: str, keys: Sequence[str], tx: Tx, *, known: bool = False
) -> None:
    """Mark what opens to the peer in this transaction: it cannot have had it, or with `known` may
    have."""
    updates = [_mark(peer_id, module, key, tx.now, parts=None, known=known) for key in keys]
    await upsert_each(MARKS.of(tx), updates)


async def mark_regrouped(rows: Sequence[tuple[OwnedDocument, Sequence[str]]], tx: Tx) -> list[str]:
    """Mark the peers that are given groups, and for whom these locations come or go by that: each
    with its new groups. Call in the transaction that gives it these. The folded keys of those that
    come to any peer, whether it takes pushes or not."""
    peers = [(peer, reader_of(peer)) for peer in await given_groups(tx)]
    updates: list[tuple[str, JsonMapping]] = []
    opened: dict[str, None] = {}
    for location, groups in rows:
        has = location.get("links", {}).get("has", ())
        for peer, reader in peers:
            saw, sees = (
                may_see("locations", reader, location["audience"], has, its)
                for its in (location.get("groups", ()), groups)
            )
            if sees and not saw:
                opened[location["_id"]] = None
            marked = offers(peer, "locations") and not (sees and peer["status"] == BLOCKED)
            if saw != sees and marked:
                updates.append(
                    _mark(peer["_id"], "locations", location["_id"], tx.now, parts=None, known=saw)
                )
    await upsert_each(MARKS.of(tx), updates)
    return list(opened)


async def mark_audiences(store: DbInterface, peer: PeerDocument, opened: Sequence[str]) -> int:
    """Mark what has these audiences, which have just been opened to the peer (its document).
    How many."""
    return sum(
        [
            await _mark_all(store, peer["_id"], module, {"audience": {"$in": list(opened)}})
            for module in PUSHED
            if module not in FOR_EVERY_READER and offers(peer, module)
        ]
    )


async def mark_again(store: DbInterface, peer_id: str, module: str, key: str) -> None:
    """Mark one object again, when it is uncertain which state the peer saw last."""
    await _mark_again(store, peer_id, module, [key])


async def mark_to_be_asked(store: DbInterface, peer_id: str, keys: Sequence[str]) -> None:
    """Mark CDRs that the peer turned out not to have. They may have been sent before: so the push
    asks for each once more, as after a POST of unknown outcome, before it sends it."""
    now = store.db.now()
    updates: list[tuple[str, JsonMapping]] = []
    for key in keys:
        id_, update = _mark(peer_id, "cdrs", key, now, parts=None, known=True)
        update["$set"]["posting"] = now
        updates.append((id_, update))
    if updates:
        await upsert_each(MARKS.of(store.db), updates)


async def post_again(db: Database, peer_id: str, key: str | None = None) -> int:
    """Forget that CDRs' POSTs (with `key`: that one's) went out with unknown outcome: the operator
    has found out that they failed. How many there were. Their X-Request-IDs stay."""
    query: JsonObject = {"peer_id": peer_id, "module": "cdrs", "posting": {"$exists": True}}
    if key is not None:
        query["_id"] = mark_id(peer_id, "cdrs", key)
    return await MARKS.of(db).update_many(query, {"$unset": {"posting": "", "missed": ""}})


def offers(peer: PeerDocument, module: str) -> bool:
    """Whether the peer (its document) takes pushes of the module."""
    return any(
        row["identifier"] == module and row["role"] == "RECEIVER"
        for row in peer.get("endpoints") or ()
    )


async def _groups_of(keys: Sequence[str], tx: Tx) -> dict[str, Sequence[str]]:
    """The groups of each of these locations that has any."""
    wanted = {"_id": {"$in": list(keys)}, "groups": {"$exists": True}}
    found = await tx.store.objects("locations").of(tx).find(wanted, {"groups": 1})
    return {location["_id"]: location["groups"] for location in found}


async def _receivers(changes: Mapping[str, Sequence[Changed]], tx: Tx) -> list[PeerDocument]:
    """The peers that some of these changes, by module, may concern."""
    concerned: set[str] = set()
    for_all = False
    for module, changed in changes.items():
        audiences = {change.audience_before for change in changed}
        audiences |= {change.audience_after for change in changed}
        audiences.discard(NOBODY)
        concerned |= audiences
        for_all = for_all or (bool(audiences) and module in FOR_EVERY_READER)
    if not concerned:
        return []
    wanted = None if for_all else concerned
    return await receivers(tx, list(changes), [*MARKED_FOR, BLOCKED], wanted)


async def _mark_all(
    store: DbInterface, peer_id: str, module: str, wanted: JsonMapping, *, known: bool = True
) -> int:
    """Mark all objects of the module that match, in batches; how many."""
    total = 0
    keys: list[str] = []
    async for document in store.objects(module).of(store.db).stream(wanted, {"_id": 1}):
        keys.append(document["_id"])
        if len(keys) == _BATCH:
            total += await _mark_again(store, peer_id, module, keys, known=known)
            keys = []
    return total + await _mark_again(store, peer_id, module, keys, known=known)


async def _mark_again(
    store: DbInterface, peer_id: str, module: str, keys: Sequence[str], *, known: bool = True
) -> int:
    if module == "cdrs" and keys:
        proven = await deliveries.proven(store.db, [mark_id(peer_id, module, key) for key in keys])
        keys = [key for key in keys if key not in proven]
    now = store.db.now()
    updates = [_mark(peer_id, module, key, now, parts=None, known=known) for key in keys]
    await upsert_each(MARKS.of(store.db), updates)
    return len(updates)


def identity_of_gone(change: Changed) -> dict[str, str] | None:
    """What a deleted object was called; None: it is there."""
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


def _ahead(module: str, change: Changed, parts: tuple[str, ...] | None) -> timedelta:
    """How much further to the front of the lane it belongs than what can wait longest."""
    if module == "locations" and parts is not None:
        return 2 * AHEAD
    if module != "sessions" or change.obj is None or change.before.raw is None:
        return AHEAD
    goes_on = orjson.loads(change.before.raw)["status"] == change.obj.fields["status"]
    return timedelta(0) if goes_on else AHEAD


def _mark(
    peer_id: str,
    module: str,
    key: str,
    now: datetime,
    *,
    parts: tuple[str, ...] | None,
    known: bool,
    ahead: timedelta = timedelta(0),
) -> tuple[str, JsonObject]:
    update = fresh_mark(
        now,
        first={"peer_id": peer_id, "module": module, "key": key, "known": known},
        also={"whole": True} if parts is None else None,
        ahead=ahead,
    )
    if parts is not None:
        update["$addToSet"] = {"parts": {"$each": list(parts)}}
    return mark_id(peer_id, module, key), update
