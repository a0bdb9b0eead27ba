"""OCPI's charging profiles as OCPP has them, and back."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ocpp.messages import MessageType, get_validator

from db_interface.json_data import JsonObject
from domain.ocpp.profiles import (
    UNITS,
    ProfileNotPossible,
    Schedule,
    Supply,
    active_profile,
    part_of,
    schedule_of,
)
from domain.times import format_datetime, parse_datetime

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=timezone.utc)
THREE_PHASES = Supply(Decimal(230), Decimal(32), 3)
DIRECT = Supply.of({"power_type": "DC", "max_voltage": 400, "max_amperage": 125})


def profile(*periods: tuple[int, float], unit: str = "A", **also: object) -> JsonObject:
    rows = [{"start_period": start_s, "limit": limit} for start_s, limit in periods]
    return {"charging_rate_unit": unit, "charging_profile_period": rows, **also}


def limits(schedule: Schedule | None) -> list[float]:
    assert schedule is not None
    return [row["limit"] for row in schedule.as_ocpp()["chargingSchedulePeriod"]]


@pytest.mark.parametrize("tenths", range(401))
def test_every_tenth_of_an_ampere_is_what_was_asked_for(tenths: int) -> None:
    """The trap: 16.1 as a binary fraction is no multiple of 0.1, and 1.6's schema wants one."""
    asked_for = Decimal(tenths) / 10
    schedule = schedule_of(profile((0, float(asked_for))), THREE_PHASES, UNITS)
    assert schedule is not None
    payload = {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": 1,
            "transactionId": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": schedule.kind,
            "chargingSchedule": schedule.as_ocpp(),
        },
    }
    sent = json.loads(json.dumps(payload), parse_float=Decimal)
    validator = get_validator(MessageType.Call, "SetChargingProfile", "1.6", parse_float=Decimal)
    validator.validate(sent)
    [row] = sent["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"]
    assert row["limit"] == asked_for


def test_the_units_that_the_charge_point_takes() -> None:
    amperes = profile((0, 16.0), (600, 8.5))
    assert limits(schedule_of(amperes, THREE_PHASES, ["W"])) == [11040.0, 5865.0]
    watts = profile((0, 11000), unit="W", min_charging_rate=4200)
    schedule = schedule_of(watts, THREE_PHASES, ["A"])
    assert schedule is not None
    assert (schedule.unit, limits(schedule)) == ("A", [15.9])
    assert schedule.min_rate == Decimal("6.0")
    assert limits(schedule_of(watts, DIRECT, ["A"])) == [27.5]


def test_what_cannot_be_converted_is_refused_and_not_guessed() -> None:
    with pytest.raises(ProfileNotPossible, match="takes limits in W alone"):
        schedule_of(profile((0, 16.0)), None, ["W"])


@given(
    st.decimals(0, 400_000, places=1),
    st.sampled_from([THREE_PHASES, DIRECT, Supply(Decimal("229.7"), Decimal(16), 1)]),
    st.sampled_from(UNITS),
)
def test_a_converted_limit_is_never_more_than_was_asked_for(
    limit: Decimal, supply: Supply, unit: str
) -> None:
    other = "W" if unit == "A" else "A"
    schedule = schedule_of(profile((0, float(limit)), unit=unit), supply, [other])
    assert schedule is not None
    [(_, converted)] = schedule.periods
    watts = converted if other == "W" else converted * supply.watts_per_ampere
    asked_for = limit if unit == "W" else limit * supply.watts_per_ampere
    tenth = Decimal("0.1") * (1 if other == "W" else supply.watts_per_ampere)
    assert asked_for - tenth <= watts <= asked_for


def test_an_absolute_profile_begins_at_its_instant_a_relative_one_with_the_transaction() -> None:
    relative = schedule_of(profile((0, 10.0)), THREE_PHASES, UNITS)
    absolute = schedule_of(
        profile((0, 10.0), start_date_time="2026-05-01T14:00:00Z", duration=3600),
        THREE_PHASES,
        UNITS,
    )
    assert relative is not None
    assert absolute is not None
    assert relative.kind == "Relative"
    assert relative.as_ocpp() == {
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10.0, "numberPhases": 3}],
    }
    assert absolute.kind == "Absolute"
    assert absolute.as_ocpp() == {
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10.0, "numberPhases": 3}],
        "startSchedule": "2026-05-01T14:00:00Z",
        "duration": 3600,
    }


def test_until_its_first_period_a_profile_limits_nothing() -> None:
    schedule = schedule_of(profile((900, 6.0)), THREE_PHASES, UNITS)
    assert schedule is not None
    assert schedule.periods == ((0, Decimal("32.0")), (900, Decimal("6.0")))
    with pytest.raises(ProfileNotPossible, match="none begins at 0"):
        schedule_of(profile((900, 6.0)), None, UNITS)


def test_a_profile_without_periods_is_none() -> None:
    assert schedule_of(profile(), THREE_PHASES, UNITS) is None


START = "2026-05-01T11:00:00Z"
QUARTERS = [(900 * n, 10.0 + n) for n in range(8)]
"""From an hour before NOW to an hour after it."""


def test_as_many_periods_as_a_charge_point_takes_and_no_further() -> None:
    whole = profile(*QUARTERS, start_date_time=START, duration=7200, min_charging_rate=6.0)
    part, until = part_of(whole, 3, NOW)
    assert part == profile(
        *((900 * n, 14.0 + n) for n in range(3)),
        start_date_time=format_datetime(NOW),
        duration=2700,
        min_charging_rate=6.0,
    )
    assert until == NOW + timedelta(minutes=45)
    last, end = part_of(whole, 3, until - timedelta(seconds=60))
    assert [row["limit"] for row in last["charging_profile_period"]] == [16.0, 17.0]
    assert (last["duration"], end) == (1800, None)


@pytest.mark.parametrize(
    ("whole", "most"),
    [
        (profile(*QUARTERS, start_date_time=START), 8),
        (profile(*QUARTERS, start_date_time=START), None),
        (profile(*QUARTERS), 3),
        (profile(start_date_time=START), 1),
    ],
    ids=["it fits", "not known", "relative to the session", "no limit"],
)
def test_what_fits_or_cannot_be_parted_is_told_as_it_is(
    whole: JsonObject, most: int | None
) -> None:
    assert part_of(whole, most, NOW) == (whole, None)


@given(
    starts=st.lists(st.integers(0, 10_000), unique=True, min_size=1, max_size=30),
    most=st.integers(1, 12),
    passed_s=st.integers(-2000, 12_000),
)
def test_parts_told_one_after_another_are_the_whole(
    starts: list[int], most: int, passed_s: int
) -> None:
    whole = profile(*((s, float(s)) for s in starts), start_date_time=format_datetime(NOW))
    now = NOW + timedelta(seconds=passed_s)
    in_force: dict[datetime, float] = {}
    while True:
        part, until = part_of(whole, most, now)
        schedule = schedule_of(part, THREE_PHASES, ["A"])
        assert schedule is not None and schedule.start is not None
        assert len(schedule.periods) <= most or most == 1
        begins = parse_datetime(part["start_date_time"])
        for row in part["charging_profile_period"]:
            in_force[begins + timedelta(seconds=row["start_period"])] = row["limit"]
        if until is None:
            break
        assert until > now
        assert part["duration"] == (until - begins).total_seconds()
        now = until
    wanted = {NOW + timedelta(seconds=s): float(s) for s in starts}
    first = max((at for at in wanted if at <= NOW + timedelta(seconds=passed_s)), default=NOW)
    assert {at: limit for at, limit in wanted.items() if at >= first}.items() <= in_force.items()


def test_two_periods_that_begin_together_are_refused() -> None:
    with pytest.raises(ProfileNotPossible, match="once each"):
        schedule_of(profile((0, 6.0), (0, 8.0)), THREE_PHASES, UNITS)


def test_a_composite_schedule_is_an_active_profile() -> None:
    told = {
        "duration": 600,
        "chargingRateUnit": "A",
        "minChargingRate": 6.0,
        "chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": 16.1, "numberPhases": 3},
            {"startPeriod": 300, "limit": 8},
        ],
    }
    assert active_profile(told, "2026-05-01T11:59:30+00:00", NOW) == {
        "start_date_time": "2026-05-01T11:59:30Z",
        "charging_profile": {
            "start_date_time": "2026-05-01T11:59:30Z",
            "duration": 600,
            "charging_rate_unit": "A",
            "min_charging_rate": 6.0,
            "charging_profile_period": [
                {"start_period": 0, "limit": 16.1},
                {"start_period": 300, "limit": 8.0},
            ],
        },
    }
    without_start = active_profile(told, None, NOW)
    assert without_start["start_date_time"] == "2026-05-01T12:00:00Z"


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"chargingRateUnit": "A", "chargingSchedulePeriod": []},
        {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0}]},
        {"chargingRateUnit": "kW", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1}]},
        {"chargingRateUnit": "A", "chargingSchedulePeriod": ["16"]},
    ],
)
def test_what_is_no_composite_schedule_is_said_to_be_none(told: JsonObject) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        active_profile(told, None, NOW)
