"""Charging periods are cut where another component comes to apply, and nowhere else."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from domain.pricing import ChargingPeriod, price_session, split_periods
from tests.domain.pricing.sessions import at, component, element, tariff

START = at("2026-06-08 14:30")  # 16:30 in Amsterdam
END = START + timedelta(hours=1)
ZONE = "Europe/Amsterdam"
PEAK = [
    element(component("ENERGY", 0.5), start_time="17:00", end_time="20:00"),
    element(component("ENERGY", 0.25)),
]


def starts(periods: list[ChargingPeriod]) -> list[str]:
    return [f"{p.start:%H:%M:%S}" for p in periods]


def test_a_period_is_cut_at_the_hour_with_its_energy_linear_in_time() -> None:
    whole = ChargingPeriod(
        START, {"ENERGY": Decimal("9.9999"), "TIME": Decimal(1), "MAX_CURRENT": Decimal(16)}, "T"
    )
    parts = split_periods([whole], [tariff(*PEAK)], ZONE, end=END)

    assert starts(parts) == ["14:30:00", "15:00:00"]
    assert [part.to_ocpi()["dimensions"] for part in parts] == [
        [
            {"type": "ENERGY", "volume": 4.9999},
            {"type": "TIME", "volume": 0.5},
            {"type": "MAX_CURRENT", "volume": 16},
        ],
        [
            {"type": "ENERGY", "volume": 5.0},
            {"type": "TIME", "volume": 0.5},
            {"type": "MAX_CURRENT", "volume": 16},
        ],
    ]
    assert [part.tariff_id for part in parts] == ["T", "T"]


def test_a_period_is_cut_where_the_energy_reaches_a_bound() -> None:
    blocks = tariff(element(component("ENERGY", 1), max_kwh=6), element(component("ENERGY", 2)))
    parts = split_periods([ChargingPeriod(START, {"ENERGY": Decimal(24)})], [blocks], ZONE, end=END)
    assert starts(parts) == ["14:30:00", "14:45:00"]
    assert [part.dimensions["ENERGY"] for part in parts] == [6, 18]


def test_a_period_is_cut_at_a_duration() -> None:
    free = tariff(
        element(component("ENERGY", 0), max_duration=600), element(component("ENERGY", 1))
    )
    parts = split_periods([ChargingPeriod(START, {"ENERGY": Decimal(6)})], [free], ZONE, end=END)
    assert starts(parts) == ["14:30:00", "14:40:00"]


def test_a_period_in_which_nothing_changes_stays_the_same_object() -> None:
    parking = ChargingPeriod(START, {"PARKING_TIME": Decimal(1)})
    assert split_periods([parking], [tariff(*PEAK)], ZONE, end=END)[0] is parking


def test_what_was_split_is_not_split_again_and_costs_the_same() -> None:
    whole = [
        ChargingPeriod(START, {"ENERGY": Decimal("17.3333"), "TIME": Decimal("0.5833")}),
        ChargingPeriod(START + timedelta(minutes=35), {"PARKING_TIME": Decimal("0.4167")}),
    ]
    elements = [
        element(component("TIME", 3, 60), max_kwh=5),
        *PEAK,
        element(component("PARKING_TIME", 2, 900), min_duration=2400),
    ]
    once = split_periods(whole, [tariff(*elements)], ZONE, end=END)
    twice = split_periods(once, [tariff(*elements)], ZONE, end=END)
    written = [part.to_ocpi() for part in once]

    assert twice == once
    assert len(once) == 5
    for periods in (once, written):
        priced = price_session(periods, [tariff(*elements)], START, END, ZONE)
        assert (
            priced.totals() == price_session(whole, [tariff(*elements)], START, END, ZONE).totals()
        )
