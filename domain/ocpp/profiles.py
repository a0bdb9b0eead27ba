"""OCPI's charging profiles as OCPP has them, and a composite schedule as OCPI has it. Pure.

Limits are decimals, cut to a tenth: never more than was asked for, and exact where the charge
point takes the unit. OCPP 1.6 refuses what is no multiple of 0.1, which binary fractions are not.
Sources: OCPI mod_charging_profiles, ChargingProfile class; OCPP 1.6 section 7.13,
ChargingSchedule; OCPP 2.0.1 part 2, ChargingScheduleType.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from db_interface.json_data import JsonMapping, JsonObject
from domain.schemas import ActiveChargingProfile, SchemaError, validate
from domain.sites.power_types import DC, PHASES
from domain.times import format_datetime, parse_datetime

AMPERE, WATT = "A", "W"
UNITS = (AMPERE, WATT)
_TENTH = Decimal("0.1")


class ProfileNotPossible(ValueError):
    """The charge point cannot be told this profile; the message says why."""


@dataclass(frozen=True)
class Supply:
    """What a connector can give; `phases` None: not known, or direct current."""

    voltage_v: Decimal
    max_current_a: Decimal
    phases: int | None

    @classmethod
    def of(cls, connector: JsonMapping) -> Supply:
        """Of an OCPI Connector: max_voltage is line to neutral for AC_3_PHASE."""
        power_type = connector["power_type"]
        phases = None if power_type == DC else PHASES.get(power_type)
        return cls(_decimal(connector["max_voltage"]), _decimal(connector["max_amperage"]), phases)

    @property
    def watts_per_ampere(self) -> Decimal:
        return self.voltage_v * (self.phases or 1)

    def most(self, unit: str) -> Decimal:
        """Its full power, or current."""
        return self.max_current_a * (self.watts_per_ampere if unit == WATT else 1)


@dataclass(frozen=True)
class Schedule:
    """A ChargingSchedule. `start` None: relative to the start of the transaction. `periods`:
    (seconds from the start, limit in `unit`), the first one at 0. `phases`: for every period."""

    unit: str
    start: datetime | None
    duration_s: int | None
    periods: tuple[tuple[int, Decimal], ...]
    min_rate: Decimal | None
    phases: int | None

    @property
    def kind(self) -> str:
        return "Relative" if self.start is None else "Absolute"

    def as_ocpp(self) -> JsonObject:
        """The fields that ChargingSchedule has in OCPP 1.6, 2.0.1 and 2.1 alike."""
        phases = {} if self.phases is None else {"numberPhases": self.phases}
        schedule: JsonObject = {
            "chargingRateUnit": self.unit,
            "chargingSchedulePeriod": [
                {"startPeriod": start_s, "limit": float(limit), **phases}
                for start_s, limit in self.periods
            ],
        }
        if self.start is not None:
            schedule["startSchedule"] = format_datetime(self.start)
        if self.duration_s is not None:
            schedule["duration"] = self.duration_s
        if self.min_rate is not None:
            schedule["minChargingRate"] = float(self.min_rate)
        return schedule


def schedule_of(
    profile: JsonMapping, supply: Supply | None, taken: Sequence[str]
) -> Schedule | None:
    """An OCPI ChargingProfile in a unit that the charge point takes (`taken`; none: not known).

    None: it limits nothing. `supply`: of the session's connector, where it is known. Raises
    ProfileNotPossible.
    """
    rows = profile.get("charging_profile_period") or ()
    if not rows:
        return None
    unit = profile["charging_rate_unit"]
    periods = sorted((int(row["start_period"]), _decimal(row["limit"])) for row in rows)
    if periods[0][0] < 0 or len({start_s for start_s, _ in periods}) != len(periods):
        raise ProfileNotPossible("charging_profile_period: start_period is there once each, from 0")
    start = profile.get("start_date_time")
    if periods[0][0] > 0:
        if supply is None:
            raise ProfileNotPossible("charging_profile_period: none begins at 0")
        # Until its first period a profile limits nothing; OCPP wants one that begins at 0.
        periods.insert(0, (0, supply.most(unit)))
    minimum = profile.get("min_charging_rate")
    factor, unit = _into(unit, supply, taken)
    return Schedule(
        unit=unit,
        start=None if start is None else parse_datetime(start),
        duration_s=profile.get("duration"),
        periods=tuple((start_s, _cut(limit * factor)) for start_s, limit in periods),
        min_rate=None if minimum is None else _cut(_decimal(minimum) * factor),
        phases=None if supply is None else supply.phases,
    )


def part_of(
    profile: JsonMapping, most: int | None, now: datetime
) -> tuple[JsonMapping, datetime | None]:
    """Of an OCPI ChargingProfile with more periods than a charge point takes (`most`; None: not
    known) those from `now` on that it does take; and when they end, and the rest is to be told. The
    whole profile and None where it does fit, or begins with the session, whenever that is.
    """
    rows = sorted(profile.get("charging_profile_period") or (), key=_start_of)
    start = profile.get("start_date_time")
    if not most or start is None or len(rows) + (bool(rows) and _start_of(rows[0]) > 0) <= most:
        return profile, None
    begins = parse_datetime(start)
    passed_s = int(max(0.0, (now - begins).total_seconds()))
    ahead = [row for row in rows if _start_of(row) > passed_s]
    current = rows[: len(rows) - len(ahead)][-1:]
    first_s = _start_of(current[0]) if current else 0
    left = [*current, *ahead]
    told = left[: most if current else most - 1] or left[:1]
    rest = left[len(told) :]
    part: JsonObject = {
        **profile,
        "start_date_time": format_datetime(begins + timedelta(seconds=first_s)),
        "charging_profile_period": [
            {**row, "start_period": _start_of(row) - first_s} for row in told
        ],
    }
    ends_s = _start_of(rest[0]) if rest else profile.get("duration")
    if ends_s is not None:
        part["duration"] = ends_s - first_s
    return part, begins + timedelta(seconds=_start_of(rest[0])) if rest else None


def _start_of(row: JsonMapping) -> int:
    return int(row["start_period"])


def _into(unit: str, supply: Supply | None, taken: Sequence[str]) -> tuple[Decimal, str]:
    """What limits are multiplied with, and the unit that they then have."""
    if not taken or unit in taken:
        return Decimal(1), unit
    if supply is None or not supply.watts_per_ampere:
        raise ProfileNotPossible(f"the charge point takes limits in {' or '.join(taken)} alone")
    if unit == AMPERE:
        return supply.watts_per_ampere, WATT
    return 1 / supply.watts_per_ampere, AMPERE


def active_profile(schedule: JsonMapping, start: object, now: datetime) -> JsonObject:
    """An OCPI ActiveChargingProfile out of a composite schedule that begins at `start` (as the
    charge point wrote it; without: now). Raises ValueError for one that is none.
    """
    begins = parse_datetime(start) if isinstance(start, str) else now
    rows = schedule.get("chargingSchedulePeriod")
    if not isinstance(rows, list) or not rows:
        raise ValueError("a composite schedule without periods")
    profile: JsonObject = {
        "start_date_time": format_datetime(begins),
        "charging_rate_unit": schedule.get("chargingRateUnit"),
        "charging_profile_period": [_period(row) for row in rows],
    }
    if isinstance(schedule.get("duration"), int):
        profile["duration"] = schedule["duration"]
    if isinstance(schedule.get("minChargingRate"), int | float):
        profile["min_charging_rate"] = float(_cut(_decimal(schedule["minChargingRate"])))
    shown = {"start_date_time": format_datetime(begins), "charging_profile": profile}
    try:
        return validate(ActiveChargingProfile, shown)
    except SchemaError as error:
        raise ValueError(str(error)) from None


def _period(row: object) -> JsonObject:
    if not isinstance(row, dict):
        raise ValueError("a period that is no object")
    limit = row.get("limit")
    if isinstance(limit, bool) or not isinstance(limit, int | float):
        raise ValueError("a period without a limit")
    return {"start_period": row.get("startPeriod"), "limit": float(_cut(_decimal(limit)))}


def _decimal(value: float | int | str | Decimal) -> Decimal:
    """As it is written: 16.1 is 16.1, not the binary fraction beside it."""
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _cut(value: Decimal) -> Decimal:
    return value.quantize(_TENTH, ROUND_DOWN)
