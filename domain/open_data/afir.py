"""What the law wants known of each public charge point, and what of it is missing. Pure.

Source: Regulation (EU) 2023/1804 (AFIR), Article 20(2): (a) static and (c) dynamic data. What a
location cannot be published without (where it is, its connectors, their type and current) is not
asked here. Each requirement names the metadata key that gives it (docs/registry.md).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from db_interface.json_data import JsonMapping

_REMOVED = "REMOVED"


@dataclass(frozen=True)
class Place:
    """An EVSE, its location, and the folded ids of the tariffs that whoever pays there may pay."""

    location: JsonMapping
    evse: JsonMapping
    ad_hoc: Collection[str]


@dataclass(frozen=True)
class Requirement:
    name: str
    meaning: str
    mend: str
    """the metadata key, or what is to be done where no key gives it"""
    met: Callable[[Place], bool]


def _named(party: str) -> Callable[[Place], bool]:
    return lambda place: bool((place.location.get(party) or {}).get("name"))


def _contact(place: Place) -> bool:
    location = place.location
    parties = [location.get(name) or {} for name in ("operator", "owner")]
    return bool(location.get("help_phone") or any(party.get("website") for party in parties))


def _parking(place: Place) -> list[JsonMapping]:
    links = {link["parking_id"].lower() for link in place.evse.get("parking") or ()}
    places = place.location.get("parking_places") or ()
    return [one for one in places if one["id"].lower() in links]


def _said_of_the_disabled(place: Place) -> bool:
    return bool(_parking(place) or place.evse.get("parking_restrictions"))


def _vehicles(place: Place) -> bool:
    return any(one.get("vehicle_types") for one in _parking(place))


def _of_each_connector(met: Callable[[JsonMapping, Place], bool]) -> Callable[[Place], bool]:
    return lambda place: all(met(one, place) for one in place.evse["connectors"])


def _has_power(connector: JsonMapping, _: Place) -> bool:
    return bool(connector.get("max_electric_power"))


def _has_price(connector: JsonMapping, place: Place) -> bool:
    return any(name.lower() in place.ad_hoc for name in connector.get("tariff_ids") or ())


REQUIREMENTS = (
    Requirement("owner", "the owner", "owner", _named("owner")),
    Requirement("operator", "the operator", "operator", _named("operator")),
    Requirement("contact", "how to reach either of them", "help_phone", _contact),
    Requirement(
        "opening_times",
        "opening hours",
        "opening_times",
        lambda place: bool(place.location.get("opening_times")),
    ),
    Requirement(
        "evse_id",
        "its identification code",
        "evse_id",
        lambda place: bool(place.evse.get("evse_id")),
    ),
    Requirement(
        "max_electric_power",
        "the power of each connector",
        "power_rating",
        _of_each_connector(_has_power),
    ),
    Requirement(
        "parking_for_disabled",
        "whether it has parking for people with disabilities",
        "parking",
        _said_of_the_disabled,
    ),
    Requirement("vehicle_types", "which vehicles can stand there", "parking", _vehicles),
    Requirement(
        "green_energy",
        "whether its electricity is all renewable",
        "energy_mix",
        lambda place: "is_green_energy" in (place.location.get("energy_mix") or {}),
    ),
    Requirement(
        "status",
        "whether it works, and is free",
        "(the charge point has to be heard of)",
        lambda place: place.evse["status"] != "UNKNOWN",
    ),
    Requirement(
        "ad_hoc_price",
        "what whoever has no contract pays",
        "tariff_ids",
        _of_each_connector(_has_price),
    ),
)


def evses_of(location: JsonMapping, ad_hoc: Collection[str]) -> Iterator[Place]:
    """Those that are there."""
    for evse in location.get("evses") or ():
        if evse["status"] != _REMOVED:
            yield Place(location, evse, ad_hoc)


def missing_at(place: Place) -> list[Requirement]:
    return [one for one in REQUIREMENTS if not one.met(place)]
