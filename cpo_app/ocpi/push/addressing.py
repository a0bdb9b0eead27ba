"""Where a push goes and on whose behalf: URLs below a peer's endpoints, routing headers. Pure.

The party in the URL is the party in the body, in the case in which the object has it
(mod_locations, mod_tariffs, mod_sessions: "SHALL be the same value").
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from cpo_app.ocpi.peer_client.peer_headers import RoutingHeaders
from domain.outbox.marks import FOR_EVERY_READER
from domain.peers.peer import Peer
from domain.visibility import party_of

# Roles that take what a CPO pushes; a platform may have others beside them.
_TAKES_PUSHES = ("EMSP", "NSP", "NAP", "SCSP", "OTHER")


def object_url(endpoint: str, *segments: str) -> str:
    """The URL of an object below an endpoint, written with or without a slash at its end."""
    return "/".join([endpoint.rstrip("/"), *(quote(segment, safe="") for segment in segments)])


def owner_of(fields: Mapping[str, str]) -> tuple[str, str]:
    return fields["country_code"], fields["party_id"]


def routing(peer: Peer, module: str, audience: str, owner: tuple[str, str]) -> RoutingHeaders:
    """From the object's owner, to the party it is for (transport_and_format, message routing).

    What everybody may see goes to a hub as Broadcast Push, with the hub's own party. Where a
    platform has several parties and the object is for all of them, the `to` pair is left out.
    """
    to = _addressee(peer, module, audience)
    return RoutingHeaders(*owner, *to) if to else RoutingHeaders(*owner)


def _addressee(peer: Peer, module: str, audience: str) -> tuple[str, str] | None:
    if module not in FOR_EVERY_READER:
        its = party_of(audience)
        known = [*_parties(peer), *map(_written, peer.clients)]
        return next((party for party in known if _key(party) == its), None)
    for wanted in (("HUB",), _TAKES_PUSHES, None):
        parties = _parties(peer, wanted)
        if parties:
            return parties[0] if len(parties) == 1 else None
    return None


def _parties(peer: Peer, roles: tuple[str, ...] | None = None) -> list[tuple[str, str]]:
    """The peer's parties with one of the roles, each once."""
    found = {
        _key(party): party
        for role in peer.roles
        if roles is None or role.get("role") in roles
        for party in [(role["country_code"], role["party_id"])]
    }
    return list(found.values())


def _written(party: str) -> tuple[str, str]:
    """A folded party as it stands in headers: codes are written in capitals."""
    country_code, _, party_id = party.upper().partition("*")
    return country_code, party_id


def _key(party: tuple[str, str]) -> str:
    return f"{party[0]}*{party[1]}".lower()
