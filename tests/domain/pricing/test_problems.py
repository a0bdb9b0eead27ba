"""Contradictions in a tariff are named where they stand; sound tariffs have none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from domain.pricing import tariff_problems
from tests.domain.pricing.sessions import component, element, tariff

EXAMPLES = Path(__file__).parents[2] / "data/pricing"
ENERGY = component("ENERGY", 1)


@pytest.mark.parametrize(
    ("restrictions", "problem"),
    [
        ({"start_time": "09:00", "end_time": "09:00"}, "start_time and end_time are both 09:00"),
        ({"start_date": "2026-06-07", "end_date": "2026-06-07"}, "start_date 2026-06-07 is not"),
        ({"min_kwh": 20, "max_kwh": 20}, "min_kwh 20 is not below max_kwh 20"),
        ({"min_current": 32, "max_current": 16}, "min_current 32 is not below max_current 16"),
        ({"min_power": 5, "max_power": 5}, "min_power 5 is not below max_power 5"),
        ({"min_duration": 60, "max_duration": 30}, "min_duration 60 is not below"),
        ({"max_kwh": 0}, "max_kwh 0 leaves nothing"),
        ({"min_kw": 3}, "min_kw is not a restriction of OCPI 2.2.1"),
        ({"start_time": "24:00"}, "start_time: '24:00' is not a time of day"),
        ({"start_date": "2026-02-30"}, "start_date: '2026-02-30' is not a date"),
        ({"day_of_week": ["FUNDAY"]}, "day_of_week"),
        ({"reservation": "MAYBE"}, "reservation: 'MAYBE' is not"),
    ],
)
def test_a_contradictory_restriction_is_named(restrictions: dict[str, Any], problem: str) -> None:
    found = tariff_problems(tariff(element(component("TIME", 1)), element(ENERGY, **restrictions)))
    assert len(found) == 1
    assert "elements[1].restrictions" in found[0]
    assert problem in found[0]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (tariff(element(ENERGY, ENERGY)), "elements[0].price_components: more than one ENERGY"),
        (
            tariff(element(ENERGY, reservation="RESERVATION")),
            "elements[0].price_components: a reservation cannot have ENERGY",
        ),
        (tariff(element(component("ENERGY", 1, 0))), "step_size 0 is less than 1"),
        (tariff(element(component("ENERGY", 1, 1, 121))), "vat 121 is not a percentage"),
        (
            tariff(element(ENERGY), min_price={"excl_vat": 5}, max_price={"excl_vat": 4}),
            "min_price.excl_vat is above max_price.excl_vat",
        ),
        (tariff(element(ENERGY), type="CHEAP"), "type: 'CHEAP' is not a TariffType"),
        (tariff(element(ENERGY), currency="EURO"), "currency: 'EURO'"),
        (
            tariff(
                element(ENERGY),
                start_date_time="2026-01-02T00:00:00Z",
                end_date_time="2026-01-01T00:00:00Z",
            ),
            "start_date_time is not before end_date_time",
        ),
        (tariff(), "tariff T.elements: a list with at least one entry is needed"),
        (tariff(element()), "elements[0].price_components: a list with at least one"),
        (tariff(element(component("BEER", 1))), "price_components[0].type"),
    ],
)
def test_a_wrong_tariff_is_named(given: dict[str, Any], problem: str) -> None:
    found = tariff_problems(given)
    assert len(found) == 1
    assert problem in found[0]


def test_what_can_be_priced_but_hardly_be_meant_is_a_warning() -> None:
    behind = tariff(element(ENERGY), element(component("ENERGY", 2), min_kwh=10))
    assert tariff_problems(behind) == [
        "warning: elements[1]: its ENERGY is never reached, elements[0] applies always"
    ]
    gap = tariff(element(ENERGY, start_time="00:00", end_time="23:59"))
    assert [text.split(":")[0] for text in tariff_problems(gap)] == ["warning"]


def test_the_tariffs_of_the_text_have_no_contradictions() -> None:
    for path in sorted(EXAMPLES.glob("*/tariff.json")):
        assert tariff_problems(json.loads(path.read_text())) == [], path
