"""For which parties does a peer speak now? The one answer for reads, writes and authorizations.

Its own are those whose claims it holds within its terms (`Peer.parties`). A hub speaks besides
for its clients; as long as nothing else says who they are, those are the parties that no
platform has ever held.
"""

from __future__ import annotations

from collections.abc import Sequence

from db_interface.collection import Where
from domain.peers import claims
from domain.peers.peers import Peer
from domain.visibility import party_of


async def audiences_for(where: Where, peer: Peer, party: str) -> Sequence[str] | None:
    """What is open to the peer in that (folded) party's name; None: it does not speak for it."""
    if party in peer.parties:
        return [audience for audience in peer.audiences if party_of(audience) == party]
    if not peer.is_hub:
        return None
    claim = await claims.of(where, party)
    if claim is None:
        return [party]
    return claim["audiences"] if claim["peer_id"] == peer.peer_id else None


async def speaks_for(where: Where, peer: Peer, party: str) -> bool:
    return await audiences_for(where, peer, party) is not None
