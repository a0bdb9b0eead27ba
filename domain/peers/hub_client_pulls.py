"""When each hub's list of clients is read, in the store: due, and one worker's at a time."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict

from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.lease import Lease


class HubClientPull(TypedDict, total=False):
    """A document of `hub_client_pulls`, one per hub that has a list to read."""

    _id: str
    """peer_id"""
    url: str
    """where it was read last; another one is read at once"""
    due: datetime
    failures: int
    """in a row"""
    lease: Mapping[str, object]
    """{owner, until} while a worker reads"""


PULLS: Collection[HubClientPull] = Collection("hub_client_pulls")
LEASE = Lease(owner="lease.owner", until="lease.until")


async def follow(db: Database, urls: Mapping[str, str], now: datetime) -> None:
    """Let there be a document for each of these hubs (peer_id to URL) and for no other. New ones,
    and those whose URL has changed, are due at once."""
    pulls = PULLS.of(db)
    known = {row["_id"]: row.get("url") for row in await pulls.find({}, {"url": 1})}
    for peer_id, url in urls.items():
        if known.get(peer_id) != url:
            fresh: HubClientPull = {"url": url, "due": now, "failures": 0}
            await pulls.update_one({"_id": peer_id}, {"$set": fresh}, upsert=True)
    gone = [peer_id for peer_id in known if peer_id not in urls]
    if gone:
        await pulls.delete_many({"_id": {"$in": gone}})


async def all_due(db: Database, now: datetime) -> None:
    """We have just started: much may have happened meanwhile."""
    await PULLS.of(db).update_many({}, {"$set": {"due": now}})


async def claim_due(db: Database, now: datetime, for_s: float) -> HubClientPull | None:
    """The hub that is due longest, the caller's for so long; None: none is."""
    return await PULLS.of(db).update_and_find(
        {"due": {"$lte": now}, **LEASE.free},
        [{"$set": LEASE.taken(str(uuid.uuid4()), for_s)}],
        sort=[("due", 1)],
    )


async def done(db: Database, claimed: HubClientPull, due: datetime, failures: int) -> None:
    """Let go of it until `due`, unless its URL has changed meanwhile."""
    await PULLS.of(db).update_one(
        {"_id": claimed["_id"], "url": claimed["url"]},
        {"$set": {"due": due, "failures": failures}, "$unset": {"lease": ""}},
    )
