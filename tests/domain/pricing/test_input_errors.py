"""What cannot be priced is refused with one line that says what is wrong, and where."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.pricing import PricingInputError, price_cdr
from tests.domain.pricing.sessions import at, cdr, charged, component, element, period, tariff

START = at("2026-06-08 10:00")
TARIFF = tariff(element(component("ENERGY", 1)))
GOOD = charged(START, 1, 10)


def with_period(**changes: Any) -> dict[str, Any]:
    return {**GOOD, "charging_periods": [{**GOOD["charging_periods"][0], **changes}]}


def energy(volume: Any) -> list[dict[str, Any]]:
    return [{"type": "ENERGY", "volume": volume}]


@pytest.mark.parametrize(
    ("session", "priced_by", "problem"),
    [
        ([], TARIFF, "cdr: not an object"),
        ({**GOOD, "end_date_time": None}, TARIFF, "cdr.end_date_time: missing"),
        ({**GOOD, "end_date_time": "soon"}, TARIFF, "end of the session: 'soon'"),
        ({**GOOD, "end_date_time": "2026-06-08T09:00:00Z"}, TARIFF, "before its start"),
        ({**GOOD, "end_date_time": "9999-12-31T00:00:00Z"}, TARIFF, "longer than ten years"),
        ({**GOOD, "charging_periods": []}, TARIFF, "cdr.charging_periods: missing"),
        ({**GOOD, "charging_periods": {"a": 1}}, TARIFF, "cdr.charging_periods: not a list"),
        ({**GOOD, "charging_periods": [7]}, TARIFF, "charging_periods[0]: not an object"),
        (with_period(start_date_time=None), TARIFF, "charging_periods[0].start_date_time: missing"),
        (with_period(start_date_time=12), TARIFF, "charging_periods[0]: 12 is not a date"),
        (with_period(dimensions=3), TARIFF, "charging_periods[0].dimensions"),
        (with_period(dimensions=[{"type": "ENERGY"}]), TARIFF, "charging_periods[0].dimensions"),
        (with_period(dimensions=energy("10")), TARIFF, "ENERGY: '10' is not a number"),
        (with_period(dimensions=energy(True)), TARIFF, "ENERGY: True is not a number"),
        (with_period(dimensions=energy(float("nan"))), TARIFF, "ENERGY: nan is out of range"),
        (with_period(dimensions=energy(1e300)), TARIFF, "ENERGY: 1e+300 is out of range"),
        (
            with_period(dimensions=[{"type": "TIME", "volume": -1}]),
            TARIFF,
            "TIME: -1 hours is negative",
        ),
        (with_period(dimensions=energy(1) * 2), TARIFF, "two dimensions of one type"),
        (with_period(tariff_id="X"), [TARIFF], "tariff_id: 'X' is not among the tariffs"),
        (GOOD, "tariff.json", "tariff: not an object"),
        (GOOD, {**TARIFF, "currency": None}, "tariff T: currency is missing"),
        (
            GOOD,
            {**TARIFF, "tax_included": "YES"},
            "tariff T.elements[0].price_components[0].vat: is needed where tax_included is YES",
        ),
        (GOOD, {**TARIFF, "currency": "USD"}, "cdr.currency: 'EUR', but the tariff is in 'USD'"),
        (GOOD, {**TARIFF, "elements": [3]}, "tariff T.elements[0]: not an object"),
        (GOOD, tariff(element(component("ENERGY", 1, 1.5))), "price_components[0].step_size"),  # type: ignore[arg-type]
        (GOOD, tariff(element({"type": "ENERGY", "step_size": 1})), "[0].price: None is not"),
        (GOOD, {**TARIFF, "min_price": 5}, "tariff T.min_price: excl_vat is missing"),
        (GOOD, {**TARIFF, "start_date_time": "now"}, "tariff T.start_date_time: 'now'"),
        (GOOD, {**TARIFF, "extra": object()}, "tariff"),
    ],
)
def test_malformed_input(session: Any, priced_by: Any, problem: str) -> None:
    if problem == "tariff":  # an odd object in a field that does not matter is no harm
        assert price_cdr(session, priced_by, "UTC").total_cost.excl == 10
        return
    with pytest.raises(PricingInputError) as error:
        price_cdr(session, priced_by, "UTC")
    assert problem in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["Europe/Atlantis", "", "../etc/passwd", "Europe", None, 3])
def test_an_unknown_time_zone(name: Any) -> None:
    with pytest.raises(PricingInputError, match="time zone"):
        price_cdr(GOOD, TARIFF, name)


def test_periods_out_of_order() -> None:
    end = START + timedelta(hours=1)
    reverse = cdr(end, period(START, ENERGY=1), period(START - timedelta(hours=1), ENERGY=1))
    with pytest.raises(PricingInputError, match=r"charging_periods\[1\]: starts before"):
        price_cdr(reverse, TARIFF, "UTC")
    late = cdr(end, period(START, ENERGY=1), period(end + timedelta(hours=1), ENERGY=1))
    with pytest.raises(PricingInputError, match=r"charging_periods\[1\]: starts after the end"):
        price_cdr(late, TARIFF, "UTC")


@pytest.mark.parametrize(
    "text",
    [
        "2026-06-08T10:00:00",
        "2026-06-08T10:00:00.000Z",
        "2026-06-08T10:00:00.0",
        "2026-06-08T12:00:00+02:00",
    ],
)
def test_every_form_of_a_date_is_the_same_moment(text: str) -> None:
    priced = price_cdr({**GOOD, "start_date_time": text}, TARIFF, "UTC")
    assert priced.totals()["total_time"] == 1.0
