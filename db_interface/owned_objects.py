"""OCPI objects as documents: rendered when they change, read as bytes.

Which to read: **`raw` is the truth**, for it is what peers get; who wants the object as data calls
`plain(document)`. `fields` is for MongoDB's queries and for showing single values to people: the
driver turns its numbers and dates into its own. It is never sent and nothing is computed from it.

Nothing here validates: callers do that before they write (OCPI knowledge lives in the domain).
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from typing import TypedDict

import orjson

from db_interface import pages
from db_interface.bulk import update_each
from db_interface.collection import Collection, Documents, Sort, Where
from db_interface.counters import count
from db_interface.database import Database
from db_interface.demand import NO_DEMAND, Demand
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.page_rows import PageRows
from db_interface.pages import Page, PageQuery, sound
from db_interface.single_reads import AsSeen, SingleReads
from db_interface.stretches import moved
from db_interface.transaction import Tx
from db_interface.views import FIELDS, Shown, View, fields_of

logger = logging.getLogger("cpo.store")

_LAST_SECOND = datetime.max.replace(microsecond=0, tzinfo=timezone.utc)

EVERYBODY = "*"
NOBODY = ""
_ROOM_FOR_NUMBERS = 100


def fold(*parts: str) -> str:
    """The case-folded key of the parts (OCPI CiString: ids compare case-insensitively)."""
    return "/".join(parts).lower()


def party_key(country_code: str, party_id: str) -> str:
    return f"{country_code}*{party_id}".lower()


class _Prior(TypedDict):
    at: datetime
    raw: bytes


class Prior(_Prior, total=False):
    """A state before the present one, which some reader may have to be shown still."""

    views: Mapping[str, bytes]


class OwnedDocument(TypedDict, total=False):
    """A document of an owned object. Complete as stored; some readers ask for less."""

    _id: str
    """key: owner and id, folded ("nl/evc/loc1"), so look-ups ignore case"""
    lid: str
    """the folded id alone, for look-ups that name no party"""
    owner: str
    """"nl*evc", folded"""
    audience: str
    """who may read it: "*" everybody, "" nobody, else the folded party it is for"""
    seq: int
    """order of creation (order_of_creation.py), never reused"""
    last_updated: datetime
    """milliseconds"""
    fields: JsonMapping
    """the object as OCPI fields, for people and queries"""
    raw: bytes
    """its JSON bytes, what is sent"""
    views: Mapping[str, bytes]
    """its bytes in other forms (views.py), by their names; never older than `raw`"""
    unsaid: Sequence[str]
    """the forms that it does not have: it is not there for who reads in them"""
    unmade: bool
    """never kept: said of what was asked for by View.shown()"""
    links: Mapping[str, Sequence[str]]
    """folded ids of what it holds or belongs to, by kind, for look-ups"""
    groups: Sequence[str]
    """what the operator has sorted it under; not the object's own: kept when it is rewritten"""
    tariffs_assigned: JsonMapping
    """the operator's word on tariffs (domain/objects/assigned_tariffs.py); kept likewise"""
    prior: Sequence[Prior]
    """what lists show until the present state is settled, oldest first; none: it is not shown
    until then"""


def plain(document: OwnedDocument) -> JsonObject:
    """The OCPI object of a stored document, as fresh plain data that may be changed."""
    found: JsonObject = orjson.loads(document["raw"])
    return found


LISTED = ("locations", "sessions", "cdrs", "tariffs")
"""The modules of which peers read lists."""
_REPLACED = {
    "audience": 1,
    "raw": 1,
    "views": 1,
    "unsaid": 1,
    "owner": 1,
    "last_updated": 1,
    "links.has": 1,
    "prior.at": 1,
    "seq": 1,
}
_MAX_PRIOR = 8


@dataclass(frozen=True)
class OwnedObject:
    """An OCPI object ready to be kept; `key_parts` follow the owner in the key: (type,) id."""

    country_code: str
    party_id: str
    key_parts: tuple[str, ...]
    fields: JsonMapping
    last_updated: datetime
    audience: str = EVERYBODY
    links: Mapping[str, Sequence[str]] = field(default_factory=dict)
    views: Mapping[str, bytes] = field(default_factory=dict)
    """its other forms, made of these very fields"""

    @cached_property
    def key(self) -> str:
        return fold(self.country_code, self.party_id, *self.key_parts)

    @cached_property
    def owner(self) -> str:
        return party_key(self.country_code, self.party_id)

    def document(self) -> OwnedDocument:
        document: OwnedDocument = {
            "_id": self.key,
            "lid": self.key_parts[-1].lower(),
            "owner": self.owner,
            "audience": self.audience,
            "last_updated": self.last_updated,
            "fields": dict(self.fields),
            "raw": orjson.dumps(self.fields),
            "links": {
                kind: [value.lower() for value in values] for kind, values in self.links.items()
            },
        }
        document.update(fields_of(self.views))  # type: ignore[typeddict-item]
        return document


Stamp = Callable[[OwnedObject, OwnedDocument | None], OwnedObject]
"""Gives an object its last_updated, knowing what is stored of it (None: nothing)."""


def as_it_is(obj: OwnedObject, _: OwnedDocument | None) -> OwnedObject:
    return obj


MakeViews = Callable[[OwnedObject], Awaitable[Mapping[str, bytes]]]
"""The forms that an object is kept in beside its own, once it is stamped."""


async def no_views(_: OwnedObject) -> Mapping[str, bytes]:
    return {}


@dataclass(frozen=True)
class Replaced:
    """What a write did, and the state that it replaced (None where there was none)."""

    outcome: str
    """ "created", "updated" or "unchanged"."""
    audience: str | None
    raw: bytes | None


class OwnedObjects:
    """One OCPI module's objects."""

    def __init__(self, db: Database, module: str) -> None:
        self.db = db
        self.module = module
        self._collection: Collection[OwnedDocument] = Collection(module)
        self._rows = PageRows(db, module)
        self._single = SingleReads(db, module)

    def of(self, where: Where) -> Documents[OwnedDocument]:
        """The documents themselves, to be queried; who writes them goes by `replace`."""
        return self._collection.of(where)

    async def put(self, obj: OwnedObject, tx: Tx) -> str:
        """Write `obj`; call inside a transaction. Returns "created", "updated" or "unchanged"."""
        return (await self.replace(obj, tx)).outcome

    async def replace(
        self,
        obj: OwnedObject,
        tx: Tx,
        stamp: Stamp = as_it_is,
        make_views: MakeViews = no_views,
    ) -> Replaced:
        """`put`, saying in addition what was there before; `stamp` sees that first."""
        documents = self.of(tx)
        before = await documents.find_one({"_id": obj.key}, _REPLACED)
        obj = stamp(obj, before)
        document = obj.document()
        tx.in_flight.publishes = True
        unchanged = before is not None and before["raw"] == document["raw"]
        if before is not None and unchanged and before["audience"] == obj.audience:
            return Replaced("unchanged", before["audience"], before["raw"])
        views = await make_views(obj)
        document.update(fields_of(views))  # type: ignore[typeddict-item]
        if before is None:
            (document["seq"],) = tx.in_flight.places(1)
            await documents.insert_one(document)
            await count(tx, self.module, obj.owner, obj.audience, 1)
            return Replaced("created", None, None)
        if before["audience"] != obj.audience:
            await count(tx, self.module, obj.owner, before["audience"], -1)
            await count(tx, self.module, obj.owner, obj.audience, 1)
            await self._moved(tx, before, (before["audience"], -1), (obj.audience, 1))
        await documents.update_one({"_id": obj.key}, self._change(before, document, tx))
        return Replaced("updated", before["audience"], before["raw"])

    async def present(self, keys: Sequence[str], tx: Tx) -> dict[str, OwnedDocument]:
        """What `rewrite` needs of the present states under these folded keys."""
        found = await self.of(tx).find({"_id": {"$in": list(keys)}}, _REPLACED)
        return {row["_id"]: row for row in found}

    async def rewrite(
        self, states: Sequence[tuple[OwnedDocument, OwnedObject]], tx: Tx
    ) -> list[Replaced]:
        """Write new states over documents that were read in this transaction; their readers stay
        the same. One round trip for all."""
        if states:
            tx.in_flight.publishes = True
        changes: list[tuple[JsonMapping, JsonMapping]] = [
            ({"_id": before["_id"]}, self._change(before, obj.document(), tx))
            for before, obj in states
        ]
        await update_each(self.of(tx), changes)
        return [Replaced("updated", before["audience"], before["raw"]) for before, _ in states]

    def _change(self, before: OwnedDocument, after: OwnedDocument, tx: Tx) -> JsonObject:
        """What makes `after` of `before`, which lists go on to show until `after` is settled."""
        gone = {name: "" for name in FIELDS if name in before and name not in after}
        if self.module not in LISTED:
            return _set(after, gone)
        if not _for_the_same_readers(before, after):
            return _set(after, {**gone, "prior": ""})
        # Kept: the latest that every reader takes for settled, and what came after it.
        stamps = [
            before["last_updated"],
            *(prior["at"] for prior in reversed(before.get("prior", ()))),
        ]
        settled = (tx.db.writers.surely_settled(stamp, tx.now) for stamp in stamps)
        kept = next((n for n, sure in enumerate(settled, 1) if sure), len(stamps))
        prior: Prior = {"at": before["last_updated"], "raw": before["raw"]}
        if "views" in before:
            prior["views"] = before["views"]
        push = {"$each": [prior], "$slice": -min(kept, _MAX_PRIOR)}
        return {**_set(after, gone), "$push": {"prior": push}}

    async def put_new(self, objects: Sequence[OwnedObject], tx: Tx) -> None:
        """Insert many objects that are known to be new; one round trip for all."""
        if not objects:
            return
        tx.in_flight.publishes = True
        places = tx.in_flight.places(len(objects))
        await self.of(tx).insert_many(
            [{**obj.document(), "seq": seq} for obj, seq in zip(objects, places, strict=True)]
        )
        tally: dict[tuple[str, str], int] = {}
        for obj in objects:
            tally[obj.owner, obj.audience] = tally.get((obj.owner, obj.audience), 0) + 1
        for (owner, audience), number in tally.items():
            await count(tx, self.module, owner, audience, number)

    async def known(self, keys: Sequence[str], tx: Tx | None = None) -> set[str]:
        """Which of the folded keys are there."""
        found = await self.of(tx or self.db).find({"_id": {"$in": list(keys)}}, {"_id": 1})
        return {document["_id"] for document in found}

    async def outcomes(
        self, objects: Sequence[OwnedObject], tx: Tx, stamp: Stamp = as_it_is
    ) -> list[str]:
        """What `replace` would say of each, without writing."""
        stored = await self.present([obj.key for obj in objects], tx)
        return [_outcome(stamp(obj, stored.get(obj.key)), stored.get(obj.key)) for obj in objects]

    async def remove(self, key: str, tx: Tx) -> bool:
        """Delete the object. False when it was not there."""
        tx.in_flight.publishes = True
        gone = await self.of(tx).take({"_id": key})
        if gone is None:
            return False
        await count(tx, self.module, gone["owner"], gone["audience"], -1)
        await self._moved(tx, gone, (gone["audience"], -1))
        return True

    async def _moved(self, tx: Tx, document: OwnedDocument, *changes: tuple[str, int]) -> None:
        if self.module in LISTED and "seq" in document:
            await moved(tx, self.module, document["seq"], document["owner"], changes)

    async def document(self, key: str, tx: Tx | None = None) -> OwnedDocument | None:
        """The whole document under a folded key, or None."""
        return await self.of(tx or self.db).find_one({"_id": key})

    async def documents(
        self,
        query: JsonMapping,
        tx: Tx | None = None,
        *,
        fields: JsonMapping | None = None,
        sort: Sort | None = None,
        skip: int = 0,
        limit: int = 0,
    ) -> list[OwnedDocument]:
        """Documents by any indexed query, for inner use (no paging)."""
        documents = self.of(tx or self.db)
        return await documents.find(query, fields, sort=sort, skip=skip, limit=limit)

    async def read(
        self,
        object_id: str,
        audiences: Sequence[str],
        owners: Sequence[str] | None = None,
        required: Demand = NO_DEMAND,
    ) -> bytes | None:
        """The bytes of the object with that id that the reader may see, or None."""
        found = await self.read_shown(object_id, audiences, owners, required)
        return None if found is None else found.raw

    async def read_shown(
        self,
        object_id: str,
        audiences: Sequence[str],
        owners: Sequence[str] | None = None,
        required: Demand = NO_DEMAND,
        view: View | None = None,
    ) -> Shown | None:
        """`read`, in the reader's form where it is kept."""
        row = await self._single.read(object_id, AsSeen(audiences, owners, required, view))
        if row is None or not sound(row.get("raw")):
            return None
        return Shown(row["raw"], row.get("unmade", False))

    async def page(self, query: PageQuery) -> Page:
        """One page in order of creation, with the exact number of objects the query matches."""
        return await pages.page(self.db, self.module, query, self._rows)

    async def count(self, query: PageQuery) -> int:
        """How many objects match, whatever the page. O(1) without dates and
        required fields: counted as written."""
        return await pages.count(self.db, self.module, query)

    async def all_raw(self, owners: Iterable[str] | None = None) -> AsyncIterator[bytes]:
        """Every object's bytes in order of creation, for exports."""
        match = {} if owners is None else {"owner": {"$in": list(owners)}}
        wanted = {"_id": 0, "raw": 1}
        async for document in self.of(self.db).stream(match, wanted, sort=[("seq", 1)]):
            yield document["raw"]


def _outcome(obj: OwnedObject, before: OwnedDocument | None) -> str:
    if before is None:
        return "created"
    return "unchanged" if unchanged_by(obj, before) else "updated"


def unchanged_by(obj: OwnedObject, before: OwnedDocument) -> Replaced | None:
    """What writing it over that would say, where that would change nothing; else None."""
    same = (before["audience"], before["raw"]) == (obj.audience, orjson.dumps(obj.fields))
    return Replaced("unchanged", before["audience"], before["raw"]) if same else None


def _set(after: OwnedDocument, gone: JsonMapping) -> JsonObject:
    return {"$set": after, "$unset": gone} if gone else {"$set": after}


def _for_the_same_readers(before: OwnedDocument, after: OwnedDocument) -> bool:
    has = [document.get("links", {}).get("has", []) for document in (before, after)]
    return before["audience"] == after["audience"] and has[0] == has[1]
