"""Registered charge points become valid Locations, or are held back with the reasons."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.schemas import Location, validate
from domain.sites import Built, HeldBack, build_location
from tests.domain.sites.registrations import NOW, Acme, built, reasons, record
from tests.drawn import drawn

STAMP = "2024-05-01T12:00:00Z"


def test_a_city_alone_makes_a_complete_location() -> None:
    outcome = build_location([{"cp_id": "CP-001", "location": "Berlin"}], {}, Acme(), now=NOW)

    assert isinstance(outcome, Built)
    assert outcome.location == {
        "country_code": "DE",
        "party_id": "ABC",
        "id": "CP-001",
        "publish": True,
        "address": "Berlin",
        "city": "Berlin",
        "country": "DEU",
        "coordinates": {"latitude": "52.52437", "longitude": "13.41053"},
        "evses": [
            {
                "uid": "CP-001",
                "evse_id": "DE*ABC*ECP*001",
                "status": "UNKNOWN",
                "capabilities": [
                    "REMOTE_START_STOP_CAPABLE",
                    "RESERVABLE",
                    "RFID_READER",
                    "UNLOCK_CAPABLE",
                    "CHARGING_PROFILE_CAPABLE",
                ],
                "connectors": [
                    {
                        "id": "1",
                        "standard": "IEC_62196_T2",
                        "format": "SOCKET",
                        "power_type": "AC_3_PHASE",
                        "max_voltage": 230,
                        "max_amperage": 32,
                        "max_electric_power": 22000,
                        "last_updated": STAMP,
                    }
                ],
                "last_updated": STAMP,
            }
        ],
        "operator": {"name": "Acme Charging"},
        "time_zone": "Europe/Berlin",
        "last_updated": STAMP,
    }
    assert (outcome.private, outcome.warnings, outcome.left_out) == (False, [], {})


def test_an_address_is_put_in_its_fields() -> None:
    location = built(record(location="Alexanderplatz 1, 10178 Berlin")).location

    assert location["address"] == "Alexanderplatz 1"
    assert location["postal_code"] == "10178"
    assert location["city"] == "Berlin"


def test_metadata_goes_before_what_is_derived() -> None:
    metadata = {
        "name": "Gent Zuid",
        "address": "F.Rooseveltlaan 3A",
        "city": "Gent",
        "postal_code": 9000,
        "state": "East Flanders",
        "country": "belgium",
        "coordinates": {"latitude": 51.047599, "longitude": "3.729944"},
        "time_zone": "Europe/Brussels",
        "parking_type": "on_street",
        "opening_times": "24/7",
        "facilities": ["HOTEL", "WIFI"],
        "operator": {"name": "BeCharged", "website": "https://becharged.example.be"},
        "owner": "City of Gent",
        "charging_when_closed": False,
        "energy_mix": {"is_green_energy": True},
        "directions": [{"language": "en", "text": "Behind the library"}],
        "related_locations": [{"latitude": 51.0476, "longitude": 3.73}],
        "images": [{"url": "https://img.example.be/1.png", "category": "ENTRANCE", "type": "png"}],
        "publish": False,
        "publish_allowed_to": [{"uid": "012345678", "type": "RFID"}],
    }

    outcome = built(record(location="Madrid", metadata=metadata))

    location = {**outcome.location}
    del location["evses"], location["last_updated"]
    assert location == {
        "country_code": "DE",
        "party_id": "ABC",
        "id": "CP-001",
        **metadata,
        "postal_code": "9000",
        "country": "BEL",
        "coordinates": {"latitude": "51.047599", "longitude": "3.729944"},
        "parking_type": "ON_STREET",
        "opening_times": {"twentyfourseven": True},
        "owner": {"name": "City of Gent"},
        "related_locations": [{"latitude": "51.04760", "longitude": "3.73000"}],
    }
    assert outcome.warnings == []


def test_an_unknown_place_is_held_back_with_what_mends_it() -> None:
    assert reasons(record(location="Atlantis")) == [
        "no country: 'Atlantis' is not a known place; set metadata.country, such as DEU",
        "no city: 'Atlantis' is not a known place; set metadata.city",
        "no coordinates: 'Atlantis' is not a known place; "
        "set metadata.coordinates {latitude, longitude}",
        "no time zone: 'Atlantis' is not a known place; "
        "set metadata.time_zone, such as Europe/Berlin",
    ]


def test_following_the_reasons_offers_the_location() -> None:
    metadata = {"city": "Atlantis", "country": "GRC", "coordinates": "36.4, 25.4"}

    location = built(record(location="Temple 1", metadata=metadata)).location

    assert location["address"] == "Temple 1"
    assert location["coordinates"] == {"latitude": "36.40000", "longitude": "25.40000"}
    assert location["time_zone"] == "Europe/Athens"  # of the nearest city in the country


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("coordinates", "north pole"),
        ("coordinates", {"latitude": 91, "longitude": 0}),
        ("coordinates", {"latitude": 52.5}),
        ("coordinates", [13.4, 52.5]),
        ("country", "Wakanda"),
        ("country", 49),
        ("time_zone", "Berlin"),
        ("city", "x" * 46),
        ("city", ["Berlin"]),
        ("address", "x" * 256),
        ("publish", "perhaps"),
        ("roaming", "perhaps"),
        ("power_rating", "a lot"),
        ("connectors", "CCS"),
        ("connectors", [{"standard": "IEC_0"}]),
        ("connectors", [{"max_voltage": 0}]),
        ("connectors", [{"id": "A"}, {"id": "a"}]),
    ],
)
def test_a_bad_value_of_what_must_be_known_holds_back(key: str, value: Any) -> None:
    found = reasons(record(metadata={key: value}))

    assert len(found) == 1 and f"metadata.{key}" in found[0]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "x" * 256),
        ("postal_code", "x" * 11),
        ("parking_type", "SKY"),
        ("opening_times", "sometimes"),
        ("opening_times", {"twentyfourseven": False}),
        ("facilities", ["CASTLE"]),
        ("operator", {"website": "https://example.com"}),
        ("energy_mix", "green"),
        ("images", [{"url": "http://192.168.1.4/a.png", "category": "OTHER", "type": "png"}]),
        ("owner", {"name": "O", "website": "http://intranet/owner"}),
        ("publish_allowed_to", [{"uid": "1", "type": "RFID"}]),
        ("capabilities", ["FLY"]),
        ("floor_level", "-10000"),
        ("physical_reference", {"a": 1}),
        ("type", "wallbox"),
        ("tariff_ids", ["x" * 37]),
        ("evse_id", "NL.ABC.1"),
        ("site_id", {"a": 1}),
        ("evse", "none"),
    ],
)
def test_a_bad_value_of_any_other_key_is_left_out_with_a_warning(key: str, value: Any) -> None:
    outcome = built(record(metadata={key: value}))

    plain = built(record()).location
    if key == "capabilities":  # what was meant to be restricted is not claimed in full
        del plain["evses"][0]["capabilities"]
    assert outcome.location == plain
    assert len(outcome.warnings) == 1 and key in outcome.warnings[0]


def test_coordinates_far_from_the_city_are_pointed_out() -> None:
    outcome = built(record(metadata={"coordinates": "40.4, -3.7"}))

    assert outcome.warnings == ["coordinates are far from Berlin"]


def test_inner_facts_never_leave_the_house() -> None:
    metadata = {"cp_e_host": "10.1.2.3", "cp_e_port": 8001, "api_key": "hunter2", "note": "inner"}

    assert built(record(metadata=metadata)).location == built(record()).location


def test_a_charge_point_without_roaming_is_private() -> None:
    outcome = built(record(metadata={"roaming": False}))

    assert outcome.private
    assert outcome.location["id"] == "CP-001"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["\ud800", "9" * 5000, "22kW", "DC", "DEU", "52.5,13.4", "RESERVABLE"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
KNOWN_KEYS = [
    *("site_id", "name", "address", "city", "postal_code", "state", "country", "coordinates"),
    *("time_zone", "opening_times", "parking_type", "facilities", "operator", "publish", "owner"),
    *("publish_allowed_to", "charging_when_closed", "energy_mix", "images", "related_locations"),
    *("directions", "roaming", "connectors", "capabilities", "power_rating", "type", "tariff_ids"),
    *("parking_restrictions", "floor_level", "physical_reference", "status_schedule", "evse"),
    *("evse_id", "terms_and_conditions"),
]
CONNECTORS = st.lists(
    st.dictionaries(
        st.sampled_from(
            [
                *("id", "standard", "format", "power_type", "max_voltage", "max_amperage"),
                *("max_electric_power", "tariff_ids", "power_rating"),
            ]
        ),
        JSON | st.sampled_from(["CCS", "IEC_62196_T2", "DC", "AC_1_PHASE", "16", 10**400, -1]),
    ),
    max_size=3,
)
METADATA = st.dictionaries(st.sampled_from(KNOWN_KEYS) | st.text(max_size=8), JSON, max_size=6)
RECORDS = st.lists(
    st.builds(
        record,
        cp_id=st.text(st.characters(codec="ascii"), max_size=64),
        location=st.sampled_from(["Berlin", "Madrid", "Atlantis"]) | st.text(max_size=20),
        metadata=METADATA
        | st.builds(lambda m, c: {**m, "connectors": c}, METADATA, CONNECTORS)
        | JSON,
        status=st.sampled_from(["REGISTERED", "DEREGISTERED"]),
        registration_date=st.none() | st.datetimes() | st.just(datetime.now(timezone.utc)),
    ),
    min_size=1,
    max_size=3,
)


@given(RECORDS)
@settings(max_examples=drawn(80), suppress_health_check=[HealthCheck.too_slow])
def test_any_metadata_gives_a_valid_location_or_reasons(records: list[dict[str, Any]]) -> None:
    outcome = build_location(records, {}, Acme(), now=NOW)

    if isinstance(outcome, HeldBack):
        assert outcome.reasons and all(outcome.reasons)
        return
    assert validate(Location, outcome.location) == outcome.location
    assert json.loads(json.dumps(outcome.location, allow_nan=False)) == outcome.location
    again = build_location(records, {}, Acme(), previous=outcome.location, now=NOW)
    assert isinstance(again, Built) and again.location == outcome.location


@given(CONNECTORS)
@settings(max_examples=drawn(60), suppress_health_check=[HealthCheck.too_slow])
def test_any_connectors_give_a_valid_location_or_reasons(given_connectors: list[Any]) -> None:
    metadata = {"connectors": given_connectors, "power_rating": "150kW"}
    outcome = build_location([record(metadata=metadata)], {}, Acme(), now=NOW)

    if isinstance(outcome, Built):
        assert validate(Location, outcome.location) == outcome.location
    else:
        assert outcome.reasons and "metadata.connectors" in outcome.reasons[0]
