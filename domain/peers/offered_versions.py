"""Which OCPI versions a peer is offered: those of the platform, or what the operator says of them.

What is not offered to a peer is not there for it: not in the list of versions, and 404.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping
from domain.peers import switches
from domain.peers.statuses import REGISTERED, STATUSES
from domain.peers.switches import NotPossible
from domain.versions import VERSIONS

SETTING = "versions"


def offered_to(settings: JsonMapping, offered: Iterable[str]) -> list[str]:
    """Those of the platform's versions that a peer with these settings is offered, in their order.

    All of them where the operator says nothing, or names none of them any more: a peer that is
    offered no version at all could not even read why.
    """
    ours = list(offered)
    named = settings.get(SETTING) or ()
    return [number for number in ours if number in named] or ours


async def offer_versions(
    store: DbInterface, peer_id: str, numbers: Sequence[str], *, lock_out: bool = False
) -> list[str]:
    """From now on the peer is offered these; none: whatever the platform offers. They are returned
    lowest first. A peer that has registered in another keeps its registration, and is not served
    in it any more: only with `lock_out`.

    Raises UnknownPeer, NotPossible.
    """
    for number in numbers:
        if number not in VERSIONS:
            raise NotPossible(
                f"{number} is no version of OCPI here; there are {', '.join(VERSIONS)}"
            )
    named = [number for number in VERSIONS if number in numbers]
    peer = await switches.peer_of(store, peer_id)
    spoken = peer.get("version")
    if named and spoken and spoken not in named and peer["status"] in REGISTERED and not lock_out:
        raise NotPossible(
            f"peer {peer_id} speaks OCPI {spoken}: all of its requests would be answered with 404 "
            f"until it registers in {' or '.join(named)}. Offer {spoken}, too, until it has moved; "
            "or say that it is to be locked out (--yes)"
        )
    await switches.move(store, peer_id, {f"settings.{SETTING}": named}, STATUSES)
    return named
