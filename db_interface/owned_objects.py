"""OCPI objects as documents: rendered when they change, read as bytes.

Which to read: **`raw` is the truth**, for it is what peers get; who wants the object as data calls
`plain(document)`. `fields` is for MongoDB's queries and for showing single values to people: the
driver turns its numbers and dates into its own. It is never sent and nothing is computed from it.

Nothing here validates: callers do that before they write (OCPI knowledge lives in the domain).
"""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncIterator, Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TypedDict

import orjson

from db_interface.collection import Collection, Documents, Sort, Where
from db_interface.counters import COUNTS, Counter, next_seq
from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.transaction import Tx

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
    """order of creation, assigned in the creating transaction, never reused"""
    last_updated: datetime
    """milliseconds"""
    fields: JsonMapping
    """the object as OCPI fields, for people and queries"""
    raw: bytes
    """its JSON bytes, what is sent"""
    links: Mapping[str, Sequence[str]]
    """folded ids of what it holds or belongs to, by kind, for look-ups"""
    groups: Sequence[str]
    """what the operator has sorted it under; not the object's own: kept when it is rewritten"""


@dataclass(frozen=True)
class Demand:
    """What an object has to be for a reader besides being of his audiences."""

    has: Sequence[str] = ()
    """all of these are among its `links.has`; what was never looked through has none"""
    groups: Sequence[str] | None = None
    """one of these is among its groups; None: whatever they are"""

    def met_by(self, has: Container[str], groups: Container[str]) -> bool:
        if self.groups is not None and not any(group in groups for group in self.groups):
            return False
        return all(name in has for name in self.has)

    def query(self) -> JsonObject:
        """The query for the objects that meet it."""
        query: JsonObject = {"links.has": {"$all": list(self.has)}} if self.has else {}
        if self.groups is not None:
            query["groups"] = _any_of(self.groups)
        return query

    def __bool__(self) -> bool:
        return bool(self.has) or self.groups is not None


NO_DEMAND = Demand()


def plain(document: OwnedDocument) -> JsonObject:
    """The OCPI object of a stored document, as fresh plain data that may be changed."""
    found: JsonObject = orjson.loads(document["raw"])
    return found


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

    @property
    def key(self) -> str:
        return fold(self.country_code, self.party_id, *self.key_parts)

    @property
    def owner(self) -> str:
        return party_key(self.country_code, self.party_id)

    def document(self) -> OwnedDocument:
        return {
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


@dataclass(frozen=True)
class PageQuery:
    """What part of a collection a reader asks for, and what of it he may see.

    `owners` None means all parties of this platform. `after` continues behind the object
    with that seq; `offset` counts from the start and is ignored when `after` is given.
    """

    audiences: Sequence[str]
    limit: int
    owners: Sequence[str] | None = None
    offset: int = 0
    after: int | None = None
    date_from: datetime | None = None
    date_to: datetime | None = None
    required: Demand = NO_DEMAND


@dataclass(frozen=True)
class Page:
    raws: list[bytes]
    total: int
    last_seq: int | None
    """seq of the last object on this page: where the next one continues."""
    is_last: bool


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

    def of(self, where: Where) -> Documents[OwnedDocument]:
        """The documents themselves, to be queried; who writes them goes by `replace`."""
        return self._collection.of(where)

    async def put(self, obj: OwnedObject, tx: Tx) -> str:
        """Write `obj`; call inside a transaction. Returns "created", "updated" or "unchanged"."""
        return (await self.replace(obj, tx)).outcome

    async def replace(self, obj: OwnedObject, tx: Tx) -> Replaced:
        """`put`, saying in addition what was there before."""
        document = obj.document()
        documents = self.of(tx)
        before = await documents.find_one({"_id": obj.key}, {"audience": 1, "raw": 1, "owner": 1})
        if before is None:
            document["seq"] = await next_seq(tx, self.module)
            await documents.insert_one(document)
            await self._count(obj.owner, obj.audience, 1, tx)
            return Replaced("created", None, None)
        if before["audience"] != obj.audience:
            await self._count(obj.owner, before["audience"], -1, tx)
            await self._count(obj.owner, obj.audience, 1, tx)
        elif before["raw"] == document["raw"]:
            return Replaced("unchanged", before["audience"], before["raw"])
        await documents.update_one({"_id": obj.key}, {"$set": document})
        return Replaced("updated", before["audience"], before["raw"])

    async def put_new(self, objects: Sequence[OwnedObject], tx: Tx) -> None:
        """Insert many objects that are known to be new; one round trip for all."""
        if not objects:
            return
        last = await next_seq(tx, self.module, len(objects))
        first = last - len(objects) + 1
        await self.of(tx).insert_many(
            [{**obj.document(), "seq": first + index} for index, obj in enumerate(objects)]
        )
        tally: dict[tuple[str, str], int] = {}
        for obj in objects:
            tally[obj.owner, obj.audience] = tally.get((obj.owner, obj.audience), 0) + 1
        for (owner, audience), number in tally.items():
            await self._count(owner, audience, number, tx)

    async def known(self, keys: Sequence[str], tx: Tx | None = None) -> set[str]:
        """Which of the folded keys are there."""
        found = await self.of(tx or self.db).find({"_id": {"$in": list(keys)}}, {"_id": 1})
        return {document["_id"] for document in found}

    async def outcomes(self, objects: Sequence[OwnedObject], tx: Tx) -> list[str]:
        """What `put` would return for each, without writing."""
        keys = [obj.key for obj in objects]
        found = await self.of(tx).find({"_id": {"$in": keys}}, {"audience": 1, "raw": 1})
        stored = {row["_id"]: (row["audience"], row["raw"]) for row in found}
        return [
            "created"
            if obj.key not in stored
            else "unchanged"
            if stored[obj.key] == (obj.audience, orjson.dumps(obj.fields))
            else "updated"
            for obj in objects
        ]

    async def remove(self, key: str, tx: Tx) -> bool:
        """Delete the object. False when it was not there."""
        gone = await self.of(tx).take({"_id": key})
        if gone is None:
            return False
        await self._count(gone["owner"], gone["audience"], -1, tx)
        return True

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
        limit: int = 0,
    ) -> list[OwnedDocument]:
        """Documents by any indexed query, for inner use (no paging)."""
        return await self.of(tx or self.db).find(query, fields, sort=sort, limit=limit)

    async def read(
        self,
        object_id: str,
        audiences: Sequence[str],
        owners: Sequence[str] | None = None,
        required: Demand = NO_DEMAND,
    ) -> bytes | None:
        """The bytes of the object with that id that the reader may see, or None."""
        query: JsonObject = {"lid": object_id.lower(), "audience": _any_of(audiences)}
        query.update(required.query())
        if owners is not None:
            query["owner"] = _any_of(owners)
        found = await self.of(self.db).find_one(query, {"raw": 1, "_id": 0}, sort=[("owner", 1)])
        return None if found is None or not _sound(found) else found["raw"]

    async def page(self, query: PageQuery) -> Page:
        """One page in order of creation, with the exact number of objects the query matches.

        One round trip brings both: the driver's price for a query is higher than the server's.
        """
        match = _match(query)
        if query.after is not None:
            match["seq"] = {"$gt": query.after}
        skip = [{"$skip": query.offset}] if query.after is None and query.offset else []
        stages: list[JsonObject] = [
            {"$match": match},
            {"$sort": {"seq": 1}},
            *skip,
            {"$limit": query.limit + 1},
            {"$project": {"_id": 0, "raw": 1, "seq": 1}},
            {"$unionWith": self._tally(query)},
        ]
        # Objects and numbers in one batch: a batch just filled would cost a second round trip.
        found = await self.of(self.db).aggregate(stages, batchSize=query.limit + _ROOM_FOR_NUMBERS)
        total = 0
        while found and "n" in found[-1]:
            total += found.pop()["n"]
        shown = found[: query.limit]
        raws = [document["raw"] for document in shown if _sound(document)]
        if len(raws) != len(shown):
            logger.error("%s: %d stored objects are damaged", self.module, len(shown) - len(raws))
        return Page(
            raws=raws,
            total=total,
            last_seq=shown[-1].get("seq") if shown else None,
            is_last=len(found) <= query.limit,
        )

    async def count(self, query: PageQuery) -> int:
        """How many objects match, whatever the page. O(1) without dates and
        demands: counted as written."""
        tally = self._tally(query)
        counted: Collection[Counter] = Collection(tally["coll"])
        rows = await counted.of(self.db).aggregate(tally["pipeline"])
        return sum(row["n"] for row in rows)

    async def all_raw(self, owners: Iterable[str] | None = None) -> AsyncIterator[bytes]:
        """Every object's bytes in order of creation, for exports."""
        match = {} if owners is None else {"owner": {"$in": list(owners)}}
        wanted = {"_id": 0, "raw": 1}
        async for document in self.of(self.db).stream(match, wanted, sort=[("seq", 1)]):
            yield document["raw"]

    def _tally(self, query: PageQuery) -> JsonObject:
        """Where and how the numbers are found whose sum is how many objects match: rows {n}."""
        if query.date_from is not None or query.date_to is not None or query.required:
            return {"coll": self.module, "pipeline": [{"$match": _match(query)}, {"$count": "n"}]}
        match: JsonObject = {"module": self.module, "audience": _any_of(query.audiences)}
        if query.owners is not None:
            match["owner"] = _any_of(query.owners)
        return {"coll": "counts", "pipeline": [{"$match": match}, {"$project": {"_id": 0, "n": 1}}]}

    async def _count(self, owner: str, audience: str, change: int, tx: Tx) -> None:
        await COUNTS.of(tx).update_one(
            {"_id": f"{self.module}/{owner}/{audience}"},
            {
                "$inc": {"n": change},
                "$setOnInsert": {"module": self.module, "owner": owner, "audience": audience},
            },
            upsert=True,
        )


def _any_of(values: Sequence[str]) -> object:
    return values[0] if len(values) == 1 else {"$in": list(values)}


def _match(query: PageQuery) -> JsonObject:
    match: JsonObject = {"audience": _any_of(query.audiences), **query.required.query()}
    if query.owners is not None:
        match["owner"] = _any_of(query.owners)
    dates: dict[str, datetime] = {}
    if query.date_from is not None:
        dates["$gte"] = _to_milliseconds(query.date_from, math.floor)
    if query.date_to is not None:
        dates["$lt"] = _to_milliseconds(query.date_to, math.ceil)
    if dates:
        match["last_updated"] = dates
    return match


def _to_milliseconds(moment: datetime, rounding: Callable[[float], int]) -> datetime:
    """Dates are kept in milliseconds: round outwards, so that no object falls between two pulls."""
    milliseconds = rounding(moment.microsecond / 1000)
    if milliseconds == 1000 and moment >= _LAST_SECOND:
        milliseconds = 999
    return moment.replace(microsecond=0) + timedelta(milliseconds=milliseconds)


def _sound(document: OwnedDocument | JsonObject) -> bool:
    """Whether the stored bytes can stand in a list: damage from outside must not spoil others."""
    raw = document.get("raw")
    return isinstance(raw, bytes) and raw.startswith(b"{") and raw.endswith(b"}")
