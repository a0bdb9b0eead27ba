"""A session's energy over time, kept small."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from domain.sessions.power_samples import MAX_SAMPLES, samples_of, with_sample

OPENED = datetime(2025, 5, 5, 14, 30, tzinfo=timezone.utc)


def charged(*steps: tuple[float, float]) -> bytes:
    """(seconds, Wh) one after the other."""
    kept = b""
    for seconds, energy_wh in steps:
        at = OPENED + timedelta(seconds=seconds)
        kept = with_sample(kept, OPENED, at, energy_wh, energy_wh / 2 if energy_wh else None)
    return kept


def test_ten_hours_every_ten_seconds_stay_few_and_about_evenly_spaced() -> None:
    kept = charged(*((10.0 * n, 30.0 * n) for n in range(3600)))
    rows = list(samples_of(kept, OPENED))
    assert MAX_SAMPLES / 2 <= len(rows) <= MAX_SAMPLES
    assert len(kept) <= 12 * MAX_SAMPLES
    assert (rows[0].at, rows[-1].at) == (OPENED, OPENED + timedelta(seconds=35_990))
    gaps = [(b.at - a.at).total_seconds() for a, b in pairwise(rows)]
    assert max(gaps[:-1]) <= 4 * min(gaps[:-1])
    powers = [
        (b.energy_wh - a.energy_wh) / (b.at - a.at).total_seconds() for a, b in pairwise(rows)
    ]
    assert all(abs(power - 3.0) < 0.001 for power in powers)


@given(st.lists(st.tuples(st.integers(-100, 10**6), st.integers(0, 10**5)), max_size=60))
def test_whatever_comes_in_whatever_order_the_last_word_is_kept(
    steps: list[tuple[int, int]],
) -> None:
    rows = list(samples_of(charged(*steps), OPENED))
    assert [row.at for row in rows] == sorted({row.at for row in rows})
    if steps:
        seconds, energy_wh = steps[-1]
        power_w = energy_wh / 2 if energy_wh else None
        assert rows[-1] == (OPENED + timedelta(seconds=seconds), energy_wh, power_w)
