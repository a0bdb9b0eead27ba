"""The distance of an engine's clock, out of batches that took their time."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from domain.charge_points.engine_clocks import EngineClock, by_our_clock, observed

NOW = datetime(2025, 5, 1, 12, tzinfo=timezone.utc)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def batches(true_offset_s: float, *under_way_s: float) -> EngineClock:
    """One batch each ten seconds from an engine that far behind."""
    clock: EngineClock | None = None
    for number, way_s in enumerate(under_way_s):
        sent_at = after(10 * number - true_offset_s)
        clock = observed(clock, "b", sent_at, after(10 * number + way_s))
    assert clock is not None
    return clock


@pytest.mark.parametrize("offset_s", [-3600.0, 200.0, 3600.0, 86400.0 * 365 * 50])
def test_slow_batches_do_not_move_it(offset_s: float) -> None:
    assert batches(offset_s, 0.1, 9.0, 4.0, 0.05)["offset_s"] == pytest.approx(
        offset_s + 0.05, abs=0.02
    )
    assert batches(offset_s, 0.1, 9.0)["offset_s"] == pytest.approx(offset_s + 0.1, abs=0.02)


def test_a_quicker_batch_tells_it_better() -> None:
    assert batches(300.0, 9.0, 0.2)["offset_s"] == pytest.approx(300.2, abs=0.01)


def test_a_clock_that_was_set_or_stood_still_is_followed() -> None:
    clock = observed(None, "b", after(-300), after(0))
    assert observed(clock, "b", after(-3590), after(10))["offset_s"] == 3600
    assert observed(clock, "b", after(3610), after(10))["offset_s"] == -3600


def test_a_new_start_is_measured_anew() -> None:
    clock = observed(None, "b1", after(-300), after(0))
    assert observed(clock, "b2", after(5), after(10)) == {
        "boot_id": "b2",
        "offset_s": 5.0,
        "measured_at": after(10),
    }


def test_what_waited_for_days_keeps_its_distance_and_nothing_lies_ahead() -> None:
    clock = observed(None, "b", after(-3600), after(0))
    days = timedelta(days=3)
    assert by_our_clock(after(-3600) - days, clock, after(0)) == after(0) - days
    assert by_our_clock(after(100), clock, after(0)) == after(0)
    close = observed(None, "b", after(-1.5), after(0))
    assert by_our_clock(after(-60), close, after(0)) == after(-60)
    assert by_our_clock(after(-60), None, after(0)) == after(-60)
    far = observed(None, "b", datetime(1, 1, 2, tzinfo=timezone.utc), after(0))
    assert by_our_clock(datetime(9999, 1, 1, tzinfo=timezone.utc), far, after(0)) == after(0)
