"""What an import says that it has changed: all of it, by kind and field, and nothing else."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from domain.imports.file_import import Refused
from domain.imports.location_import import LIFTED, read_location
from domain.imports.tariff_import import read_tariff

EARLY, LATE, LATEST = "2026-01-01T10:00:00Z", "2026-01-01T10:00:00.5Z", "2026-02-01T00:00:00Z"


def location(**changed: Any) -> dict[str, Any]:
    return {
        "country_code": "NL",
        "party_id": "EVC",
        "id": "L1",
        "publish": True,
        "address": "Haven 2",
        "city": "Ons Dorp",
        "country": "NLD",
        "coordinates": {"latitude": "52.22222", "longitude": "5.222222"},
        "time_zone": "Europe/Amsterdam",
        "evses": [evse()],
        "last_updated": EARLY,
        **changed,
    }


def evse(**changed: Any) -> dict[str, Any]:
    return {
        "uid": "E1",
        "evse_id": "NL*EVC*E1",
        "status": "AVAILABLE",
        "connectors": [connector()],
        "last_updated": EARLY,
        **changed,
    }


def connector(**changed: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": 16,
        "last_updated": EARLY,
        **changed,
    }


def said(row: dict[str, Any]) -> Counter[str]:
    return Counter(str(change) for change in read_location(row).changes)


def test_of_a_right_object_nothing_is_said() -> None:
    found = read_location(location(name=None, images=[], evses=[evse(coordinates=None)]))
    assert list(found.changes) == []
    assert list(found.warnings) == []


@pytest.mark.parametrize(
    ("row", "change"),
    [
        (
            location(evses=[evse(connectors=[connector(standard="IEC_60309_2_THREE_16")])]),
            "spelling of an enumerated value mended: evses.connectors.standard",
        ),
        (location(name="a\tb"), "control characters replaced: name"),
        (location(id=17), "number taken as text: id"),
        (location(speed_limit=30), "unknown field dropped: speed_limit"),
        (location(evses=[evse(tariffs=[{}, 1])]), "unknown field dropped: evses.tariffs"),
        (location(country="Netherlands"), "country written as its code: country"),
        (
            location(coordinates={"latitude": "52.2", "longitude": "5.222222"}),
            "coordinate with 5 to 7 decimals: coordinates.latitude",
        ),
        (
            location(operator={"name": "N", "website": "n.example"}),
            "URL made valid: operator.website",
        ),
        (
            location(last_updated="2026-01-01T12:00:00+02:00"),
            "timestamp written in UTC as OCPI has it: last_updated",
        ),
        (location(evses=evse()), "a single value made a list: evses"),
        (
            location(evses=[{k: v for k, v in evse().items() if k != "last_updated"}]),
            "filled in: evses.last_updated",
        ),
        (location(name="n/a"), "text without a value left out: name"),
        (location(publish="true"), "true or false out of text or a number: publish"),
        (
            location(
                opening_times={
                    "twentyfourseven": True,
                    "regular_hours": [
                        {"weekday": 1, "period_begin": "08:00", "period_end": "20:00"}
                    ],
                }
            ),
            "dropped: opening_times.regular_hours",
        ),
    ],
)
def test_every_change_is_said_by_kind_and_field(row: dict[str, Any], change: str) -> None:
    assert said(row) == Counter({change: 1})


def test_a_parent_is_as_young_as_its_youngest_part() -> None:
    row = location(
        evses=[
            evse(uid="E1", connectors=[connector(last_updated=LATE), connector(id="2")]),
            evse(uid="E2", last_updated=LATEST),
        ]
    )

    found = read_location(row)

    fields = found.obj.fields
    assert fields["last_updated"] == LATEST
    assert [part["last_updated"] for part in fields["evses"]] == [LATE, LATEST]
    assert found.obj.last_updated.month == 2
    assert said(row) == {f"{LIFTED}: last_updated": 1, f"{LIFTED}: evses.last_updated": 1}
    assert row["last_updated"] == EARLY


def test_an_evse_id_that_is_not_emi3_is_kept_and_warned_of() -> None:
    dotted = [evse(uid=str(n), evse_id=f"NL.SPI.ECO01057*{n}") for n in (1, 2)]
    found = read_location(location(evses=[*dotted, evse()]))
    assert found.obj.fields["evses"][0]["evse_id"] == "NL.SPI.ECO01057*1"
    assert list(found.warnings) == [
        "2 evse_ids are not in eMI3 form (as NL*EVC*E001*1), so peers may refuse it: "
        "NL.SPI.ECO01057*1"
    ]


def test_tariffs_say_it_too() -> None:
    found = read_tariff(
        {
            "country_code": "NL",
            "party_id": "EVC",
            "id": "T1",
            "currency": "EUR",
            "tariff_alt_text": [{"language": "nl", "text": "een\r\ntwee"}],
            "elements": [
                {
                    "price_components": [
                        {"type": "energy", "price": 0.4, "vat": None, "step_size": 1}
                    ]
                }
            ],
            "last_updated": EARLY,
        }
    )
    assert Counter(map(str, found.changes)) == {
        "control characters replaced: tariff_alt_text.text": 1,
        "spelling of an enumerated value mended: elements.price_components.type": 1,
    }


def test_what_2_3_0_added_is_taken_over() -> None:
    place = {
        "id": "P1",
        "vehicle_types": ["bus"],
        "restricted_to_type": True,
        "reservation_required": False,
    }
    linked = evse(parking=[{"parking_id": "P1"}])
    row = location(help_phone="112", parking_places=[place], evses=[linked])
    fields = read_location(row).obj.fields
    assert fields["help_phone"] == "112"
    assert fields["parking_places"] == [{**place, "vehicle_types": ["BUS"]}]
    assert said(row) == {"spelling of an enumerated value mended: parking_places.vehicle_types": 1}


def test_of_a_tariff_with_taxes_in_its_prices_it_must_be_known_how_much_they_are() -> None:
    component: dict[str, Any] = {"type": "ENERGY", "price": 0.4, "step_size": 1}
    row = {
        "country_code": "CA",
        "party_id": "EVC",
        "id": "T1",
        "currency": "CAD",
        "elements": [{"price_components": [component]}],
        "tax_included": "YES",
        "last_updated": EARLY,
    }
    with pytest.raises(Refused, match=r"vat: is needed where tax_included is YES"):
        read_tariff(row)
    component["vat"] = 5
    assert read_tariff(row).obj.fields["tax_included"] == "YES"
    assert read_tariff({**row, "tax_included": "NO"}).obj.fields["tax_included"] == "NO"
