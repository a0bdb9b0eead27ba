"""The energy of a transaction, whatever its register does meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ocpp.energy_counter import (
    Counter,
    contradiction,
    counted,
    energy_wh,
    started,
    steady_register_wh,
    with_start,
)
from domain.ocpp.meter_values import Measured

BEGAN = datetime(2026, 5, 1, 12, tzinfo=timezone.utc)
BOUND_W = 22_000


def at(minutes: float) -> datetime:
    return BEGAN + timedelta(minutes=minutes)


def register(minutes: float, wh: float, step: float = 1) -> Measured:
    return Measured(at(minutes), register_wh=Decimal(str(wh)), register_step_wh=Decimal(str(step)))


def interval(minutes: float, wh: float) -> Measured:
    return Measured(at(minutes), interval_wh=Decimal(str(wh)))


def after(start_wh: float | None, *moments: Measured) -> Counter:
    counter = started(BEGAN, start_wh)
    for moment in moments:
        counter = counted(counter, moment, BOUND_W)
    return counter


def test_energy_is_how_far_the_register_has_come() -> None:
    counter = after(1000, register(10, 3000), register(20, 5000.5))

    assert energy_wh(counter) == 4000.5
    assert contradiction(counter) is None


def test_the_same_moment_twice_and_one_of_the_past_change_nothing() -> None:
    once = after(1000, register(10, 3000), register(20, 5000))

    assert counted(once, register(20, 5000), BOUND_W) == once
    assert counted(once, register(10, 3000), BOUND_W) == once


@pytest.mark.parametrize("end", [1e8, 1e9, 2.0**31, 2.0**32])
def test_a_rollover_is_counted_through(end: float) -> None:
    counter = after(end - 3000, register(10, end - 1000), register(20, 1500), register(30, 4500))

    assert energy_wh(counter) == 7500
    assert contradiction(counter) is None
    assert steady_register_wh(counter) == end + 4500


def test_a_reset_keeps_what_was_counted() -> None:
    counter = after(50_000, register(10, 53_000), register(20, 400), register(30, 2400))

    assert energy_wh(counter) == 3000 + 2400
    assert contradiction(counter) is None
    assert steady_register_wh(counter) == 55_400


def test_a_fall_to_what_cannot_have_flowed_is_a_doubt_and_nothing_is_counted_by_it() -> None:
    counter = after(50_000, register(10, 53_000), register(20, 40_000), register(30, 41_000))

    assert energy_wh(counter) == 3000 + 1000
    assert contradiction(counter) == (
        "its register went from 53000 to 40000 Wh, which nothing explains"
    )


def test_a_box_that_mixes_two_registers_is_not_billed_for_the_difference() -> None:
    """Its meter values count from the session's start, its start and stop do not."""
    counter = after(100_000, register(10, 3000), register(20, 6000), register(21, 106_100))

    assert energy_wh(counter) == 6100
    assert contradiction(counter) is None


def test_a_register_told_in_whole_kwh_falls_by_nothing() -> None:
    counter = after(12_345, register(1, 12_000, step=1000), register(30, 18_000, step=1000))

    assert energy_wh(counter) == 18_000 - 12_345
    assert counter["restarts"] == 0


def test_intervals_are_added_each_once_where_no_register_is_told() -> None:
    counter = after(None, interval(10, 500), interval(30, 700), interval(20, 600))
    counter = counted(counter, interval(20, 600), BOUND_W)

    assert energy_wh(counter) == 1800


def test_the_register_decides_over_intervals() -> None:
    counter = after(1000, interval(10, 500), register(10, 1490), register(20, 2000))

    assert energy_wh(counter) == 1000
    assert contradiction(counter) is None


def test_a_register_that_stands_still_while_intervals_tell_of_energy_is_a_contradiction() -> None:
    counter = after(0, interval(10, 500), register(20, 0))

    assert contradiction(counter) == "its register did not move, though 500 Wh were told"


def test_without_a_register_at_the_start_counting_begins_with_the_first() -> None:
    assert energy_wh(after(None, register(1, 7000), register(10, 8000))) == 1000


def test_a_start_that_comes_late_is_where_counting_begins() -> None:
    counter = with_start(after(None, register(1, 7000), register(10, 8000)), BEGAN, 6500)

    assert energy_wh(counter) == 1500
    assert steady_register_wh(counter) == 8000


@given(st.lists(st.floats(0, 3000), min_size=1, max_size=20), st.floats(0, 1e6))
def test_no_order_of_arrival_changes_what_is_counted(steps: list[float], start: float) -> None:
    start = round(start, 3)
    wh, moments = start, []
    for minute, step in enumerate(steps, 1):
        wh = round(wh + step, 3)
        moments.append(register(minute * 10, wh))
    in_order = after(start, *moments)
    reverse = after(start, *reversed(moments))

    assert energy_wh(in_order) == pytest.approx(wh - start, abs=0.01)
    assert energy_wh(reverse) == pytest.approx(energy_wh(in_order), abs=0.01)
