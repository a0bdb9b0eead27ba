"""What OCPI 2.3.0 added to locations, out of a charge point's metadata."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from domain.schemas import validate
from domain.sites import public_metadata
from domain.versions import VERSIONS, ObjectKind
from tests.domain.sites.registrations import LATER, built, record

PLACE = {"vehicle_types": ["PERSONAL_VEHICLE"], "evse_position": "LEFT", "roofed": False}
CLEAN = {
    "vehicle_types": ["PERSONAL_VEHICLE"],
    "roofed": False,
    "restricted_to_type": False,
    "reservation_required": False,
}


def located(**metadata: Any) -> dict[str, Any]:
    return built(record(metadata=metadata)).location


def test_the_help_line_and_the_accepted_providers_are_told() -> None:
    location = located(help_phone="+49 30 1", accepted_service_providers=["Example eMSP"])
    assert location["help_phone"] == "+49 30 1"
    assert location["evses"][0]["accepted_service_providers"] == ["Example eMSP"]
    model = VERSIONS["2.3.0"].models[ObjectKind.LOCATION]
    assert validate(model, location) == location


def test_a_connector_says_that_it_can_plug_and_charge() -> None:
    connector = {"standard": "NACS", "capabilities": ["ISO_15118_2_PLUG_AND_CHARGE"]}
    [made] = located(connectors=[connector])["evses"][0]["connectors"]
    assert (made["standard"], made["format"]) == ("SAE_J3400", "CABLE")
    assert made["capabilities"] == ["ISO_15118_2_PLUG_AND_CHARGE"]


def test_a_megawatt_connector_is_one_of_direct_current() -> None:
    [made] = located(connectors=[{"standard": "MCS"}], power_rating="1 MW")["evses"][0][
        "connectors"
    ]
    assert (made["power_type"], made["max_electric_power"]) == ("DC", 1_000_000)


def test_a_parking_place_is_said_of_a_charge_point_and_stands_with_the_location() -> None:
    location = located(parking=PLACE)
    assert location["parking_places"] == [{"id": "CP-001-P1", **CLEAN}]
    assert location["evses"][0]["parking"] == [{"parking_id": "CP-001-P1", "evse_position": "LEFT"}]


def test_charge_points_that_name_the_same_place_share_it() -> None:
    here = {**PLACE, "id": "P1"}
    one = record(metadata={"site_id": "S", "parking": here})
    other = record(
        "CP-002", metadata={"site_id": "S", "parking": [{**here, "id": "p1"}, {**PLACE, "id": 2}]}
    )
    location = built(one, other).location
    assert [place["id"] for place in location["parking_places"]] == ["P1", "2"]
    links = [[link["parking_id"] for link in evse["parking"]] for evse in location["evses"]]
    assert links == [["P1"], ["p1", "2"]]


def test_the_place_of_a_removed_evse_stays_with_it() -> None:
    pair = [
        record(metadata={"site_id": "S", "parking": PLACE}),
        record("CP-002", metadata={"site_id": "S"}),
    ]
    before = built(*pair).location
    after = built(pair[1], previous=before, now=LATER).location
    assert [evse["status"] for evse in after["evses"]] == ["REMOVED", "UNKNOWN"]
    assert after["parking_places"] == before["parking_places"]


@pytest.mark.parametrize(
    ("parking", "warning"),
    [
        ("north side", "left out: parking 1: not an object"),
        ({}, "left out: parking 1: vehicle_types: required field missing"),
        ({"vehicle_types": []}, "left out: parking 1: vehicle_types: list is empty, it needs"),
        (
            {"vehicle_types": ["SPACESHIP"]},
            "left out: parking 1: vehicle_types.0: value is not one of MOTORCYCLE, ",
        ),
        (
            {**PLACE, "evse_position": "ABOVE"},
            "left out: parking 1: 0.evse_position: value is not one of LEFT, RIGHT, CENTER",
        ),
        (
            {**PLACE, "images": [{"url": "http://10.0.0.1/a", "category": "OTHER", "type": "png"}]},
            "left out: parking 1: a URL in it does not lead to a public host",
        ),
    ],
)
def test_a_place_that_cannot_be_used_is_left_out_and_said(parking: Any, warning: str) -> None:
    outcome = built(record(metadata={"parking": parking}))
    assert "parking_places" not in outcome.location
    assert "parking" not in outcome.location["evses"][0]
    [said] = outcome.warnings
    assert said.startswith(f"CP-001: {warning}")


def test_a_plug_that_no_text_knows_is_said_and_not_taken_for_one_of_our_own() -> None:
    outcome = built(record(metadata={"parking_restrictions": ["TAXIS", "SPACESHIPS"]}))
    assert outcome.location["evses"][0]["parking_restrictions"] == ["TAXIS"]
    [said] = outcome.warnings
    assert "parking_restrictions 2" in said


def test_all_of_it_may_be_shown() -> None:
    metadata = {
        "help_phone": "+49 30 1",
        "accepted_service_providers": ["Example eMSP"],
        "parking": [{**PLACE, "id": "P1"}],
        "connectors": [{"capabilities": ["ISO_15118_20_PLUG_AND_CHARGE"]}],
    }
    assert public_metadata(metadata) == metadata


def test_the_example_of_the_docs_is_used_whole() -> None:
    page = (Path(__file__).parents[3] / "docs" / "registry.md").read_text()
    [example] = re.findall(r"```json\n(\{\"help_phone.*?)```", page, re.DOTALL)
    outcome = built(record(metadata=json.loads(example)))
    assert outcome.warnings == []
    assert {"help_phone", "parking_places"} <= outcome.location.keys()
