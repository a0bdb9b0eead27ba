"""A tariff element's restrictions: one value that answers "does the element apply at this moment?".

Restrictions are a logical AND, judged literally in local time (mod_tariffs, TariffRestrictions).
A moment that a restriction cannot be judged by (no current or power known) does not match it.
Nothing here knows prices.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from domain.pricing.quantities import US_PER_SECOND, PricingInputError, number, ukwh_of, whole
from domain.pricing.restriction_words import WEEKDAYS, when

MINUTES_PER_DAY = 1440
RESERVATION = "RESERVATION"
RESERVATION_EXPIRES = "RESERVATION_EXPIRES"

_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
_DATE = re.compile(r"[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", re.ASCII)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


class Measured(NamedTuple):
    """The lowest and highest value of power (kW) or current (A) in a charging period."""

    lowest: Decimal
    highest: Decimal


class Moment(NamedTuple):
    """Everything that restrictions ask about."""

    day: int  # local date, in days since 1970-01-01
    minute: int  # local time of day
    duration_us: int  # since the session (for reservation elements: the reservation) began
    used_ukwh: int  # energy charged so far in the session
    power_kw: Measured | None
    current_a: Measured | None


@dataclass(frozen=True)
class Restrictions:
    """One TariffRestrictions object; None means "not restricted by this"."""

    from_minute: int | None = None
    to_minute: int | None = None
    from_day: int | None = None
    to_day: int | None = None
    weekdays: frozenset[int] = frozenset()
    min_ukwh: int | None = None
    max_ukwh: int | None = None
    min_current_a: Decimal | None = None
    max_current_a: Decimal | None = None
    min_power_kw: Decimal | None = None
    max_power_kw: Decimal | None = None
    min_duration_us: int | None = None
    max_duration_us: int | None = None
    reservation: str | None = None
    text: str = field(default="no restrictions", compare=False)

    def match(self, moment: Moment) -> bool:
        """Whether all restrictions hold. Lower bounds are inclusive, upper bounds exclusive."""
        start, end = self.from_minute, self.to_minute
        if start is not None and end is not None:
            minute = moment.minute
            if start > end:  # wraps past midnight
                if end <= minute < start:
                    return False
            elif not start <= minute < end:
                return False
        return (
            (self.from_day is None or moment.day >= self.from_day)
            and (self.to_day is None or moment.day < self.to_day)
            # 1970-01-01 was a Thursday.
            and (not self.weekdays or (moment.day + 3) % 7 in self.weekdays)
            and (self.min_ukwh is None or moment.used_ukwh >= self.min_ukwh)
            and (self.max_ukwh is None or moment.used_ukwh < self.max_ukwh)
            and (self.min_duration_us is None or moment.duration_us >= self.min_duration_us)
            and (self.max_duration_us is None or moment.duration_us < self.max_duration_us)
            and _within(moment.power_kw, self.min_power_kw, self.max_power_kw)
            and _within(moment.current_a, self.min_current_a, self.max_current_a)
        )


UNRESTRICTED = Restrictions()


def _within(measured: Measured | None, lowest: Decimal | None, limit: Decimal | None) -> bool:
    if measured is None:
        # "At least 0" says nothing, so it holds without a measurement too.
        return limit is None and (lowest is None or lowest <= 0)
    return (lowest is None or measured.lowest >= lowest) and (
        limit is None or measured.highest < limit
    )


def parse_restrictions(value: Mapping[str, object] | None, where: str) -> Restrictions:
    """A TariffRestrictions object from JSON; raises `PricingInputError` naming the field."""
    if value is None:
        return UNRESTRICTED
    if not isinstance(value, Mapping):
        raise PricingInputError(f"{where}: not an object")
    given = {key: item for key, item in value.items() if item is not None and item != []}
    if not given:
        return UNRESTRICTED

    def seconds(key: str) -> int | None:
        return whole(given[key], f"{where}.{key}") * US_PER_SECOND if key in given else None

    def kwh(key: str) -> int | None:
        return ukwh_of(given[key], f"{where}.{key}") if key in given else None

    def amount(key: str) -> Decimal | None:
        return number(given[key], f"{where}.{key}") if key in given else None

    from_minute, to_minute = _times_of_day(given, where)
    return Restrictions(
        from_minute=from_minute,
        to_minute=to_minute,
        from_day=_day(given.get("start_date"), f"{where}.start_date"),
        to_day=_day(given.get("end_date"), f"{where}.end_date"),
        weekdays=_weekdays(given.get("day_of_week"), f"{where}.day_of_week"),
        min_ukwh=kwh("min_kwh"),
        max_ukwh=kwh("max_kwh"),
        min_current_a=amount("min_current"),
        max_current_a=amount("max_current"),
        min_power_kw=amount("min_power"),
        max_power_kw=amount("max_power"),
        min_duration_us=seconds("min_duration"),
        max_duration_us=seconds("max_duration"),
        reservation=_reservation(given.get("reservation"), f"{where}.reservation"),
        text=_describe(given),
    )


def _times_of_day(given: Mapping[str, object], where: str) -> tuple[int | None, int | None]:
    if "start_time" not in given and "end_time" not in given:
        return None, None
    start = _minute(given.get("start_time", "00:00"), f"{where}.start_time")
    end = _minute(given.get("end_time", "00:00"), f"{where}.end_time")
    return start, end or MINUTES_PER_DAY  # "To stop at end of the day use: 00:00."


def _minute(value: object, where: str) -> int:
    if not isinstance(value, str) or not _TIME_OF_DAY.fullmatch(value):
        raise PricingInputError(f"{where}: {value!r} is not a time of day like 13:30")
    return int(value[:2]) * 60 + int(value[3:])


def _day(value: object, where: str) -> int | None:
    if value is None:
        return None
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value).toordinal() - _EPOCH_ORDINAL
    except ValueError:
        pass
    raise PricingInputError(f"{where}: {value!r} is not a date like 2015-12-24")


def _weekdays(value: object, where: str) -> frozenset[int]:
    if value is None:
        return frozenset()
    if not isinstance(value, (list, tuple)) or any(item not in WEEKDAYS for item in value):
        raise PricingInputError(f"{where}: {value!r} is not a list of weekdays")
    return frozenset(WEEKDAYS.index(item) for item in value)


def _reservation(value: object, where: str) -> str | None:
    if value in (None, RESERVATION, RESERVATION_EXPIRES):
        return value if isinstance(value, str) else None
    raise PricingInputError(f"{where}: {value!r} is not {RESERVATION} or {RESERVATION_EXPIRES}")


def _describe(given: Mapping[str, object]) -> str:
    """The restrictions in words, for the explanation of a price."""
    words = [when(given)]
    if given.get("reservation") == RESERVATION:
        words.append("reserved")
    elif given.get("reservation") == RESERVATION_EXPIRES:
        words.append("the reservation expired")
    return ", ".join(filter(None, words))
