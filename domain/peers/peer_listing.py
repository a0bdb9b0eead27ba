"""Peers as a list: the newest first, page by page."""

from __future__ import annotations

from db_interface.database import Database
from domain.paging import newest
from domain.peers.peer import Peer
from domain.peers.peer_document import PEERS


async def newest_peers(
    db: Database, *, limit: int, cursor: str | None = None
) -> tuple[list[Peer], str | None]:
    """At most so many, and the cursor of those behind them. Raises BadCursor."""
    found, following = await newest(PEERS.of(db), {}, by="created", limit=limit, cursor=cursor)
    return [Peer.of(document) for document in found], following
