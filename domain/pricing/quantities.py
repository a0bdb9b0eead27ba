"""Quantities as exact whole numbers, and how they are read from OCPI JSON.

Energy is counted in millionths of a kWh (`ukwh`), time and instants in microseconds (`us`, instants
since 1970 in UTC), so that sums and splits are exact. Binary floats must never take part in a
calculation: a JSON float is read by the digits it was written with.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache

from domain.pricing.money import EXACT
from domain.times import format_datetime

UKWH_PER_KWH = 1_000_000
UKWH_PER_WH = 1_000
US_PER_SECOND = 1_000_000
US_PER_MINUTE = 60 * US_PER_SECOND
US_PER_HOUR = 3_600 * US_PER_SECOND
US_PER_DAY = 24 * US_PER_HOUR

# OCPI numbers carry four decimals, and 0.0001 h is 0.36 s: a volume that close to the length of
# its charging period is that length.
HOUR_VOLUME_TOLERANCE_US = 360_000

MAX_NUMBER = 10**12
_NUMBER_TYPES = (float, int, Decimal)

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_EPOCH_NAIVE = datetime(1970, 1, 1)
_ONE_US = timedelta(microseconds=1)
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?", re.ASCII
)


class PricingInputError(ValueError):
    """A tariff, CDR or charging period that cannot be priced; the text says what and where."""


def number(value: object, where: str) -> Decimal:
    """A JSON number as `Decimal`; raises `PricingInputError` for anything else."""
    if type(value) is float or type(value) is int:
        result = Decimal(repr(value))
    elif isinstance(value, Decimal):
        result = value
    else:
        raise PricingInputError(f"{where}: {value!r} is not a number")
    if not result.is_finite() or abs(result) > MAX_NUMBER:
        raise PricingInputError(f"{where}: {value!r} is out of range")
    return result


def whole(value: object, where: str) -> int:
    """A JSON number without decimals, such as a step_size or a duration in seconds."""
    result = number(value, where)
    if result != result.to_integral_value():
        raise PricingInputError(f"{where}: {value!r} is not a whole number")
    return int(result)


@lru_cache(maxsize=8192)
def _scaled(value: float | Decimal, scale: int) -> int | None:
    try:
        product = EXACT.multiply(number(value, ""), Decimal(scale))
        return int(product.to_integral_value(context=EXACT))
    except PricingInputError:
        return None


def _scaled_or_error(value: object, scale: int, where: str) -> int:
    # bool is an int for Python and 1 == True for the cache: kept out here.
    if type(value) in _NUMBER_TYPES:
        result = _scaled(value, scale)
        if result is not None:
            return result
    number(value, where)
    raise PricingInputError(f"{where}: {value!r} is not a number")


def ratio(quantity: int, per_unit: int) -> Decimal:
    """A whole quantity in a larger unit, such as ukwh in kWh."""
    return EXACT.divide(Decimal(quantity), Decimal(per_unit))


def ukwh_of(kwh: object, where: str) -> int:
    """kWh as a JSON number, to the milliwatt-hour (more digits are a float's noise)."""
    return _scaled_or_error(kwh, UKWH_PER_KWH, where)


def us_of_hours(hours: object, length_us: int, where: str) -> int:
    """A time volume in hours, given the length of the charging period that it belongs to.

    Four decimals of an hour cannot say "10 minutes" (0.1667 h is 600.12 s, and a step_size of
    600 s would make 20 minutes of it). So a volume that fits the period's length is that length,
    and any other is taken to the nearest second.
    """
    volume_us = _scaled_or_error(hours, US_PER_HOUR, where)
    if volume_us < 0:
        raise PricingInputError(f"{where}: {hours!r} hours is negative")
    if abs(volume_us - length_us) <= HOUR_VOLUME_TOLERANCE_US:
        return length_us
    return (volume_us + US_PER_SECOND // 2) // US_PER_SECOND * US_PER_SECOND


def instant_us(value: object, where: str) -> int:
    """An OCPI DateTime (or an aware `datetime`) as microseconds since 1970, UTC.

    Without a designator the time is UTC (types.asciidoc, DateTime).
    """
    if isinstance(value, str):
        try:
            if len(value) == 20 and value[19] == "Z" and value[10] == "T":
                return (datetime.fromisoformat(value[:19]) - _EPOCH_NAIVE) // _ONE_US
            return _instant_of_text(value)
        except (ValueError, OverflowError):
            raise PricingInputError(f"{where}: {value!r} is not a date and time") from None
    if isinstance(value, datetime) and value.tzinfo is not None:
        return (value - EPOCH) // _ONE_US
    raise PricingInputError(f"{where}: {value!r} is not a date and time with UTC")


def _instant_of_text(text: str) -> int:
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(text)
    day, clock, fraction, designator = match.groups()
    instant = (datetime.fromisoformat(f"{day}T{clock}") - _EPOCH_NAIVE) // _ONE_US
    instant += int((fraction or "0").ljust(6, "0")[:6])
    if designator and designator != "Z":
        hours, minutes = int(designator[1:3]), int(designator[4:6])
        offset = (hours * 60 + minutes) * US_PER_MINUTE
        instant += offset if designator[0] == "-" else -offset
    return instant


def datetime_of(us: int) -> datetime:
    """An instant as an aware UTC `datetime`."""
    return EPOCH + timedelta(microseconds=us)


def ocpi_time(us: int) -> str:
    """An instant in OCPI's DateTime form, with milliseconds only where there are any."""
    return format_datetime(datetime_of(us))
