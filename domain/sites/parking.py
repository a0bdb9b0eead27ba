"""Parking places: said of each charge point (`metadata.parking`), gathered in its Location.

Whoever says nothing of a place's id has it derived. Charge points that name the same id share that
place: the first one's word counts. Source: OCPI 2.3.0, mod_locations, Parking Object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from db_interface.json_data import JsonMapping, JsonObject
from domain.schemas import SchemaError, tidy, validate
from domain.sites.fields import BadValue, read_field
from domain.versions.own import EVSE, Location, Parking

_UNLESS_SAID = {"restricted_to_type": False, "reservation_required": False}
_MAX_ID_LENGTH = 36

Beside = tuple[JsonObject, JsonObject]
"""An EVSE's link to a parking place, and the place."""


def read_parking(given: object, uid: str, warnings: list[str]) -> list[Beside]:
    """The good ones of a list of places (or of one); others are warned of. Each is an object with
    the fields of a Parking and of the EVSE's link to it."""
    if given is None:
        return []
    found: dict[str, Beside] = {}
    for number, item in enumerate(given if isinstance(given, list) else [given], start=1):
        try:
            link, place = _read(item, uid, number)
        except BadValue as bad:
            warnings.append(f"left out: parking {number}: {bad}")
            continue
        found.setdefault(link["parking_id"].lower(), (link, place))
    return list(found.values())


def places_of(
    evses: Sequence[JsonMapping], given: Iterable[JsonObject], previous: JsonMapping | None
) -> list[JsonObject]:
    """The places that these EVSEs refer to: as they are given now, else as peers know them."""
    wanted = {link["parking_id"].lower() for evse in evses for link in evse.get("parking", ())}
    found: dict[str, JsonObject] = {}
    for place in (*given, *(previous or {}).get("parking_places", ())):
        if place["id"].lower() in wanted:
            found.setdefault(place["id"].lower(), place)
    return list(found.values())


def _read(item: object, uid: str, number: int) -> Beside:
    if not isinstance(item, Mapping):
        raise BadValue("not an object")
    said_by = {name: value for name, value in item.items() if value not in (None, "")}
    own_id = f"{uid}-P{number}"[-_MAX_ID_LENGTH:]
    said = tidy(Parking, {**_UNLESS_SAID, "id": own_id, **said_by})
    links = read_field(EVSE, "parking", {**item, "parking_id": said["id"]})
    try:
        place = validate(Parking, said)
    except SchemaError as error:
        path, reason = error.errors[0]
        raise BadValue(f"{path}: {reason}") from None
    # Its URLs are looked at as any other field's.
    read_field(Location, "parking_places", [place])
    return links[0], place
