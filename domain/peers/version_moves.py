"""A peer moves to another version of OCPI: what it could not be told of in the old one is sent.

A version may have no word for something (`Description.shows_only_published`): whoever spoke it has
never heard of unpublished locations, and would not come upon them by a pull by date.
"""

from __future__ import annotations

from dataclasses import replace

from db_interface.interface import DbInterface
from domain.outbox.marks import reader_of
from domain.outbox.opening import open_to
from domain.peers.peer_document import PEERS, PeerDocument


async def opened(store: DbInterface, before: PeerDocument) -> int:
    """How many locations are open to the peer now that were not as it was `before` (its document
    then). Done again, it opens the same."""
    if not reader_of(before).narrowed:
        return 0
    peer = await PEERS.of(store.db).find_one({"_id": before["_id"]})
    if peer is None or reader_of(peer).narrowed:
        return 0
    return await open_to(store, peer, replace(reader_of(peer), narrowed=True))
