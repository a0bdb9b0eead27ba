"""A national access point that hands tokens over by letter: it is registered by the operator, and
no handshake takes place. Its endpoints, its token and ours change as they came.

DOT-NL (the Netherlands) does so. Such a peer has no versions URL: what goes by one is not possible
with it.
"""

from __future__ import annotations

from collections.abc import Mapping

from db_interface.json_data import JsonObject
from domain.peers.access_points import NAP
from domain.peers.peer import Peer
from domain.peers.peers import Peers
from domain.peers.terms import Terms, party_in
from domain.secrets import new_token
from domain.versions import INNER_VERSION


async def add_access_point(
    peers: Peers,
    name: str,
    party: tuple[str, str],
    receivers: Mapping[str, str],
    their_token: str,
    *,
    raw_token: bool = False,
) -> tuple[Peer, str]:
    """The peer, connected, and the token that opens our door to it, shown this once.

    `receivers`: by module (locations, tariffs) where it takes pushes. Raises BadTerms,
    claims.PartyTaken: nothing is kept then.
    """
    country_code, party_id = party
    terms = Terms(parties=(party_in(f"{country_code}/{party_id}"),), roles=(NAP,))
    role: JsonObject = {
        "role": NAP,
        "country_code": country_code,
        "party_id": party_id,
        "business_details": {"name": name},
    }
    endpoints = [
        {"identifier": module, "role": "RECEIVER", "url": url} for module, url in receivers.items()
    ]
    quirks = {"raw_token": True} if raw_token else None
    invited, _ = await peers.invite(name, peers.now(), terms, quirks=quirks)
    ours = new_token()
    try:
        await peers.connect(
            invited.peer_id,
            our_token=ours,
            their_token=their_token,
            now=peers.now(),
            roles=[role],
            endpoints=endpoints,
            version=INNER_VERSION.number,
        )
    except BaseException:
        await peers.remove(invited.peer_id)
        raise
    return await peers.get(invited.peer_id), ours
