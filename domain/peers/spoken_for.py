"""For which parties does a peer speak now? The one answer for reads, writes and authorizations.

Its own are those whose claims it holds within its terms (`Peer.parties`). A hub speaks besides
for its clients that are approved and have no connection of their own (hub_clients.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from db_interface.collection import Where
from domain.peers import hub_clients
from domain.peers.peer import Peer
from domain.visibility import party_of


async def audiences_for(where: Where, peer: Peer, party: str) -> Sequence[str] | None:
    """What is open to the peer in that (folded) party's name; None: it does not speak for it."""
    if party in peer.parties:
        return [audience for audience in peer.audiences if party_of(audience) == party]
    open_to_it = [one for one in peer.client_audiences if party_of(one) == party]
    # The peer may be a second old: what is taken from a hub is taken at once.
    if not open_to_it or await hub_clients.why_not(where, party, peer.peer_id) is not None:
        return None
    return open_to_it


async def speaks_for(where: Where, peer: Peer, party: str) -> bool:
    return await audiences_for(where, peer, party) is not None
