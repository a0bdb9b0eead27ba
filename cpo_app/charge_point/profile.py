"""A charging profile on a running session: the limit at an instant, and over a span of time.

Pure: knows no EVSE and no wire but the contract's JSON for limits. The source of the meaning is
OCPI mod_charging_profiles, ChargingProfile and ChargingProfilePeriod classes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from cpo_app.charge_point.power import Supply
from db_interface.json_data import JsonObject
from domain.times import format_datetime, parse_datetime

_MAX_PERIODS = 1024
_MAX_SECONDS = 10 * 366 * 86400


@dataclass(frozen=True)
class ChargingLimit:
    """`periods`: (seconds from `start`, limit in `unit`), ascending; each holds until the next.

    Before the first period and after `duration_s` there is no limit. Without `duration_s` the
    last period holds to the end of the session.
    """

    unit: str
    start: datetime
    periods: tuple[tuple[int, float], ...]
    duration_s: int | None = None
    min_charging_rate: float | None = None

    @classmethod
    def parse(cls, data: object, relative_to: datetime) -> ChargingLimit:
        """Read {periods: [{start_s, limit}], unit, start?, duration_s?, min_charging_rate?}.

        Without `start` the profile is relative to the start of charging: `relative_to`.
        Raises ValueError naming the field.
        """
        if not isinstance(data, dict):
            raise ValueError("limit: an object is needed")
        unit = data.get("unit")
        if unit not in ("W", "A"):
            raise ValueError("limit.unit: W or A")
        rows = data.get("periods")
        if not isinstance(rows, list) or len(rows) > _MAX_PERIODS:
            raise ValueError(f"limit.periods: a list of at most {_MAX_PERIODS}")
        periods: list[tuple[int, float]] = []
        for row in rows:
            if not isinstance(row, dict):
                raise ValueError("limit.periods: objects are needed")
            start_s = int(_number(row.get("start_s"), "limit.periods.start_s"))
            periods.append((start_s, _number(row.get("limit"), "limit.periods.limit")))
        periods.sort()
        if len({start_s for start_s, _ in periods}) != len(periods):
            raise ValueError("limit.periods.start_s: two periods start together")
        duration, minimum, start = (
            data.get("duration_s"),
            data.get("min_charging_rate"),
            data.get("start"),
        )
        return cls(
            unit=unit,
            start=_instant(start) if start is not None else relative_to,
            periods=tuple(periods),
            duration_s=None if duration is None else int(_number(duration, "limit.duration_s")),
            min_charging_rate=(
                None if minimum is None else _number(minimum, "limit.min_charging_rate")
            ),
        )

    def as_dict(self) -> JsonObject:
        """The same shape that `parse` reads."""
        return {
            "unit": self.unit,
            "start": format_datetime(self.start),
            "periods": [{"start_s": start_s, "limit": limit} for start_s, limit in self.periods],
            "duration_s": self.duration_s,
            "min_charging_rate": self.min_charging_rate,
        }

    def at(self, instant: datetime) -> float | None:
        """The limit in `unit` at `instant`, None where there is none.

        Below min_charging_rate the car cannot charge at all, so such a limit acts as 0.
        """
        offset = (instant - self.start).total_seconds()
        if self.duration_s is not None and offset >= self.duration_s:
            return None
        limit = None
        for start_s, period_limit in self.periods:
            if start_s > offset:
                break
            limit = period_limit
        if limit is not None and self.min_charging_rate and limit < self.min_charging_rate:
            return 0.0
        return limit

    def changes(self, after: datetime, before: datetime) -> Iterator[datetime]:
        """Instants between the two (exclusive) at which the limit may change, ascending."""
        offsets = {start_s for start_s, _ in self.periods}
        if self.duration_s is not None:
            offsets = {offset for offset in offsets if offset < self.duration_s}
            offsets.add(self.duration_s)
        for offset in sorted(offsets):
            instant = self.start + timedelta(seconds=offset)
            if after < instant < before:
                yield instant


def active_profile(
    limit: ChargingLimit | None, supply: Supply, now: datetime, duration_s: int
) -> JsonObject:
    """What the EVSE is going to allow from `now` for `duration_s`: OCPI ActiveChargingProfile.

    Returns {start, duration_s, charging_rate_unit, min_charging_rate?, periods:
    [{start_period, limit}]}. Never above what the EVSE can give; one decimal, as OCPI allows.
    """
    unit = limit.unit if limit else "W"
    most = supply.in_unit(supply.max_w, unit)
    starts = [now]
    if limit:
        starts += limit.changes(now, now + timedelta(seconds=duration_s))
    periods: list[dict[str, float]] = []
    for instant in starts:
        allowed = limit.at(instant) if limit else None
        # Rounded down: a rate that was rounded up would promise more than may flow.
        rate = math.floor(min(most, most if allowed is None else allowed) * 10 + 1e-6) / 10
        if not periods or periods[-1]["limit"] != rate:
            # Whole seconds from `now`, rounded up: no period may begin before it is in force.
            begin = math.ceil((instant - now).total_seconds())
            periods.append({"start_period": begin, "limit": rate})
    profile: JsonObject = {
        "start": format_datetime(now),
        "duration_s": duration_s,
        "charging_rate_unit": unit,
        "periods": periods,
    }
    if limit and limit.min_charging_rate is not None:
        profile["min_charging_rate"] = limit.min_charging_rate
    return profile


def _number(value: object, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{field}: a number is needed")
    if not math.isfinite(value) or not 0 <= value <= _MAX_SECONDS:
        raise ValueError(f"{field}: out of range")
    return float(value)


def _instant(text: object) -> datetime:
    if not isinstance(text, str):
        raise ValueError("limit.start: an ISO 8601 instant is needed")
    try:
        return parse_datetime(text)
    except (ValueError, OverflowError):
        raise ValueError("limit.start: an ISO 8601 instant is needed") from None
