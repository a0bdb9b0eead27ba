"""Proof that a peer has a CDR: kept for good, so that none is ever sent again.

A document of `deliveries`: _id "peer id/cdrs/object key", peer_id, module, key, at, location
(the URL that the peer gave it, or None), id (of the CDR).
"""

from __future__ import annotations

from datetime import datetime

from db_interface.bulk import settled
from db_interface.database import Database
from db_interface.json_data import JsonObject
from domain.outbox.due_marks import Mark

DELIVERIES = "deliveries"


async def proof_of(db: Database, mark: Mark) -> JsonObject | None:
    return await settled(db[DELIVERIES]).find_one({"_id": mark.id})


async def keep_proof(
    db: Database, mark: Mark, cdr_id: str, location: str | None, at: datetime
) -> None:
    await db[DELIVERIES].update_one(
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


async def usual_location(db: Database, peer_id: str) -> tuple[str, str] | None:
    """(CDR id, URL) of the peer's latest CDR whose URL ends in its id: how it builds them."""
    latest = await db[DELIVERIES].find_one(
        {"peer_id": peer_id, "location": {"$type": "string"}}, sort=[("at", -1)]
    )
    if latest is None or not latest["location"].endswith(latest["id"]):
        return None
    return latest["id"], latest["location"]


async def delivered_cdrs(db: Database, peer_id: str) -> int:
    return await db[DELIVERIES].count_documents({"peer_id": peer_id})
