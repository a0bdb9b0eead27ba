"""Which locations a peer is not offered because of what it insists on or is given, and why; and
for which peers that is so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypedDict

from db_interface.database import Database
from db_interface.demand import Demand
from db_interface.owned_objects import NOBODY, OwnedDocument, OwnedObjects
from domain.objects.location_fields import lacking
from domain.outbox.marks import reader_of
from domain.peers.location_groups import SETTING as GROUPS
from domain.peers.peer_document import PEERS, PeerDocument
from domain.peers.requirements import SETTING, required_by
from domain.visibility import audiences, visible

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
    without = visible("locations", replace(reader_of(peer), requires=()))
    wanted = {**without, "$nor": [Demand(required).query()]}
    shown = {"links.has": 1, "fields.country_code": 1, "fields.party_id": 1, "fields.id": 1}
    locations = OwnedObjects(db, "locations").of(db)
    found = await locations.find(wanted, shown, sort=[("seq", 1)], limit=limit)
    number = await locations.count(wanted, limit=MAX_COUNTED)
    return Withheld(number, [_row(document, required) for document in found])


async def peers_without(db: Database, location: OwnedDocument) -> list[tuple[str, str, str]]:
    """(id, name, why) of the peers that are not offered this location for that reason."""
    if location["audience"] == NOBODY:
        return []
    demanding = [{f"settings.{name}.0": {"$exists": True}} for name in (SETTING, GROUPS)]
    found = await PEERS.of(db).find({"$or": demanding}, sort=[("_id", 1)])
    rows = []
    for peer in found:
        reader = reader_of(peer)
        if location["audience"] not in audiences("locations", reader):
            continue
        if not Demand(groups=reader.groups).met_by((), location.get("groups", ())):
            groups = ", ".join(reader.groups or ())
            rows.append((peer["_id"], peer["name"], f"is in none of its groups ({groups})"))
        elif missing := lacking(_has(location), required_by(peer)):
            rows.append((peer["_id"], peer["name"], _because(missing)))
    return rows


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
