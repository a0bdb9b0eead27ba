"""Pauses grow to their limit, and those who failed together come back at different times."""

from __future__ import annotations

import itertools

from db_interface.backoff import Backoff


def test_the_pause_grows_up_to_its_limit_with_jitter() -> None:
    backoff = Backoff(first_s=1.0, max_s=300.0)

    for failures in range(1, 100):
        whole = min(300.0, 2.0 ** (failures - 1))
        assert whole / 2 <= backoff.after(failures) <= whole


def test_those_who_failed_together_do_not_come_back_together() -> None:
    fleet = [Backoff(first_s=2.0, max_s=10.0, factor=1.5).delays() for _ in range(100)]

    for _ in range(4):
        waits = sorted(next(delays) for delays in fleet)
        assert len(set(waits)) == 100
        assert waits[-1] > 1.5 * waits[0]


def test_days_of_failures_are_no_matter() -> None:
    backoff = Backoff(first_s=0.25, max_s=5.0)

    assert backoff.after(10_000_000) <= 5.0
    assert backoff.after(0) <= 0.25
    *_, last = itertools.islice(backoff.delays(), 2000)
    assert 2.5 <= last <= 5.0
