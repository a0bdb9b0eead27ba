"""What peers see of one charge point: its EVSE in its Location, in each version of OCPI; and which
peers are offered it, or why not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import NOBODY, OwnedDocument, OwnedObjects, plain
from domain.objects.location_fields import lacking
from domain.objects.locations import evse_of
from domain.operator.registration_diff import Difference, differences
from domain.outbox.marks import offers, reader_of
from domain.peers.peer_document import PEERS, PeerDocument
from domain.peers.requirements import required_by
from domain.peers.statuses import REGISTERED
from domain.sites.identifiers import ocpi_id
from domain.versions import VERSIONS
from domain.views.making import made_for
from domain.visibility import GUESTS, audiences, may_see

MAX_PEERS = 500
_SHOWN = dict.fromkeys(
    (
        *("name", "status", "version", "parties", "audiences", "client_audiences"),
        *("settings", "endpoints"),
    ),
    1,
)


@dataclass(frozen=True)
class Seen:
    """A peer; `why_not`: None, it is offered the charge point's Location. `pushed`: it is told of
    changes, else it reads them."""

    peer_id: str
    name: str
    version: str
    why_not: str | None
    pushed: bool


@dataclass(frozen=True)
class InVersion:
    """`text`: the Location with this EVSE alone, as indented JSON; None: it cannot be said in that
    version. `peers`: how many speak it."""

    version: str
    text: str | None
    evses: int
    peers: int


@dataclass(frozen=True)
class OfferedEvse:
    """`location_key` None: no Location of ours has it."""

    location_key: str | None
    versions: Sequence[InVersion]
    peers: Sequence[Seen]
    differences: Sequence[Difference]


async def of_charge_point(
    db: Database, registration: JsonMapping, versions: Sequence[str]
) -> OfferedEvse:
    """`registration`: its record as an operator may see it; `versions`: that are offered."""
    uid = ocpi_id(registration["_id"])
    document = await _location(db, uid, (registration.get("ocpi") or {}).get("location_id"))
    if document is None:
        return OfferedEvse(None, [], [], [])
    inner = plain(document)
    made, peers = await asyncio.gather(
        asyncio.gather(*(_in_version(db, document, uid, number) for number in versions)),
        PEERS.of(db).find(
            {"status": {"$in": list(REGISTERED)}}, _SHOWN, sort=[("name", 1)], limit=MAX_PEERS
        ),
    )
    evse = evse_of(inner, uid) or {}
    warnings = (registration.get("ocpi") or {}).get("warnings") or ()
    spoken = [peer.get("version") for peer in peers]
    return OfferedEvse(
        location_key=document["_id"],
        versions=[
            InVersion(number, text, len(inner.get("evses") or ()), spoken.count(number))
            for number, text in zip(versions, made, strict=True)
        ],
        peers=[_seen(peer, document) for peer in peers],
        differences=differences(registration, inner, evse, warnings),
    )


async def _location(db: Database, uid: str, location_id: str | None) -> OwnedDocument | None:
    query: JsonObject = {"links.evse": uid.lower()}
    if location_id is not None:
        query["lid"] = location_id.lower()
    found = await OwnedObjects(db, "locations").documents(query, sort=[("_id", 1)])
    return found[0] if found else None


async def _in_version(db: Database, document: OwnedDocument, uid: str, number: str) -> str | None:
    (made,) = await made_for(db, "locations", [document["raw"]], VERSIONS[number])
    if made is None:
        return None
    location: JsonObject = orjson.loads(made)
    location["evses"] = [
        evse for evse in location.get("evses") or () if str(evse["uid"]).lower() == uid.lower()
    ]
    return orjson.dumps(location, option=orjson.OPT_INDENT_2).decode()


def _seen(peer: PeerDocument, document: OwnedDocument) -> Seen:
    return Seen(
        peer_id=peer["_id"],
        name=peer["name"],
        version=peer.get("version") or "",
        why_not=_why_not(peer, document),
        pushed=offers(peer, "locations"),
    )


def _why_not(peer: PeerDocument, document: OwnedDocument) -> str | None:
    reader, audience = reader_of(peer), document["audience"]
    has, groups = document.get("links", {}).get("has", ()), document.get("groups", ())
    if may_see("locations", reader, audience, has, groups):
        return None
    if audience == NOBODY:
        return "its location is held back, or private: nobody is offered it"
    if audience not in audiences("locations", reader):
        if audience == GUESTS:
            return "its location is not published, and this peer is offered published ones only"
        return "it is not meant for this peer"
    if missing := lacking(list(has), required_by(peer)):
        return f"this peer requires {', '.join(missing)}, which the location lacks"
    given = ", ".join(reader.groups or ())
    return f"this peer is given the groups {given or 'none'}, and the location is in none of them"
