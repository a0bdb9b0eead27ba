"""Where a site is: address, city, country, coordinates and time zone, given or derived.

What the metadata does not give follows from the place that `city` or else the `location` text
names. What cannot be derived is a reason to hold the Location back: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from db_interface.json_data import JsonObject
from domain.places.countries import find_country
from domain.places.gazetteer import Address, Place, Point, distance_km, nearest_place, read_address
from domain.places.geonames import Country
from domain.sites.facts import Facts
from domain.sites.fields import BadValue, geo_location, read_location_field, read_point

# Farther than this from its own city, one of the two is a slip of the pen.
_FARTHEST_FROM_CITY_KM = 100
_MAX_CITY_LENGTH = 45
_MAX_POSTAL_CODE_LENGTH = 10


def read_whereabouts(facts: Facts) -> JsonObject:
    """The Location's fields from address to time_zone; complaints go to `facts`.

    Where `facts.reasons` is not empty afterwards, fields are missing.
    """
    country = facts.mandatory("country", _country)
    point = facts.mandatory("coordinates", read_point)
    time_zone = facts.mandatory("time_zone", lambda value: read_location_field("time_zone", value))
    given_city = facts.mandatory("city", lambda value: read_location_field("city", value))
    street = facts.mandatory("address", lambda value: read_location_field("address", value))
    refused = {reason.split(" ", 1)[0] for reason in facts.reasons}

    text, written = _written_address(facts, country, point)
    place = written.place if written else None
    if given_city:
        known = read_address(given_city, country=country, near=point)
        place = known.place if known else None
        if written and place and written.place.city != place.city:
            written = None
    city = given_city or (written.city if written else None)
    missing = _Missing(facts, given_city or text, country, refused)

    country = country or (place.country if place else None)
    if country is None:
        missing.report("country", "set metadata.country, such as DEU")
    if city is None or len(city) > _MAX_CITY_LENGTH:
        missing.report("city", "set metadata.city")
    if point is None and place is None:
        missing.report("coordinates", "set metadata.coordinates {latitude, longitude}")
    if time_zone is None:
        time_zone = _time_zone(place, point, country)
    if time_zone is None:
        missing.report("time zone", "set metadata.time_zone, such as Europe/Berlin")
    if street is None:
        street = _address(facts, text, written, refused)
    if point and place and distance_km(point, place.point) > _FARTHEST_FROM_CITY_KM:
        facts.warnings.append(f"coordinates are far from {place.city}")

    fields: JsonObject = {"address": street, "city": city}
    postal_code = facts.optional(
        "postal_code", lambda value: read_location_field("postal_code", value)
    )
    if not postal_code and written and len(written.postal_code or "") <= _MAX_POSTAL_CODE_LENGTH:
        postal_code = written.postal_code
    fields["postal_code"] = postal_code
    fields["state"] = facts.optional("state", lambda value: read_location_field("state", value))
    fields["country"] = country.alpha3 if country else None
    site = point or (place.point if place else None)
    fields["coordinates"] = geo_location(site) if site else None
    fields["time_zone"] = time_zone
    return fields


class _Missing:
    """Says once per field what is missing, why, and which key mends it."""

    def __init__(self, facts: Facts, text: str, country: Country | None, refused: set[str]) -> None:
        self._facts, self._refused = facts, refused
        within = f" in {country.name}" if country else ""
        self._why = f"'{text}' is not a known place{within}" if text else "no place is named"

    def report(self, field: str, mend: str) -> None:
        if field.replace(" ", "_") not in self._refused:
            self._facts.reasons.append(f"no {field}: {self._why}; {mend}")


def _country(value: object) -> Country | None:
    if isinstance(value, str) and not value.strip():
        return None
    country = find_country(value) if isinstance(value, str) else None
    if country is None:
        raise BadValue("not an ISO 3166 code or an English country name")
    return country


def _written_address(
    facts: Facts, country: Country | None, point: Point | None
) -> tuple[str, Address | None]:
    """The first `location` text that names a known place, else the first text at all."""
    texts = [record.location for record in facts.records if record.location]
    for text in texts:
        address = read_address(text, country=country, near=point)
        if address:
            return text, address
    return (texts[0] if texts else ""), None


def _address(facts: Facts, text: str, written: Address | None, refused: set[str]) -> str | None:
    """The street in the `location` text, or all of it ("Berlin")."""
    candidate = (written.street if written else None) or text
    try:
        address: str | None = read_location_field("address", candidate)
    except BadValue as bad:
        if "address" not in refused:
            facts.reasons.append(f"no address: the location text is {bad}; set metadata.address")
        return None
    if address is None and "address" not in refused:
        facts.reasons.append("no address: no location text; set metadata.address")
    return address


def _time_zone(place: Place | None, point: Point | None, country: Country | None) -> str | None:
    if place:
        return place.time_zone
    if point and country:
        nearest = nearest_place(point, country)
        return nearest.time_zone if nearest else None
    return None


READERS: Mapping[str, Callable[[object], object]] = {
    "country": _country,
    "coordinates": read_point,
    **{
        name: partial(read_location_field, name)
        for name in ("time_zone", "city", "address", "postal_code", "state")
    },
}
"""How each of the metadata keys that say where a site is is read."""
