"""tidy: what imports mend before validation, and what they leave to be refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.schemas import Location, SchemaError, Tariff, tidy_location, tidy_tariff, validate
from tests.domain.schemas import samples

DIRTY: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "data" / "dirty_locations.json").read_text()
)
DIRT = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())


def imported(**fields: Any) -> dict[str, Any]:
    return validate(Location, tidy_location(samples.location(**fields)))


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("number", range(len(DIRTY)))
def test_a_dirty_location_is_understood_and_stays_as_it_is_from_then_on(number: int) -> None:
    location = validate(Location, tidy_location(DIRTY[number]))
    assert tidy_location(location) == location


@pytest.mark.parametrize("number", [0, 1])
def test_dirt_that_the_text_allows_stays_to_the_letter(number: int) -> None:
    location = validate(Location, tidy_location(DIRTY[number]))
    assert location == without_nulls(DIRTY[number])
    assert location == validate(Location, DIRTY[number])


def test_all_that_can_be_understood_of_the_dirtiest_is_mended() -> None:
    with pytest.raises(SchemaError):
        validate(Location, DIRTY[2])
    at = "2026-03-01T09:00:00Z"
    assert validate(Location, tidy_location(DIRTY[2])) == {
        "country_code": "NL",
        "party_id": "EXB",
        "id": "4711",
        "publish": True,
        "name": "Wrong case, numbers as text, text as numbers and a line break",
        "address": "Markt 3",
        "city": "Ons Dorp",
        "country": "NLD",
        "coordinates": {"latitude": "52.30000", "longitude": "5.3333333"},
        "parking_type": "ON_STREET",
        "evses": [
            {
                "uid": "3256",
                "status": "AVAILABLE",
                "connectors": [
                    {
                        "id": "1",
                        "standard": "IEC_60309_2_single_16",
                        "format": "SOCKET",
                        "power_type": "AC_1_PHASE",
                        "max_voltage": 230,
                        "max_amperage": 16,
                        "last_updated": "2026-03-01T10:00:00Z",
                    }
                ],
                "floor_level": "0",
                "physical_reference": "3",
                "last_updated": "2026-03-01T10:00:00Z",
            }
        ],
        "directions": [{"language": "en", "text": "Behind the church"}],
        "operator": {"name": "Example B", "website": "https://www.example.com/b%C3%B6zen"},
        "facilities": ["HOTEL", "BUS_STOP"],
        "time_zone": "Europe/Amsterdam",
        "opening_times": {
            "twentyfourseven": False,
            "regular_hours": [
                {"weekday": 1, "period_begin": "08:00", "period_end": "20:00"},
                {"weekday": 2, "period_begin": "08:00", "period_end": "23:59"},
            ],
        },
        "charging_when_closed": True,
        "last_updated": at,
    }


@pytest.mark.parametrize(
    ("field", "given_value", "meant"),
    [
        ("country", "Netherlands", "NLD"),
        ("country", "de", "DEU"),
        ("country", "bel", "BEL"),
        ("time_zone", "Europe/brussels ", "Europe/Brussels"),
        ("time_zone", "america/new york", "America/New_York"),
        ("publish", "FALSE", False),
        ("last_updated", "2024-05-01 10:00:00 UTC", samples.AT),
        ("last_updated", "2024-05-01T12:00:00+0200", samples.AT),
        ("postal_code", 9000, "9000"),
        ("parking_type", "Parking lot", "PARKING_LOT"),
    ],
)
def test_a_field_is_mended(field: str, given_value: object, meant: object) -> None:
    assert imported(**{field: given_value})[field] == meant


@pytest.mark.parametrize("nothing", [None, "", "  ", "null", "N/A", "None", "\x00", "N/A\x7f"])
def test_nothing_is_left_out(nothing: object) -> None:
    assert imported(postal_code=nothing, parking_type=nothing, name=nothing) == samples.location()


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"address": ""}, "address"),
        ({"address": "\x00"}, "address"),
        ({"address": "\x07 \u2028"}, "address"),
        ({"city": None}, "city"),
        ({"country": "Atlantis"}, "country"),
        ({"time_zone": "Amsterdam time"}, "time_zone"),
        ({"parking_type": "SOMEWHERE"}, "parking_type"),
        ({"facilities": ["HOTEL", "SAUNA"]}, "facilities.1"),
        ({"coordinates": {"latitude": "north", "longitude": "5.12345"}}, "coordinates.latitude"),
        ({"coordinates": {"latitude": "152.1", "longitude": "5.1"}}, "coordinates.latitude"),
        ({"publish": "perhaps"}, "publish"),
        ({"publish": 2}, "publish"),
        ({"operator": {"website": "www.example.com"}}, "operator.name"),
        ({"last_updated": "yesterday"}, "last_updated"),
        ({"last_updated": "2024-05-01"}, "last_updated"),
        ({"evses": [samples.evse(connectors=[])]}, "evses.0.connectors"),
        ({"evses": "two"}, "evses.0"),
        ({"id": "x" * 37}, "id"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_path(
    fields: dict[str, object], path: str
) -> None:
    with pytest.raises(SchemaError) as refused:
        imported(**fields)
    assert [found for found, _ in refused.value.errors] == [path]


def test_a_location_open_day_and_night_needs_no_hours() -> None:
    day = {"weekday": 1, "period_begin": "00:00", "period_end": "00:00"}
    location = imported(opening_times={"twentyfourseven": True, "regular_hours": [day]})
    assert location["opening_times"] == {"twentyfourseven": True}


def test_a_tariffs_line_breaks_and_prices_as_text_are_mended() -> None:
    element = {"price_components": [{"type": "energy", "price": "0,25", "step_size": "1"}]}
    text = {"language": "en", "text": "Energy 0.25 \n\nParking free"}
    dirty = samples.tariff(currency="eur", elements=[element], tariff_alt_text=text)
    assert validate(Tariff, tidy_tariff(dirty)) == samples.tariff(
        tariff_alt_text=[{"language": "en", "text": "Energy 0.25 Parking free"}]
    )


@given(st.sampled_from(sorted(Location.__fields__)), DIRT)
def test_no_dirt_breaks_the_tidying_and_tidying_twice_changes_nothing(
    field: str, dirt: object
) -> None:
    once = tidy_location(samples.location(**{field: dirt}))
    try:
        valid = validate(Location, once)
    except SchemaError:
        return
    assert validate(Location, tidy_location(valid)) == valid


@given(st.data())
def test_dirt_deep_inside_breaks_nothing_either(data: st.DataObject) -> None:
    evse = samples.evse(connectors=[samples.connector()])
    target = data.draw(st.sampled_from([evse, evse["connectors"][0]]))
    target[data.draw(st.sampled_from(sorted(target)))] = data.draw(DIRT)
    hours = data.draw(st.fixed_dictionaries({"regular_hours": DIRT, "twentyfourseven": DIRT}))
    tidy_location(samples.location(evses=[evse], opening_times=hours))
