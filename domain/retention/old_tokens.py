"""Tokens (cards) that nobody means any more: those that their eMSP has ended, and those of parties
that no peer holds. A good one of a peer that is there stays, however long nothing was heard of it:
without it its driver would not be let in, and the eMSP sends only what has changed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import partial

from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping
from db_interface.transaction import Tx
from domain.peers.hub_clients import HUB_CLIENTS
from domain.peers.peer_document import PEERS
from domain.peers.statuses import REGISTERED

AT_ONCE = 200


async def forget(db: Database, before: datetime) -> AsyncIterator[int]:
    """Delete those that their eMSP has said nothing of since then; how many each time."""
    store = DbInterface(db)
    old = {"last_updated": {"$lt": before}}
    ended = {**old, "fields.valid": False}
    async for number in _delete(store, ended):
        yield number
    held = await _held(db)
    for owner in await store.objects("tokens").of(db).distinct("owner"):
        if owner not in held:
            async for number in _delete(store, {**old, "owner": owner}):
                yield number


async def _held(db: Database) -> set[str]:
    """The parties of peers that are there, and those behind hubs."""
    peers = await PEERS.of(db).find({"status": {"$in": list(REGISTERED)}}, {"parties": 1})
    clients: list[str] = await HUB_CLIENTS.of(db).distinct("party")
    return {party for peer in peers for party in peer.get("parties") or ()} | set(clients)


async def _delete(store: DbInterface, which: JsonMapping) -> AsyncIterator[int]:
    tokens = store.objects("tokens")
    while found := await tokens.of(store.db).find(which, {"_id": 1}, limit=AT_ONCE):
        keys = [one["_id"] for one in found]
        yield await store.transact(partial(_delete_these, keys=keys, which=which))


async def _delete_these(tx: Tx, keys: Sequence[str], which: JsonMapping) -> int:
    """Those that are so still: the eMSP may have sent one anew meanwhile."""
    tokens = tx.store.objects("tokens")
    still = await tokens.documents({**which, "_id": {"$in": list(keys)}}, tx, fields={"_id": 1})
    for one in still:
        await tokens.remove(one["_id"], tx)
    return len(still)
