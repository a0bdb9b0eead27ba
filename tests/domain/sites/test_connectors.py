"""Connectors follow from a power rating and a kind of current, or are completed from a list."""

from __future__ import annotations

from typing import Any

import pytest

from tests.domain.sites.registrations import built, connectors, record


@pytest.mark.parametrize(
    ("metadata", "power_type", "fmt", "volts", "amps", "watts"),
    [
        ({}, "AC_3_PHASE", "SOCKET", 230, 32, 22000),
        ({"power_rating": "22kW"}, "AC_3_PHASE", "SOCKET", 230, 32, 22000),
        ({"power_rating": "11 kW", "type": "AC"}, "AC_3_PHASE", "SOCKET", 230, 16, 11000),
        ({"power_rating": "3,7 kW"}, "AC_1_PHASE", "SOCKET", 230, 16, 3700),
        ({"power_rating": 7.4}, "AC_1_PHASE", "SOCKET", 230, 32, 7400),
        ({"power_rating": "43 KW"}, "AC_3_PHASE", "CABLE", 230, 63, 43000),
        ({"type": "dc"}, "DC", "CABLE", 500, 125, 50000),
        ({"power_rating": "150000W"}, "DC", "CABLE", 920, 375, 150000),
        ({"power_rating": "350kW", "type": "DC"}, "DC", "CABLE", 920, 500, 350000),
        ({"power_rating": "20 kW", "type": "DC fast"}, "DC", "CABLE", 500, 50, 20000),
    ],
)
def test_a_rating_makes_a_connector(
    metadata: dict[str, Any], power_type: str, fmt: str, volts: int, amps: int, watts: int
) -> None:
    standard = "IEC_62196_T2_COMBO" if power_type == "DC" else "IEC_62196_T2"

    assert connectors(**metadata) == [
        {
            "id": "1",
            "standard": standard,
            "format": fmt,
            "power_type": power_type,
            "max_voltage": volts,
            "max_amperage": amps,
            "max_electric_power": watts,
        }
    ]


def test_complete_connectors_stay_as_they_are() -> None:
    given = [
        {
            "id": "left",
            "standard": "IEC_62196_T2",
            "format": "CABLE",
            "power_type": "AC_3_PHASE",
            "max_voltage": 220,
            "max_amperage": 16,
            "tariff_ids": ["11"],
            "terms_and_conditions": "https://example.com/terms",
        }
    ]

    assert connectors(connectors=given) == given


def test_partial_connectors_are_completed_each_in_its_way() -> None:
    ccs, type_2, schuko = connectors(
        power_rating="150kW",
        tariff_ids=["T1"],
        connectors=[
            {"standard": "CCS"},
            {"standard": "Type 2", "tariff_ids": ["T2"]},
            {"id": "S", "standard": "domestic_f"},
        ],
    )

    assert ccs == {
        "id": "1",
        "standard": "IEC_62196_T2_COMBO",
        "format": "CABLE",
        "power_type": "DC",
        "max_voltage": 920,
        "max_amperage": 375,
        "max_electric_power": 150000,
        "tariff_ids": ["T1"],
    }
    # The AC socket beside a 150 kW CCS cable does not give 150 kW.
    assert type_2 == {
        "id": "2",
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": 32,
        "max_electric_power": 22000,
        "tariff_ids": ["T2"],
    }
    assert schuko == {
        "id": "S",
        "standard": "DOMESTIC_F",
        "format": "SOCKET",
        "power_type": "AC_1_PHASE",
        "max_voltage": 230,
        "max_amperage": 16,
        "max_electric_power": 3680,
        "tariff_ids": ["T1"],
    }


def test_volts_and_amperes_need_no_power() -> None:
    (connector,) = connectors(connectors={"max_voltage": "400", "max_amperage": 80})

    assert (connector["max_voltage"], connector["max_amperage"]) == (400, 80)
    assert "max_electric_power" not in connector


def test_a_bad_optional_field_of_a_connector_is_left_out() -> None:
    metadata = {"connectors": [{"standard": "CCS", "max_electric_power": "plenty"}]}

    outcome = built(record(metadata=metadata))

    connector = outcome.location["evses"][0]["connectors"][0]
    assert connector["max_electric_power"] == 50000
    assert outcome.warnings == [
        "CP-001: left out: max_electric_power of connector 1: not an integer"
    ]
