"""A store of before there were claims gets them, once: the parties of its peers are theirs.

Who is connected comes first, then the others, each the oldest first; of two peers with one party
the first keeps it, the other's role waits. HUB is the operator's word: a hub's role waits, too.
What was made for parties that have no peer any more is nobody's, until the operator moves it.
"""

from __future__ import annotations

import logging

from db_interface.collection import Collection
from db_interface.counters import COUNTS
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping
from db_interface.transaction import Tx
from domain.peers import claims
from domain.peers.claims import AT_START, CLAIMS
from domain.peers.parties import identity
from domain.peers.peer_document import PEERS
from domain.peers.statuses import BLOCKED, CONNECTED, DISCONNECTED, SUSPENDED
from domain.peers.terms import HUB, Terms, party_of, role_key

logger = logging.getLogger("cpo.peers")

_DONE: Collection[JsonMapping] = Collection("migrations")
"""Where versions without a schema version noted that they had done this; nobody writes it now."""
_ORDER = (CONNECTED, SUSPENDED, BLOCKED, DISCONNECTED)
_OF_PARTIES = ("sessions", "cdrs", "tokens")


async def make_claims(store: DbInterface) -> None:
    if await _DONE.of(store.db).find_one({"_id": "claims"}) is not None:
        return
    for status in _ORDER:
        old = {"status": status, "terms": {"$exists": False}}
        for peer in await PEERS.of(store.db).find(old, {"_id": 1}, sort=[("created", 1)]):
            await _adopt(store, peer["_id"])
    await _keep_what_is_nobodys(store)


async def _adopt(store: DbInterface, peer_id: str) -> None:
    async def work(tx: Tx) -> list[JsonMapping]:
        peer = await PEERS.of(tx).find_one({"_id": peer_id})
        if peer is None or "terms" in peer:
            return []
        free: list[JsonMapping] = []
        waiting: list[JsonMapping] = []
        for role in peer.get("roles") or []:
            claim = await claims.of(tx, party_of(role))
            mine = claim is None or claim["peer_id"] == peer_id
            (free if mine and role["role"] != HUB else waiting).append(role)
        terms = Terms(approved=tuple(map(role_key, free)))
        change = await identity(tx, peer_id, terms, free, by=AT_START)
        change["waiting"] += waiting
        if peer["status"] == DISCONNECTED:
            change |= {"parties": [], "audiences": []}
        await PEERS.of(tx).update_one({"_id": peer_id}, {"$set": change})
        return waiting

    for role in await store.transact(work):
        logger.warning(
            "peer %s: its role %s waits for the operator's yes (cpo peers approve)",
            peer_id,
            role_key(role),
        )


async def _keep_what_is_nobodys(store: DbInterface) -> None:
    async def work(tx: Tx) -> None:
        query = {"module": {"$in": list(_OF_PARTIES)}, "n": {"$gt": 0}}
        found = {row["audience"] for row in await COUNTS.of(tx).find(query)}
        for party in sorted(one for one in found if "*" in one and len(one) > 1):
            if await claims.of(tx, party) is None:
                await CLAIMS.of(tx).insert_one(
                    {
                        "_id": party,
                        "peer_id": None,
                        "last": None,
                        "since": tx.now,
                        "by": AT_START,
                        "history": [party],
                        "audiences": [party],
                    }
                )

    await store.transact(work)
