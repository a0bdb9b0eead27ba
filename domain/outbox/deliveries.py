"""Proof that a peer has a CDR: kept for good, so that none is ever sent again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypedDict

from db_interface.collection import Collection
from db_interface.database import Database
from domain.log_events import log_event

logger = logging.getLogger("cpo.push")


class Marked(Protocol):
    """As much of a mark as is asked for here."""

    @property
    def id(self) -> str: ...
    @property
    def peer_id(self) -> str: ...
    @property
    def module(self) -> str: ...
    @property
    def key(self) -> str: ...


class Delivery(TypedDict, total=False):
    """A document of `deliveries`. Complete as stored; some readers ask for less."""

    _id: str
    """the mark's: "peer id/cdrs/object key" """
    peer_id: str
    module: str
    key: str
    id: str
    """of the CDR"""
    location: str | None
    """the URL that the peer gave it"""
    at: datetime


DELIVERIES: Collection[Delivery] = Collection("deliveries")


async def proof_of(db: Database, mark: Marked) -> Delivery | None:
    return await DELIVERIES.of(db).settled().find_one({"_id": mark.id})


async def keep_proof(
    db: Database, mark: Marked, cdr_id: str, location: str | None, at: datetime
) -> None:
    known = await DELIVERIES.of(db).update_one(
        {"_id": mark.id},
        {
            "$setOnInsert": {
                "peer_id": mark.peer_id,
                "module": mark.module,
                "key": mark.key,
                "id": cdr_id,
                "location": location,
                "at": at,
            }
        },
        upsert=True,
    )
    if not known:
        log_event(
            logger,
            "cdr.delivered",
            "CDR %s is delivered to peer %s",
            cdr_id,
            mark.peer_id,
            cdr_id=cdr_id,
            peer_id=mark.peer_id,
        )


async def usual_location(db: Database, peer_id: str) -> tuple[str, str] | None:
    """(CDR id, URL) of the peer's latest CDR whose URL ends in its id: how it builds them."""
    latest = await DELIVERIES.of(db).find_one(
        {"peer_id": peer_id, "location": {"$type": "string"}}, sort=[("at", -1)]
    )
    location = None if latest is None else latest["location"]
    if latest is None or location is None or not location.endswith(latest["id"]):
        return None
    return latest["id"], location


async def proven(db: Database, ids: Sequence[str]) -> set[str]:
    """Keys of the CDRs, of those with these marks' ids, that their peer provably has."""
    rows = await DELIVERIES.of(db).find({"_id": {"$in": list(ids)}}, {"key": 1})
    return {row["key"] for row in rows}


async def delivered_cdrs(db: Database, peer_id: str) -> int:
    return await DELIVERIES.of(db).count({"peer_id": peer_id})
