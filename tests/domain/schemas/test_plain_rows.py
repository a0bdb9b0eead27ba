"""What is seen to be right at a glance is what mending and validation leave as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import root_validator

from domain.imports.changes import changes
from domain.imports.location_import import plain_locations
from domain.schemas import SchemaError, tidy_location, validate
from domain.schemas.plain_rows import PlainRows, Rule
from domain.schemas.types import CiString36, OcpiModel
from domain.versions.own import Location
from tests.domain.schemas.samples import connector, evse, location
from tests.domain.versions.objects import objects_of

LOCATIONS = objects_of(Location)
SPOILT = st.sampled_from(
    [
        *(None, "", " ", "n/a", "NULL", "\u00a0", "x ", "a\nb", "\ud800", "\u00e9", "true"),
        *(True, 0, 1, -1, 2**63, 1.0, -0.0, 16.00001, float("inf"), "A" * 300),
        *([], {}, [None], ["x"], ["a", 1], {"name": "Somebody", "website": "n/a"}),
        *("5.1234567", "05.12345", "+5.12345", "5,12345", "Type 2", "iec_62196_t2", "nld", "NLDD"),
        *("2024-05-01T10:00:00+02:00", "2024-05-01 10:00:00", "2024-05-01T10:00:00", "24:00"),
        *("cpo.example", "HTTPS://cpo.example/a b", "europe/brussels"),
        *({"twentyfourseven": False, "regular_hours": []}, {"twentyfourseven": True, "x": 1}),
    ]
)


def as_mended(row: dict[str, Any]) -> bytes | None:
    """What the long way makes of it; None where it refuses or changes anything."""
    try:
        made = validate(Location, tidy_location(row, Location))
    except SchemaError:
        return None
    return None if list(changes(Location, row, made)) else orjson.dumps(made)


def at_a_glance(row: dict[str, Any]) -> bytes | None:
    found = plain_locations().read(row)
    return None if found is None else orjson.dumps(found)


def parts_of(value: Any) -> list[Any]:
    """All objects and lists within, and itself."""
    inside = value.values() if isinstance(value, Mapping) else value
    below = [part for one in inside if isinstance(one, (dict, list)) for part in parts_of(one)]
    return [value, *below]


@given(LOCATIONS)
def test_what_is_seen_is_what_the_long_way_makes(row: dict[str, Any]) -> None:
    assert at_a_glance(row) in (None, as_mended(row))


@given(LOCATIONS, SPOILT, st.data())
def test_one_wrong_value_is_never_taken(row: dict[str, Any], wrong: object, data: Any) -> None:
    part = data.draw(st.sampled_from(parts_of(row)))
    places = list(part) if isinstance(part, dict) else list(range(len(part)))
    if places:
        part[data.draw(st.sampled_from(places))] = wrong
    assert at_a_glance(row) in (None, as_mended(row))


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"evses": [evse(connectors=[connector(tariff_ids=["A"]), connector(id="2")])]},
        {"name": "Park & Ride \u00c4\u00df", "postal_code": None, "directions": []},
        {"opening_times": {"twentyfourseven": True}, "charging_when_closed": False},
        {"operator": {"name": "Us", "website": "https://cpo.example/"}, "facilities": ["CAFE"]},
        {"energy_mix": {"is_green_energy": True, "supplier_name": "Wind"}},
    ],
)
def test_usual_locations_are_seen_to_be_right_in_any_order_of_their_fields(
    changed: dict[str, Any],
) -> None:
    row = location(**changed)
    backwards = dict(reversed(row.items()))
    assert at_a_glance(row) == at_a_glance(backwards) == as_mended(row) is not None


@pytest.mark.parametrize(
    "changed",
    [
        {"evses": [evse(), evse(uid="EVSE-1")]},
        {"evses": [evse(connectors=[connector(), connector()])]},
        {"evses": [evse(connectors=[])]},
        {"publish_allowed_to": [{"group_id": "G"}]},
        {"parking_places": []},
        {"unknown": 1},
        {"coordinates": {"latitude": "51.04759", "longitude": "3.72994", "x": 1}},
        {"opening_times": {"twentyfourseven": "yes"}},
    ],
)
def test_what_has_rules_or_is_odd_is_looked_at_more_closely(changed: dict[str, Any]) -> None:
    assert at_a_glance(location(**changed)) is None


class Thing(OcpiModel):
    id: CiString36

    @root_validator(skip_on_failure=True, allow_reuse=True)
    def _is_not_that(cls, values: dict[str, Any]) -> dict[str, Any]:
        if values["id"] == "that":
            raise ValueError("that")
        return values


def test_a_model_with_a_rule_that_nobody_stands_for_is_never_plain() -> None:
    known = Rule(frozenset({"_is_not_that"}), lambda thing: thing["id"] != "that")
    other = Rule(frozenset({"_is_something_else"}), lambda thing: True)
    for rules, this in (({}, None), ({"Thing": other}, None), ({"Thing": known}, {"id": "this"})):
        rows = PlainRows(Thing, rules)
        assert (rows.read({"id": "this"}), rows.read({"id": "that"})) == (this, None)
