"""What a peer insists on beyond the specification: a location without it is not offered to it.

Each location has in its links which of the fields it has (objects/location_fields.py); one stored
by an earlier release may not, and counts as having none until it was looked through.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from db_interface.bulk import update_each
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping
from domain.objects.location_fields import FIELDS, fields_of
from domain.outbox.marks import mark_turned, reader_of
from domain.outbox.opening import open_to
from domain.peers import switches
from domain.peers.statuses import REGISTERED, STATUSES
from domain.peers.switches import NotPossible

SETTING = "requires"
_BATCH = 500


def required_by(peer: JsonMapping) -> list[str]:
    """The fields that a peer (its document) insists on."""
    return list((peer.get("settings") or {}).get(SETTING) or ())


async def require(store: DbInterface, peer_id: str, fields: Sequence[str]) -> int:
    """From now on it is offered locations alone that have these fields; none: all. What it could
    see besides is taken away, what it can see now is sent: how many locations.

    Raises UnknownPeer, NotPossible. Required once more, it is made sure that the peer has none
    of the others.
    """
    for name in fields:
        if name not in FIELDS:
            raise NotPossible(f"{name} cannot be required; there are: {', '.join(FIELDS)}")
    wanted = [name for name in FIELDS if name in fields]
    if wanted:
        await look_through(store)
    return await turn(store, peer_id, {f"settings.{SETTING}": wanted})


async def turn(store: DbInterface, peer_id: str, change: JsonMapping) -> int:
    """Change which locations the peer is offered, take away what it is not offered any more, and
    send what it is now: how many. Raises UnknownPeer."""
    before = reader_of(await switches.peer_of(store, peer_id))
    peer = await switches.move(store, peer_id, change, STATUSES)
    if peer["status"] not in REGISTERED:
        return 0
    number = await mark_turned(store, peer, before) + await open_to(store, peer, before)
    await switches.mark_again_later(store, peer_id)
    return number


async def look_through(store: DbInterface) -> None:
    """Note of each location which fields it has, where that is not noted as it is."""
    locations = store.objects("locations").of(store.db)
    changes: list[tuple[JsonMapping, JsonMapping]] = []
    async for document in locations.stream({}, {"raw": 1, "links.has": 1}):
        has = fields_of(orjson.loads(document["raw"]))
        if document.get("links", {}).get("has") != has:
            # Whoever writes the location meanwhile notes it, too, and of its newer state.
            as_read = {"_id": document["_id"], "raw": document["raw"]}
            changes.append((as_read, {"$set": {"links.has": has}}))
        if len(changes) == _BATCH:
            await update_each(locations, changes)
            changes = []
    await update_each(locations, changes)
