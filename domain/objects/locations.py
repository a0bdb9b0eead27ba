"""A Location as the store keeps it, and its parts by id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from db_interface.collection import Collection, Where
from db_interface.owned_objects import OwnedObject
from domain.objects import OcpiObject
from domain.rendered import Rendered
from domain.schemas import parse_datetime
from domain.visibility import audience_of_location


class _Bytes(TypedDict):
    raw: bytes


_LOCATIONS: Collection[_Bytes] = Collection("locations")


def owned_location(location: Mapping[str, Any], *, private: bool = False) -> OwnedObject:
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
        },
    )


async def location_with_evse(
    where: Where, evse_uid: str, location_id: str | None = None
) -> OcpiObject | None:
    """The Location of ours (of that id, if given) that has the EVSE of that uid, whatever its
    case; None: there is none."""
    query = {"links.evse": evse_uid.lower()}
    if location_id is not None:
        query["lid"] = location_id.lower()
    found = await _LOCATIONS.of(where).find_one(query, {"raw": 1})
    return None if found is None else Rendered(found["raw"]).plain()


def evse_of(location: Mapping[str, Any], evse_uid: str) -> dict[str, Any] | None:
    """The EVSE with that uid, whatever its case."""
    return _with(location.get("evses", ()), "uid", evse_uid)


def connector_of(evse: Mapping[str, Any], connector_id: str) -> dict[str, Any] | None:
    """The connector with that id, whatever its case."""
    return _with(evse.get("connectors", ()), "id", connector_id)


def _with(parts: Any, name: str, wanted: str) -> dict[str, Any] | None:
    return next((part for part in parts if part[name].lower() == wanted.lower()), None)
