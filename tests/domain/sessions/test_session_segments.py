"""Whatever a meter says, nothing of energy or time is lost or billed twice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.pricing import price_session
from domain.sessions.session_segments import (
    Kind,
    Reading,
    Segment,
    charging_periods,
    followed,
    kwh,
    opening,
)
from tests.domain.sessions.worlds import START, after, element, tariff
from tests.drawn import drawn

ZONE = "Europe/Amsterdam"
TARIFFS = [
    tariff("PLAIN"),
    tariff(
        "STEPS",
        element("ENERGY", 0.2, max_kwh=3.0),
        element("ENERGY", 0.5, start_time="07:00", end_time="17:00"),
        element("ENERGY", 0.9),
        element("TIME", 3.0, min_duration=1200),
        element("PARKING_TIME", 6.0),
    ),
    tariff("POWER", element("ENERGY", 0.3, max_power=11.0), element("ENERGY", 0.6)),
]

steps = st.lists(
    st.tuples(
        st.integers(0, 900),  # seconds since the last meter value
        st.integers(0, 3_000_000),  # mWh since then
        st.sampled_from([0.0, 3700.0, 11000.0, 22000.0]),
        st.sampled_from([None, 0.0, 11000.0]),
    ),
    min_size=1,
    max_size=12,
)


def played(course: list[tuple[Any, ...]], tariff_id: str) -> tuple[list[Segment], int, float]:
    """Segments, seconds and Wh after the meter values."""
    segments = [opening(START, Kind.CHARGING, tariff_id)]
    seconds, energy_wh = 0, 0.0
    for pause, mwh, power_w, limit_w in course:
        last = after(seconds), energy_wh
        seconds, energy_wh = seconds + pause, round(energy_wh + mwh / 1000, 3)
        value = Reading(after(seconds), energy_wh, power_w, power_w / 690, 230.0, 3, limit_w)
        segments = followed(segments, *last, value, TARIFFS, tariff_id, ZONE)
    return segments, seconds, energy_wh


@settings(max_examples=drawn(50))
@given(course=steps, tariff_id=st.sampled_from([t["id"] for t in TARIFFS]))
def test_the_periods_hold_all_energy_once_and_lie_in_order(
    course: list[tuple[Any, ...]], tariff_id: str
) -> None:
    segments, seconds, energy_wh = played(course, tariff_id)
    starts = [segment["start"] for segment in segments]
    assert starts == sorted(set(starts))
    periods = charging_periods(segments, after(seconds), energy_wh, TARIFFS, ZONE)
    volumes = [
        Decimal(repr(dimension["volume"]))
        for period in periods
        for dimension in period["dimensions"]
        if dimension["type"] == "ENERGY"
    ]
    assert sum(volumes) == kwh(energy_wh)
    assert all(volume >= 0 for volume in volumes)
    priced = price_session(periods, TARIFFS, START, after(seconds), ZONE)
    assert priced.total_energy_kwh == kwh(energy_wh)


@settings(max_examples=drawn(40))
@given(course=steps, more=steps, tariff_id=st.sampled_from([t["id"] for t in TARIFFS]))
def test_what_is_over_does_not_change_as_the_session_goes_on(
    course: list[tuple[Any, ...]], more: list[tuple[Any, ...]], tariff_id: str
) -> None:
    before, _, _ = played(course, tariff_id)
    later, _, _ = played(course + more, tariff_id)
    closed = [(s["start"], s["energy_wh"], s["kind"]) for s in before[:-1]]
    assert [(s["start"], s["energy_wh"], s["kind"]) for s in later[: len(closed)]] == closed


def test_energy_of_a_meter_value_is_divided_at_the_boundary_it_passes() -> None:
    segments, _, _ = played(
        [(1700, 2_000_000, 11000.0, None), (200, 400_000, 11000.0, None)], "STEPS"
    )
    assert [(s["start"], s["energy_wh"]) for s in segments] == [
        (START, 0.0),
        (after(1200), 1411.7),  # TIME comes to apply after twenty minutes
    ]


def test_a_flapping_limit_opens_no_end_of_periods() -> None:
    course = [(1, 3000, 11000.0, float(5000 + n % 2)) for n in range(1000)]
    segments, _, _ = played(course, "PLAIN")
    assert len(segments) == 200
