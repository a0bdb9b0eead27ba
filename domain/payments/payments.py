"""Terminals and financial advice confirmations, as their provider has sent them: each is the
peer's that created it, and no other's to see. No payment is processed here.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

import orjson

from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import fold
from db_interface.transaction import Tx
from domain.rendered import Rendered
from domain.times import parse_datetime
from domain.versions import ObjectKind

IDS = {ObjectKind.TERMINAL: "terminal_id", ObjectKind.FINANCIAL_ADVICE_CONFIRMATION: "id"}
"""The kinds of objects that are kept here, and by which field they are known."""


class PaymentObject(TypedDict):
    """A document of `payments`."""

    _id: str
    """ "peer/kind/id", folded"""
    peer_id: str
    kind: str
    """of ObjectKind"""
    raw: bytes
    """the object's JSON"""
    authorization_reference: str | None
    """of a confirmation: which session it is about"""
    created: datetime
    updated: datetime


PAYMENTS: Collection[PaymentObject] = Collection("payments")


OLDER = "older"


async def keep(
    store: DbInterface,
    peer_id: str,
    kind: ObjectKind,
    data: JsonMapping,
    *,
    unless_older: bool = False,
) -> str:
    """Keep a valid object of the peer's in place of what was there: "created", "updated", or with
    `unless_older` (what is fetched may have been overtaken by what was sent) "older"."""

    async def work(tx: Tx) -> str:
        key = _key(peer_id, kind, data[IDS[kind]])
        before = await PAYMENTS.of(tx).find_one({"_id": key})
        if unless_older and before is not None and _stamp(data) < _stamp(_plain(before)):
            return OLDER
        document: PaymentObject = {
            "_id": key,
            "peer_id": peer_id,
            "kind": kind.value,
            "raw": orjson.dumps(data),
            "authorization_reference": data.get("authorization_reference"),
            "created": tx.now if before is None else before["created"],
            "updated": tx.now,
        }
        await PAYMENTS.of(tx).replace_one({"_id": key}, document, upsert=True)
        return "created" if before is None else "updated"

    return await store.transact(work)


async def kept(db: Database, peer_id: str, kind: ObjectKind, object_id: str) -> Rendered | None:
    """The peer's object of that id, whatever its case, or None."""
    found = await PAYMENTS.of(db).find_one({"_id": _key(peer_id, kind, object_id)})
    return None if found is None else Rendered(found["raw"])


async def listed(
    db: Database,
    kind: ObjectKind,
    *,
    limit: int,
    peer_id: str | None = None,
    after: str | None = None,
) -> list[JsonObject]:
    """Objects of that kind, by their keys, with whose they are: {key, peer_id, object}."""
    query: JsonObject = {"kind": kind.value}
    if peer_id is not None:
        query["peer_id"] = peer_id
    if after is not None:
        query["_id"] = {"$gt": after}
    rows = await PAYMENTS.of(db).find(query, sort=[("_id", 1)], limit=limit)
    return [{"key": row["_id"], "peer_id": row["peer_id"], "object": _plain(row)} for row in rows]


async def forget(tx: Tx, peer_id: str) -> None:
    """The peer is removed: what it has told us goes with it."""
    await PAYMENTS.of(tx).delete_many({"peer_id": peer_id})


def _plain(document: PaymentObject) -> JsonObject:
    return Rendered(document["raw"]).plain()


def _stamp(data: JsonMapping) -> datetime:
    return parse_datetime(data["last_updated"])


def _key(peer_id: str, kind: ObjectKind, object_id: str) -> str:
    return fold(peer_id, kind.value, object_id)
