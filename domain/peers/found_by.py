"""Connected peers by what they are. There may be thousands of peers, and background jobs ask every
few seconds: who is not meant is not read, and of many only some at a time are in hand, so that
others are let run in between.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence

from db_interface.database import Database
from domain.peers.peer import Peer
from domain.peers.peer_document import PEERS
from domain.peers.statuses import CONNECTED, REGISTERED
from domain.peers.terms import HUB

_AT_A_TIME = 100
_IDS_AT_A_TIME = 1000


async def offering(db: Database, module: str, role: str) -> AsyncIterator[Peer]:
    """Those that have an endpoint of the module in that role."""
    has = {"$elemMatch": {"identifier": module, "role": role}}
    query = {"endpoints": has, "status": CONNECTED}
    async for document in PEERS.of(db).stream(query, batch=_AT_A_TIME):
        yield Peer.of(document)


async def hubs(db: Database, statuses: Sequence[str] = (CONNECTED,)) -> list[Peer]:
    """Those that act as a hub, the oldest first."""
    query = {"roles.role": HUB, "status": {"$in": list(statuses)}}
    found = await PEERS.of(db).find(query, sort=[("created", 1)])
    return [Peer.of(document) for document in found]


async def registered_of(db: Database, peer_ids: Iterable[str]) -> set[str]:
    """Which of these are registered."""
    ids, found = sorted(peer_ids), set[str]()
    for start in range(0, len(ids), _IDS_AT_A_TIME):
        some = {"$in": ids[start : start + _IDS_AT_A_TIME]}
        query = {"_id": some, "status": {"$in": list(REGISTERED)}}
        found.update(row["_id"] for row in await PEERS.of(db).find(query, {"_id": 1}))
    return found
