"""Each restriction decides alone, at its very bound, in the location's local time."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.pricing import price_cdr
from tests.domain.pricing.sessions import (
    at,
    cdr,
    charged,
    component,
    cost,
    element,
    period,
    price,
    tariff,
)

EURO_PER_KWH = component("ENERGY", 1)


def kwh_billed(session: dict[str, Any], time_zone: str = "UTC", /, **restrictions: Any) -> Decimal:
    """How much of a session's energy an element with these restrictions prices."""
    return cost(price(session, tariff(element(EURO_PER_KWH, **restrictions)), time_zone))


@pytest.mark.parametrize(
    ("restrictions", "hours"),
    [
        ({"start_time": "06:00"}, 18),
        ({"end_time": "06:00"}, 6),
        ({"start_time": "09:00", "end_time": "17:30"}, 8.5),
        ({"start_time": "22:00", "end_time": "06:00"}, 8),  # wraps past midnight
        ({"start_time": "20:00", "end_time": "00:00"}, 4),  # 00:00 is the end of the day
        ({"start_time": "00:00", "end_time": "00:00"}, 24),
        ({"start_time": "00:00", "end_time": "23:59"}, 23.984),
        ({"start_time": "09:00", "end_time": "09:00"}, 0),
    ],
)
def test_time_of_day(restrictions: dict[str, str], hours: Decimal | float) -> None:
    day = charged(at("2026-06-08 00:00"), hours=24, kwh=24)
    assert kwh_billed(day, **restrictions) == Decimal(str(hours))


def test_a_night_tariff_crosses_midnight_within_a_session() -> None:
    night = charged(at("2026-06-08 21:00"), hours=12, kwh=12)
    assert kwh_billed(night, start_time="22:00", end_time="06:00") == 8


def test_time_of_day_is_the_locations() -> None:
    session = charged(at("2026-06-08 06:00"), hours=2, kwh=2)  # 08:00-10:00 in Amsterdam
    assert kwh_billed(session, "Europe/Amsterdam", start_time="09:00") == 1
    assert kwh_billed(session, "UTC", start_time="09:00") == 0
    assert kwh_billed(session, "Asia/Kolkata", start_time="12:00") == Decimal("1.5")  # +05:30


def test_weekdays_change_at_local_midnight() -> None:
    # Friday 5 June 2026, 22:00 in Amsterdam, for four hours.
    session = charged(at("2026-06-05 20:00"), hours=4, kwh=4)
    assert kwh_billed(session, "Europe/Amsterdam", day_of_week=["FRIDAY"]) == 2
    assert kwh_billed(session, "Europe/Amsterdam", day_of_week=["SATURDAY", "SUNDAY"]) == 2
    assert kwh_billed(session, "Europe/Amsterdam", day_of_week=["MONDAY"]) == 0


def test_weekday_and_night_are_both_asked_at_each_moment() -> None:
    # A logical AND: Saturday 01:00 is not Friday, though the night began on Friday.
    session = charged(at("2026-06-05 20:00"), hours=12, kwh=12)
    night = {"start_time": "22:00", "end_time": "06:00"}
    assert kwh_billed(session, "UTC", day_of_week=["FRIDAY"], **night) == 2
    assert kwh_billed(session, "UTC", day_of_week=["SATURDAY"], **night) == 6


def test_dates_include_the_first_day_and_exclude_the_last() -> None:
    session = charged(at("2026-06-08 00:00"), hours=96, kwh=96)
    assert kwh_billed(session, start_date="2026-06-09", end_date="2026-06-11") == 48
    assert kwh_billed(session, start_date="2026-06-11") == 24
    assert kwh_billed(session, end_date="2026-06-09") == 24
    assert kwh_billed(session, start_date="2026-06-09", end_date="2026-06-09") == 0


def test_energy_bounds_cut_a_period_exactly_there() -> None:
    session = charged(at("2026-06-08 10:00"), hours=1, kwh=30.5)
    assert kwh_billed(session, min_kwh=20) == Decimal("10.5")
    assert kwh_billed(session, max_kwh=20) == 20
    assert kwh_billed(session, min_kwh=5, max_kwh=20) == 15


def test_energy_counts_from_the_start_of_the_session() -> None:
    start = at("2026-06-08 10:00")
    session = cdr(
        start + timedelta(hours=2),
        period(start, ENERGY=15, TIME=1),
        period(start + timedelta(hours=1), ENERGY=15, TIME=1),
    )
    assert kwh_billed(session, min_kwh=20) == 10


def test_duration_bounds() -> None:
    session = charged(at("2026-06-08 10:00"), hours=3, kwh=3)
    assert kwh_billed(session, min_duration=7200) == 1
    assert kwh_billed(session, max_duration=1800) == Decimal("0.5")
    assert kwh_billed(session, min_duration=10800) == 0


def test_duration_does_not_count_the_reservation() -> None:
    start = at("2026-06-08 10:00")
    session = cdr(
        start + timedelta(hours=2),
        period(start, RESERVATION_TIME=1),
        period(start + timedelta(hours=1), ENERGY=10, TIME=1),
    )
    assert kwh_billed(session, max_duration=1800) == 5


@pytest.mark.parametrize("measure", ["power", "current"])
def test_power_and_current(measure: str) -> None:
    low, high = f"min_{measure}", f"max_{measure}"
    lowest, highest = low.upper(), high.upper()
    start = at("2026-06-08 10:00")

    def billed(volumes: dict[str, float], **restrictions: float) -> bool:
        session = cdr(start + timedelta(hours=1), period(start, ENERGY=1, **volumes))
        return kwh_billed(session, **restrictions) == 1

    assert billed({lowest: 16, highest: 16}, **{low: 16})  # inclusive
    assert not billed({lowest: 15, highest: 15}, **{low: 16})
    assert not billed({lowest: 16, highest: 16}, **{high: 16})  # exclusive
    assert billed({lowest: 15, highest: 15}, **{high: 16})
    assert billed({highest: 15}, **{high: 16})
    assert not billed({highest: 15}, **{low: 16})  # at most 15 is not at least 16
    assert not billed({lowest: 17}, **{high: 16})
    # A period that straddles the bound fits neither side: it has to be split there.
    assert not billed({lowest: 10, highest: 20}, **{low: 16})
    assert not billed({lowest: 10, highest: 20}, **{high: 16})


def test_power_is_the_average_where_the_period_does_not_say_it() -> None:
    session = charged(at("2026-06-08 10:00"), hours=0.5, kwh=11)  # 22 kW
    assert kwh_billed(session, min_power=22) == 11
    assert kwh_billed(session, min_power=22.1) == 0
    assert kwh_billed(session, min_power=0, max_power=150) == 11


def test_unknown_current_fits_no_limit_of_current() -> None:
    session = charged(at("2026-06-08 10:00"), hours=1, kwh=11)
    assert kwh_billed(session, min_current=6) == 0
    assert kwh_billed(session, max_current=32) == 0
    assert kwh_billed(session, min_current=0) == 11


def test_a_parked_car_draws_nothing() -> None:
    start = at("2026-06-08 10:00")
    parked = cdr(start + timedelta(hours=1), period(start, PARKING_TIME=1))
    fee = component("PARKING_TIME", 5)
    assert cost(price(parked, tariff(element(fee, max_power=1)))) == 5
    assert cost(price(parked, tariff(element(fee, min_current=6)))) == 0


def test_all_restrictions_of_an_element_have_to_hold() -> None:
    session = charged(at("2026-06-08 16:00"), hours=4, kwh=40)
    assert kwh_billed(session, start_time="17:00", max_kwh=25) == 15


def test_the_first_matching_element_per_dimension_prices() -> None:
    peak = element(component("ENERGY", 0.5), start_time="17:00", end_time="20:00")
    base = element(component("ENERGY", 0.25), component("TIME", 1))
    session = charged(at("2026-06-08 16:00"), hours=2, kwh=20)

    priced = price(session, tariff(peak, base))
    assert cost(priced, "total_energy_cost") == Decimal("7.5")
    assert cost(priced, "total_time_cost") == 2  # from the second element, all along

    assert cost(price(session, tariff(base, peak)), "total_energy_cost") == 5


SPRING, AUTUMN = at("2026-03-28 23:00"), at("2026-10-24 22:00")  # midnights in Amsterdam


@pytest.mark.parametrize(
    ("midnight", "restrictions", "hours"),
    [
        (SPRING, {"start_time": "00:00", "end_time": "06:00"}, 5),  # 02:00-03:00 does not exist
        (AUTUMN, {"start_time": "00:00", "end_time": "06:00"}, 7),  # 02:00-03:00 comes twice
        (SPRING, {"start_time": "02:00", "end_time": "03:00"}, 0),
        (AUTUMN, {"start_time": "02:00", "end_time": "03:00"}, 2),
        (SPRING, {"start_time": "02:30", "end_time": "04:00"}, 1),
        (AUTUMN, {"start_time": "02:30", "end_time": "04:00"}, 2),
        (SPRING, {"start_time": "12:00"}, 12),
        (AUTUMN, {"start_time": "12:00"}, 12),
        (SPRING, {"day_of_week": ["SUNDAY"]}, 23),
        (AUTUMN, {"day_of_week": ["SUNDAY"]}, 25),
    ],
)
def test_the_days_on_which_summer_time_begins_and_ends(
    midnight: Any, restrictions: dict[str, Any], hours: int
) -> None:
    # 30 hours from local midnight, one kWh an hour: the next day's hours are left out by the date.
    session = charged(midnight, hours=30, kwh=30)
    limits = {**restrictions, "end_date": "2026-03-30" if midnight == SPRING else "2026-10-26"}
    assert kwh_billed(session, "Europe/Amsterdam", **limits) == hours


def test_nothing_is_billed_where_no_element_fits() -> None:
    session = charged(at("2026-06-08 10:00"), hours=1, kwh=10)
    priced = price_cdr(session, tariff(element(EURO_PER_KWH, start_time="12:00")), "UTC")
    assert priced.totals() == {
        "total_cost": {"excl_vat": 0.0, "incl_vat": 0.0},
        "total_energy": 10.0,
        "total_time": 1.0,
    }
    assert {row.reason for row in priced.explanation} == {"no element fits: free of charge"}
