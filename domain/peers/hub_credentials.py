"""The credentials of a hub since OCPI 2.3.0: its own party apart from those that it is a hub for.

From then on a hub names the parties behind it among its roles, and says by `hub_party_id` which
one it is itself (credentials, Credentials object). Before, it named itself alone, and its clients
by HubClientInfo: what is said here is told on as if it had said it so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from db_interface.json_data import JsonMapping, JsonObject
from domain.peers.terms import HUB


class Parted(NamedTuple):
    roles: list[JsonObject]
    """the peer's own"""
    clients: list[JsonObject] | None
    """the roles of the parties behind it; None: it does not say"""


def parted(roles: Sequence[JsonMapping], hub: str | None) -> Parted:
    """The roles of inner credentials that came with that hub_party_id. Who is one, and has no such
    role, is a HUB as that party."""
    if hub is None:
        return Parted([dict(role) for role in roles], None)
    own = [dict(role) for role in roles if _is(role, hub)]
    clients = [dict(role) for role in roles if not _is(role, hub)]
    if not any(role["role"] == HUB for role in own):
        details = own[0]["business_details"] if own else {"name": hub.upper()}
        own.append(
            {
                "role": HUB,
                "country_code": hub[:2],
                "party_id": hub[2:],
                "business_details": details,
            }
        )
    return Parted(own, clients)


def _is(role: JsonMapping, party: str) -> bool:
    named: str = role["country_code"] + role["party_id"]
    return named.lower() == party.lower()
