"""A Location as the store keeps it, and its parts by id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from db_interface.bulk import update_each
from db_interface.collection import Collection, Where
from db_interface.database import Database
from db_interface.indexes import ANY_CASE
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import OwnedObject
from domain.objects import OcpiObject
from domain.objects.location_fields import fields_of
from domain.rendered import Rendered
from domain.schemas import parse_datetime
from domain.visibility import audience_of_location


class _Bytes(TypedDict, total=False):
    _id: str
    raw: bytes


_AT_ONCE = 500
_LOCATIONS: Collection[_Bytes] = Collection("locations")


def owned_location(location: OcpiObject, *, private: bool = False) -> OwnedObject:
    """A valid Location as the store keeps it, with its EVSEs to be looked up by."""
    evses = location.get("evses", ())
    return OwnedObject(
        country_code=location["country_code"],
        party_id=location["party_id"],
        key_parts=(location["id"],),
        fields=location,
        last_updated=parse_datetime(location["last_updated"]),
        audience=audience_of_location(location, private=private),
        links={
            "evse": [evse["uid"] for evse in evses],
            "evse_id": [evse["evse_id"] for evse in evses if "evse_id" in evse],
            "has": fields_of(location),
        },
    )


async def location_with_evse(
    where: Where, evse_uid: str, location_id: str | None = None
) -> OcpiObject | None:
    """The Location of ours (of that id, if given) that has the EVSE of that uid, whatever its
    case; None: there is none. One that it has moved away from comes last."""
    query = {"links.evse": evse_uid.lower()}
    if location_id is not None:
        query["lid"] = location_id.lower()
    found = await _LOCATIONS.of(where).find(query, {"raw": 1}, sort=[("_id", 1)])
    locations = [Rendered(row["raw"]).plain() for row in found]
    return min(locations, key=lambda one: _is_removed(one, evse_uid), default=None)


def _is_removed(location: OcpiObject, evse_uid: str) -> bool:
    evse = evse_of(location, evse_uid)
    return evse is None or evse["status"] == "REMOVED"


async def note_what_they_have(db: Database) -> None:
    """Give those that were kept without it the link `has`: the fields that a peer may insist on.

    One that changes meanwhile is kept with it anyway.
    """
    changes: list[tuple[JsonMapping, JsonMapping]] = []
    documents = _LOCATIONS.of(db)
    async for row in documents.stream({"links.has": {"$exists": False}}, {"raw": 1}):
        has = fields_of(Rendered(row["raw"]).plain())
        unchanged = {"_id": row["_id"], "raw": row["raw"], "links.has": {"$exists": False}}
        changes.append((unchanged, {"$set": {"links.has": [name.lower() for name in has]}}))
        if len(changes) == _AT_ONCE:
            await update_each(documents, changes)
            changes = []
    await update_each(documents, changes)


async def locations_naming(where: Where, tariff_id: str) -> int:
    """How many locations name a tariff, in whatever case."""
    named = {"fields.evses.connectors.tariff_ids": tariff_id}
    return await _LOCATIONS.of(where).count(named, collation=ANY_CASE)


def evse_of(location: OcpiObject, evse_uid: str) -> JsonObject | None:
    """The EVSE with that uid, whatever its case."""
    return _with(location.get("evses", ()), "uid", evse_uid)


def connector_of(evse: OcpiObject, connector_id: str) -> JsonObject | None:
    """The connector with that id, whatever its case."""
    return _with(evse.get("connectors", ()), "id", connector_id)


def _with(parts: Iterable[JsonObject], name: str, wanted: str) -> JsonObject | None:
    return next((part for part in parts if part[name].lower() == wanted.lower()), None)
