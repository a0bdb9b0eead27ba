"""A sample session, and the tariffs that are made of a few figures."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from domain.pricing.problems import tariff_problems
from domain.pricing.sample import Sample, price_sample
from domain.pricing.simple_tariff import SimpleTariff, tariff_of
from domain.pricing.tariff_words import tariff_in_words
from tests.domain.pricing.sessions import component, element, tariff

CAR_PARK = SimpleTariff(
    *("NL", "EVC", "DAY", "EUR"),
    per_kwh=Decimal("0.35"),
    day_from="08:00",
    day_to="20:00",
    else_per_kwh=Decimal("0.29"),
    per_session=Decimal("0.5"),
    per_parked_min=Decimal("0.05"),
    parked_after_min=240,
    at_most=Decimal(30),
    vat=Decimal(19),
    with_vat=True,
)


def test_a_few_figures_are_the_tariff_that_they_say() -> None:
    made = tariff_of(CAR_PARK, "2025-05-01T12:00:00Z")
    assert tariff_problems(made) == []
    assert tariff_in_words(made).line == (
        "0.35 €/kWh from 08:00 to 20:00, else 0.29; 0.05 €/min while parked after 4 h "
        "(per started min); 0.50 € per session; at most 25.2101 € (30 with VAT); incl. 19 % VAT"
    )
    plain = SimpleTariff("NL", "EVC", "P", "EUR", Decimal("0.4"), per_parked_min=Decimal("0.1"))
    assert tariff_in_words(tariff_of(plain, "2025-05-01T12:00:00Z")).line == (
        "0.40 €/kWh; 0.10 €/min while parked (per started min); no VAT"
    )


def test_the_sample_is_priced_in_local_time_with_its_idle_time() -> None:
    made = tariff_of(CAR_PARK, "2025-05-01T12:00:00Z")
    # 19:00 to 21:00 in Amsterdam: half of the 20 kWh by day; then three hours parked, one of them
    # after the fourth.
    evening = Sample(datetime(2026, 7, 1, 19), "Europe/Amsterdam", Decimal(20), 120, idle_min=180)
    priced = price_sample(made, evening)
    assert priced.total_cost.incl == Decimal("0.5") + 10 * Decimal("0.35") + 10 * Decimal(
        "0.29"
    ) + 60 * Decimal("0.05")
    assert (
        price_sample(
            made, Sample(datetime(2026, 7, 1, 19), "UTC", Decimal(999), 60)
        ).total_cost.incl
        == 30
    )


def test_minutes_pass_when_clocks_are_turned() -> None:
    night = Sample(datetime(2026, 3, 29, 1, 30), "Europe/Amsterdam", Decimal(0), 60)
    by_hour = tariff(
        element(component("TIME", 6), start_time="03:00"), element(component("TIME", 0))
    )
    # From 01:30 to 02:00 and then, as the clock jumps, from 03:00 to 03:30.
    assert price_sample(by_hour, night).total_cost.excl == 3


def test_a_current_and_a_reservation_can_be_part_of_it() -> None:
    strong = tariff(
        element(component("ENERGY", 1), min_current=32),
        element(component("ENERGY", 0.5)),
        element(component("TIME", 4), reservation="RESERVATION"),
    )
    at = datetime(2026, 7, 1, 10)
    weak = Sample(at, "UTC", Decimal(10), 60, current_a=Decimal(16))
    assert price_sample(strong, weak).total_cost.excl == 5
    kept = Sample(at, "UTC", Decimal(10), 60, reserved_min=30, current_a=Decimal(32))
    assert price_sample(strong, kept).total_cost.excl == 12
