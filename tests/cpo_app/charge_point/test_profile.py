from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cpo_app.charge_point.power import Supply
from cpo_app.charge_point.profile import ChargingLimit, active_profile
from tests.cpo_app.charge_point.worlds import NOON

SUPPLY = Supply(22_000, 230, 3)


def limit(**changes: Any) -> ChargingLimit:
    data = {
        "unit": "W",
        "start": "2024-05-01T12:00:00Z",
        "periods": [{"start_s": 0, "limit": 11000}, {"start_s": 600, "limit": 6000.5}],
        "duration_s": 1800,
        **changes,
    }
    return ChargingLimit.parse(data, relative_to=NOON)


def at(profile: ChargingLimit, seconds: float) -> float | None:
    return profile.at(NOON + timedelta(seconds=seconds))


def test_each_period_holds_until_the_next_and_the_last_until_the_end() -> None:
    profile = limit()
    assert [at(profile, s) for s in (-1, 0, 599, 600, 1799, 1800)] == [
        None, 11000, 11000, 6000.5, 6000.5, None,
    ]  # fmt: skip


def test_without_duration_the_last_period_has_no_end() -> None:
    assert at(limit(duration_s=None), 10**7) == 6000.5


def test_without_start_it_counts_from_the_start_of_charging() -> None:
    assert limit(start=None).start == NOON


def test_below_the_minimum_rate_nothing_may_flow() -> None:
    assert at(limit(min_charging_rate=7000), 700) == 0
    assert at(limit(min_charging_rate=7000), 100) == 11000


def test_it_survives_being_written_and_read() -> None:
    profile = limit(min_charging_rate=6.1)
    assert ChargingLimit.parse(profile.as_dict(), relative_to=NOON) == profile


@pytest.mark.parametrize(
    "changes",
    [
        {"unit": "kW"},
        {"unit": None},
        {"periods": None},
        {"periods": [{"start_s": 0}]},
        {"periods": [{"start_s": 0, "limit": -1}]},
        {"periods": [{"start_s": 0, "limit": True}]},
        {"periods": [{"start_s": 0, "limit": float("nan")}]},
        {"periods": [{"start_s": 0, "limit": 1}, {"start_s": 0, "limit": 2}]},
        {"periods": ["x"]},
        {"start": "yesterday"},
        {"start": 5},
        {"duration_s": "60"},
        {"min_charging_rate": -1},
    ],
)
def test_what_cannot_be_meant_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="limit"):
        limit(**changes)


def test_the_active_profile_is_what_is_left_of_it_capped_by_the_evse() -> None:
    big = [{"start_s": 0, "limit": 11000}, {"start_s": 600, "limit": 99000}]
    active = active_profile(limit(periods=big), SUPPLY, NOON + timedelta(seconds=100), 3600)
    assert active == {
        "start": "2024-05-01T12:01:40Z",
        "duration_s": 3600,
        "charging_rate_unit": "W",
        # After the profile's end the EVSE's own 22 kW go on: no new period.
        "periods": [{"start_period": 0, "limit": 11000}, {"start_period": 500, "limit": 22000}],
    }


def test_the_active_profile_covers_no_more_than_was_asked() -> None:
    active = active_profile(limit(), SUPPLY, NOON, 600)
    assert active["periods"] == [{"start_period": 0, "limit": 11000}]


def test_without_a_profile_the_evse_limits() -> None:
    active = active_profile(None, SUPPLY, NOON, 60)
    assert active["periods"] == [{"start_period": 0, "limit": 22000}]
    assert active["charging_rate_unit"] == "W"


def test_the_active_profile_speaks_the_unit_of_the_profile() -> None:
    profile = limit(unit="A", periods=[{"start_s": 0, "limit": 16}], duration_s=60)
    active = active_profile(profile, SUPPLY, NOON, 120)
    assert active["charging_rate_unit"] == "A"
    assert active["periods"] == [
        {"start_period": 0, "limit": 16},
        {"start_period": 60, "limit": 31.8},
    ]
