"""A charging profile means the same on both sides of the link."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from cpo_app.central.link.engine_profile import from_engine, to_engine
from cpo_app.charge_point.power import Supply
from cpo_app.charge_point.profile import ChargingLimit, active_profile

NOW = datetime(2025, 5, 1, 12, tzinfo=timezone.utc)
SUPPLY = Supply(max_w=22080, voltage_v=230, phases=3)
PROFILE = {
    "start_date_time": "2025-05-01T12:00:00Z",
    "duration": 600,
    "charging_rate_unit": "A",
    "min_charging_rate": 6,
    "charging_profile_period": [
        {"start_period": 0, "limit": 16},
        {"start_period": 300, "limit": 8.5},
    ],
}


def test_the_engine_obeys_an_ocpi_profile() -> None:
    limit = ChargingLimit.parse(to_engine(PROFILE), relative_to=NOW - timedelta(hours=1))
    assert [limit.at(NOW + timedelta(seconds=s)) for s in (0, 299, 300, 600)] == [
        16,
        16,
        8.5,
        None,
    ]
    assert limit.min_charging_rate == 6


def test_without_a_start_it_counts_from_the_start_of_charging() -> None:
    relative = {name: value for name, value in PROFILE.items() if name != "start_date_time"}
    limit = ChargingLimit.parse(to_engine(relative), relative_to=NOW)
    assert limit.at(NOW + timedelta(seconds=300)) == 8.5


def test_a_profile_without_periods_limits_nothing() -> None:
    limit = ChargingLimit.parse(to_engine({"charging_rate_unit": "W"}), relative_to=NOW)
    assert limit.at(NOW) is None


def test_what_the_engine_plans_is_an_active_charging_profile() -> None:
    limit = ChargingLimit.parse(to_engine(PROFILE), relative_to=NOW)
    planned = from_engine(active_profile(limit, SUPPLY, NOW, 900))
    assert planned == {
        "start_date_time": "2025-05-01T12:00:00Z",
        "charging_profile": {
            "start_date_time": "2025-05-01T12:00:00Z",
            "duration": 900,
            "charging_rate_unit": "A",
            "min_charging_rate": 6,
            "charging_profile_period": [
                {"start_period": 0, "limit": 16},
                {"start_period": 300, "limit": 8.5},
                {"start_period": 600, "limit": 32},
            ],
        },
    }


@pytest.mark.parametrize("answer", [{}, {"start": "now"}, {"start": "2025-05-01T12:00:00Z"}])
def test_nonsense_is_no_profile(answer: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        from_engine(answer)
