"""What became of a registration on its way to peers, and why."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from domain.operator import registration_diff
from domain.operator.held_back_words import is_planned, remedy_of
from domain.operator.registration_diff import What, differences
from domain.sites import Built, build_location, details
from domain.sites.evse import _FLAT_FIELDS, _FOR_CONNECTORS, _OWN_FIELDS

NOW = datetime(2025, 5, 5, 15, 0, tzinfo=timezone.utc)


class Party:
    country_code, party_id, name = "NL", "EVC", "EVC"


def rows_of(metadata: dict[str, Any], place: str = "Amsterdam") -> dict[str, tuple[str, str]]:
    """(what, why) by field, of a charge point that stands alone."""
    record = {"cp_id": "CP-1", "location": place, "metadata": metadata, "status": "REGISTERED"}
    built = build_location([record], {"CP-1": "AVAILABLE"}, Party(), now=NOW)
    assert isinstance(built, Built), built
    (evse,) = built.location["evses"]
    registration = {**record, "_id": "CP-1"}
    found = differences(registration, built.location, evse, built.warnings)
    assert len({one.field for one in found}) == len(found)
    order = [list(What).index(one.what) for one in found]
    assert order == sorted(order)
    return {one.field: (one.what.value, one.why) for one in found}


def test_each_field_says_what_became_of_it() -> None:
    rows = rows_of(
        {
            "power_rating": "22kW",
            "operator": "ACME",
            "facilities": ["CAFE", "MOON"],
            "help_phone": "x" * 30,
            "postal_code": "1011AB",
            "secret_plan": "none",
            "tariff_ids": ["T1"],
            "evse": {"floor_level": "-1", "images": "x"},
            "connectors": [{"id": "A", "standard": "Type 2", "max_amperage": 16}],
        }
    )
    assert rows["location.operator"] == ("changed", "in OCPI’s form")
    assert rows["location.facilities"][0] == "changed" and "MOON" not in rows
    assert rows["location.help_phone"][0] == "left out"
    assert "help_phone of CP-1" in rows["location.help_phone"][1]
    assert rows["location.postal_code"] == ("as registered", "")
    assert rows["secret_plan"][0] == rows["power_rating"][0] == "not for peers"
    assert rows["connector.tariff_ids"][0] == rows["evse.floor_level"][0] == "as registered"
    assert rows["evse.images"][0] == "left out" and "images" in rows["evse.images"][1]
    assert rows["connector A.standard"][0] == "changed"
    assert rows["connector A.max_amperage"][0] == "as registered"
    assert rows["connector A.power_type"] == (
        "added",
        "derived from power_rating and type, as such charge points are built",
    )
    assert rows["evse.status"] == ("added", "what EV_Central knows of it")
    assert rows["location.time_zone"][0] == "added" and "Amsterdam" in rows["location.time_zone"][1]


def test_every_field_that_a_site_reads_is_known_here() -> None:
    assert set(registration_diff._OF_LOCATION) == set(details._READERS)
    of_evse = {*_FLAT_FIELDS, "evse_id", "capabilities", "parking"}
    assert set(registration_diff._OF_EVSE) == of_evse
    assert set(registration_diff._ONLY_IN_EVSE) == {*_OWN_FIELDS, "coordinates"}
    assert set(registration_diff._OF_CONNECTOR) == set(_FOR_CONNECTORS)


def test_what_is_held_back_says_what_to_do() -> None:
    private = ["private: metadata.roaming is false"]
    assert is_planned(private) and is_planned(["deregistered"])
    assert "metadata.roaming true" in remedy_of(private)
    mixed = [*private, "no country: 'X' is not a known place; set metadata.country, such as DEU"]
    assert not is_planned(mixed) and "CP_MONITOR_METADATA" in remedy_of(mixed)
    assert not is_planned([]) and remedy_of([]) == ""
    waits = ["site S1 is another's: its owner must list CP-2 in metadata.site_members, or ..."]
    assert "Let it into its site" in remedy_of(waits)
