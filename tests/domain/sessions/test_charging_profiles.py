"""What an EVSE gives where no charging profile is in force."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from domain.sessions.charging_profiles import unlimited

NOON = datetime(2025, 5, 5, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("power_type", "watts"),
    [
        ("AC_1_PHASE", 3680),
        ("AC_2_PHASE", 7360),
        ("AC_2_PHASE_SPLIT", 7360),
        ("AC_3_PHASE", 11040),
        ("DC", 3680),
    ],
)
def test_a_connector_gives_its_voltage_and_current_on_all_its_phases(
    power_type: str, watts: int
) -> None:
    connector = {"power_type": power_type, "max_voltage": 230, "max_amperage": 16}
    profile = unlimited(connector, NOON)
    assert profile == {
        "start_date_time": "2025-05-05T12:00:00Z",
        "charging_profile": {
            "charging_rate_unit": "W",
            "charging_profile_period": [{"start_period": 0, "limit": watts}],
        },
    }


def test_the_power_that_a_connector_names_is_its_capacity() -> None:
    connector = {
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": 32,
        "max_electric_power": 11000,
    }
    [period] = unlimited(connector, NOON)["charging_profile"]["charging_profile_period"]
    assert period["limit"] == 11000
