"""Which locations a peer is not offered because of what it insists on, and why; and who does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from db_interface.database import Database
from db_interface.owned_objects import NOBODY, OwnedDocument, OwnedObjects, having
from domain.objects.location_fields import lacking
from domain.outbox.marks import reader_of
from domain.peers.peer_document import PEERS, PeerDocument
from domain.peers.requirements import SETTING, required_by
from domain.visibility import audiences

MAX_COUNTED = 10_000


class NotOffered(TypedDict):
    key: str
    location: str
    """CC/PID/id"""
    because: str


@dataclass(frozen=True)
class Withheld:
    number: int
    """at most MAX_COUNTED"""
    first: list[NotOffered]


async def from_peer(db: Database, peer_id: str, limit: int) -> Withheld:
    """What the peer is not offered for that reason: how many, and the first of them."""
    peer: PeerDocument | None = await PEERS.of(db).find_one({"_id": peer_id})
    required = [] if peer is None else required_by(peer)
    if peer is None or not required:
        return Withheld(0, [])
    open_to_it = audiences("locations", reader_of(peer))
    wanted = {"audience": {"$in": list(open_to_it)}, "$nor": [having(required)]}
    shown = {"links.has": 1, "fields.country_code": 1, "fields.party_id": 1, "fields.id": 1}
    locations = OwnedObjects(db, "locations").of(db)
    found = await locations.find(wanted, shown, sort=[("seq", 1)], limit=limit)
    number = await locations.count(wanted, limit=MAX_COUNTED)
    return Withheld(number, [_row(document, required) for document in found])


async def peers_without(db: Database, location: OwnedDocument) -> list[tuple[str, str, str]]:
    """(id, name, why) of the peers that are not offered this location for that reason."""
    if location["audience"] == NOBODY:
        return []
    found = await PEERS.of(db).find({f"settings.{SETTING}.0": {"$exists": True}}, sort=[("_id", 1)])
    return [
        (peer["_id"], peer["name"], _because(missing))
        for peer in found
        if location["audience"] in audiences("locations", reader_of(peer))
        if (missing := lacking(_has(location), required_by(peer)))
    ]


def _row(document: OwnedDocument, required: list[str]) -> NotOffered:
    fields = document["fields"]
    return {
        "key": document["_id"],
        "location": f"{fields['country_code']}/{fields['party_id']}/{fields['id']}",
        "because": _because(lacking(_has(document), required)),
    }


def _has(document: OwnedDocument) -> list[str]:
    return list(document.get("links", {}).get("has", ()))


def _because(missing: list[str]) -> str:
    return f"lacks {', '.join(missing)}"
