"""A charge point's clock, of which its messages say nothing outright."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from domain.charge_points.engine_clocks import by_our_clock
from domain.ocpp.clocks import Heard, clock_after, waited

NOW = datetime(2026, 5, 1, 12, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_time_in_our_future_is_the_clocks_fault_whatever_waited() -> None:
    clock = clock_after(None, NOW + 2 * HOUR, NOW, may_have_waited=True)

    assert clock is not None
    assert clock["offset_s"] == -7200
    assert by_our_clock(NOW + HOUR, clock, NOW) == NOW - HOUR


def test_a_time_in_our_past_is_believed_where_the_message_may_have_waited() -> None:
    assert clock_after(None, NOW - 2 * HOUR, NOW, may_have_waited=True) is None


def test_a_time_in_our_past_of_a_message_that_did_not_wait_is_the_clocks_fault() -> None:
    clock = clock_after(None, NOW - 2 * HOUR, NOW, may_have_waited=False)

    assert clock is not None
    assert clock["offset_s"] == 7200


def test_what_waited_does_not_undo_what_is_known() -> None:
    known = clock_after(None, NOW + HOUR, NOW, may_have_waited=True)

    assert clock_after(known, NOW - HOUR, NOW, may_have_waited=True) == known


def test_a_clock_that_was_set_right_is_believed_again() -> None:
    known = clock_after(None, NOW + HOUR, NOW, may_have_waited=True)
    clock = clock_after(known, later(60), later(60), may_have_waited=False)

    assert clock is not None
    assert clock["offset_s"] == 0


def test_a_message_did_not_wait_when_two_out_of_silence_say_the_same() -> None:
    first, heard = waited(None, NOW - HOUR, NOW)
    second, heard = waited(heard, later(10) - HOUR, later(10))
    third, heard = waited(heard, later(20) - HOUR, later(20))

    assert (first, second, third) == (True, True, False)


def test_a_clock_that_was_ahead_and_is_set_right_did_not_wait() -> None:
    _, heard = waited(None, NOW + HOUR, NOW)
    _, heard = waited(heard, later(10), later(10))
    third, _ = waited(heard, later(20), later(20))

    assert not third


def test_meter_values_that_are_always_sent_late_say_nothing_of_the_clock() -> None:
    _, heard = waited(None, NOW, NOW)
    for number in range(1, 5):
        told_at = later(number * 60) - timedelta(seconds=120)
        may_have_waited, heard = waited(heard, told_at, later(number * 60))
        assert may_have_waited


def test_a_queue_that_is_emptied_says_nothing_of_the_clock() -> None:
    heard: Heard | None = None
    for number in range(5):
        told_at = NOW - HOUR + timedelta(minutes=number)
        may_have_waited, heard = waited(heard, told_at, later(number * 0.1))
        assert may_have_waited


def test_a_queue_that_is_emptied_slowly_says_nothing_of_the_clock_either() -> None:
    heard: Heard | None = None
    for number in range(5):
        told_at = NOW - HOUR + timedelta(minutes=number)
        may_have_waited, heard = waited(heard, told_at, later(number * 10))
        assert may_have_waited
