"""Which modules a peer has to offer beyond credentials: the operator's word on each peer.

The specification makes credentials mandatory alone, and lets either side demand more: status 3003,
"the minimal required modules/endpoints are missing" (status_codes). Without a demand we take a peer
as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping
from domain.peers import switches
from domain.peers.peer_document import EndpointRow, PeerDocument
from domain.peers.statuses import REGISTERED, STATUSES
from domain.peers.switches import NotPossible

SETTING = "modules"
MODULES = (
    "cdrs",
    "chargingprofiles",
    "commands",
    "hubclientinfo",
    "locations",
    "sessions",
    "tariffs",
    "tokens",
)
ROLES = ("SENDER", "RECEIVER")


def modules_of_words(words: Iterable[str]) -> list[str]:
    """Modules as the operator writes them, `tokens:SENDER`; without a role any will do. Raises
    NotPossible."""
    modules = []
    for word in words:
        module, colon, role = word.partition(":")
        module, role = module.lower(), role.upper()
        if module not in MODULES:
            raise NotPossible(f"{word} is not a module; there are: {', '.join(MODULES)}")
        if colon and role not in ROLES:
            raise NotPossible(f"{word}: write the role {module}:SENDER or {module}:RECEIVER")
        modules.append(f"{module}:{role}" if role else module)
    return sorted({*modules})


def modules_required_of(peer: PeerDocument | JsonMapping) -> list[str]:
    """What the operator demands of a peer (its document, or its settings' holder)."""
    return list((peer.get("settings") or {}).get(SETTING) or ())


def missing(required: Sequence[str], endpoints: Iterable[EndpointRow | JsonMapping]) -> list[str]:
    """Those required modules that are not among the endpoints."""
    rows = list(endpoints)
    offered = {row["identifier"] for row in rows}
    offered |= {f"{row['identifier']}:{row['role']}" for row in rows}
    return [module for module in required if module not in offered]


async def require_modules(store: DbInterface, peer_id: str, words: Sequence[str]) -> list[str]:
    """From now on a handshake with the peer needs these; none: as the specification. What it lacks
    now, if it is registered: it stays so.

    Raises UnknownPeer, NotPossible.
    """
    modules = modules_of_words(words)
    peer = await switches.move(store, peer_id, {f"settings.{SETTING}": modules}, STATUSES)
    return missing(modules, peer.get("endpoints") or ()) if peer["status"] in REGISTERED else []
