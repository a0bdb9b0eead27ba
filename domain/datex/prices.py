"""The prices of a tariff, one by one, as whoever pays on the spot meets them. Pure.

`priceGroupIndex` is the place of the tariff's element: where prices of one type apply at the same
time, that of the lowest index counts (mod_tariffs: "the first matching Tariff Element").

DATEX II's amounts have two decimals. Prices are given with their tax where it is known, which is
what a driver pays; where cents do not say it exactly, words do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from db_interface.json_data import JsonMapping, JsonObject
from domain.datex.opening_times import on_days, times_of_day
from domain.datex.words import ENGLISH, Shared, enum, said, text
from domain.pricing.money import EXACT
from domain.pricing.restriction_words import given_restrictions, plain_number, when

_CENT = Decimal("0.01")
_NEGLIGIBLE = Decimal("0.0001")
"""What rounding a price without tax to four decimals can make."""
_MINUTES_PER_HOUR = Decimal(60)
_SECONDS_PER_MINUTE = 60


class _Kind(NamedTuple):
    price_type: str
    unit: str
    divisor: Decimal = Decimal(1)
    words: str = ""


KINDS: Mapping[str, _Kind] = {
    "ENERGY": _Kind("pricePerKWh", "per kWh"),
    "FLAT": _Kind("basePrice", "per session"),
    "PARKING_TIME": _Kind(
        "pricePerMinute", "per minute", _MINUTES_PER_HOUR, "While connected without charging."
    ),
    "TIME": _Kind("pricePerMinute", "per minute", _MINUTES_PER_HOUR, "While charging."),
}
"""OCPI's TariffDimensionType to PriceTypeEnum. A tariff that has FLAT alone is a flatRate."""

_WORDS_ONLY = ("min_current", "max_current", "min_power", "max_power")
"""Restrictions that DATEX II has no place for."""


def prices_of(tariff: JsonMapping, time_zone: str) -> list[JsonObject]:
    """Prices of reservations are left out: nobody who pays on the spot has one."""
    elements = [
        (place, given_restrictions(element), component)
        for place, element in enumerate(tariff["elements"])
        for component in element["price_components"]
        if "reservation" not in given_restrictions(element)
    ]
    if elements and all(not component["price"] for _, _, component in elements):
        return [{"priceGroupIndex": 0, "priceType": enum("free"), "value": 0.0}]
    flat = all(component["type"] == "FLAT" for _, _, component in elements)
    return [
        _price(tariff, place, given, component, time_zone, flat)
        for place, given, component in elements
    ]


def are_exclusive(prices: list[JsonObject]) -> bool:
    """Whether no two prices of one type are in different groups."""
    groups: dict[str, set[int]] = {}
    for price in prices:
        groups.setdefault(price["priceType"]["value"], set()).add(price["priceGroupIndex"])
    return all(len(places) == 1 for places in groups.values())


def amount(limit: JsonMapping | None) -> float | None:
    """A limit of what is paid, with its tax where that is known."""
    if limit is None:
        return None
    exact = limit.get("incl_vat")
    return float(_cents(_decimal(limit["excl_vat"] if exact is None else exact)))


def _price(
    tariff: JsonMapping,
    place: int,
    given: JsonMapping,
    component: JsonMapping,
    time_zone: str,
    flat: bool,
) -> JsonObject:
    kind = KINDS[component["type"]]
    exact, included, rate = _with_tax(tariff, component)
    exact = EXACT.divide(exact, kind.divisor)
    value = _cents(exact)
    words = [kind.words] if kind.words else []
    if abs(value - exact) > _NEGLIGIBLE:
        figure = plain_number(exact.quantize(Decimal("0.0001"), context=EXACT))
        words.append(f"Exactly {figure} {tariff['currency']} {kind.unit}.")
    minutes, energy, unsaid = _bounds(given)
    if unsaid:
        words.append(f"Only {when(unsaid)}.")
    made = said(
        priceGroupIndex=place,
        priceType=enum("flatRate" if flat else kind.price_type),
        value=float(value),
        taxIncluded=included,
        taxRate=rate,
        additionalInformation=text(" ".join(words), ENGLISH) if words else None,
        overallPeriod=_period(tariff, given, time_zone),
        timeBasedApplicability=minutes,
        energyBasedApplicability=energy,
    )
    return Shared(made)


def _with_tax(tariff: JsonMapping, component: JsonMapping) -> tuple[Decimal, bool, float | None]:
    """The price with its tax where that is known; whether it has it; the tax in percent."""
    price, vat = _decimal(component["price"]), component.get("vat")
    stated = tariff.get("tax_included")
    if stated == "N/A":
        return price, True, 0.0
    if vat is None:
        return price, stated == "YES", None
    if stated == "YES":
        return price, True, float(vat)
    return EXACT.multiply(price, 1 + _decimal(vat) / 100), True, float(vat)


def _bounds(given: JsonMapping) -> tuple[JsonObject, JsonObject, JsonObject]:
    """From and to which minute, from and to which kWh, and what cannot be said so."""
    minutes: JsonObject = {}
    energy: JsonObject = {}
    unsaid = {name: given[name] for name in _WORDS_ONLY if name in given}
    for name, bound, to, divisor in (
        ("min_duration", "fromMinute", minutes, _SECONDS_PER_MINUTE),
        ("max_duration", "toMinute", minutes, _SECONDS_PER_MINUTE),
        ("min_kwh", "fromKWh", energy, 1),
        ("max_kwh", "toKWh", energy, 1),
    ):
        if name not in given:
            continue
        figure = _decimal(given[name]) / divisor
        if figure == figure.to_integral_value() and figure >= 0:
            to[bound] = int(figure)
        else:
            unsaid[name] = given[name]
    return minutes, energy, unsaid


def _period(tariff: JsonMapping, given: JsonMapping, time_zone: str) -> JsonObject | None:
    begin, end = given.get("start_date"), given.get("end_date")
    valid: JsonObject = {}
    if "start_time" in given or "end_time" in given:
        times = times_of_day(given.get("start_time", "00:00"), given.get("end_time", "00:00"))
        valid["recurringTimePeriodOfDay"] = [times]
    if "day_of_week" in given:
        days = [day.lower() for day in given["day_of_week"]]
        valid["recurringDayWeekMonthPeriod"] = [on_days(days)]
    if not valid and begin is None and end is None:
        return None
    return said(
        overallStartTime=_midnight(begin, time_zone) if begin else valid_from(tariff),
        overallEndTime=_midnight(end, time_zone) if end else None,
        validPeriod=[valid] if valid else None,
    )


def valid_from(tariff: JsonMapping) -> str:
    """DATEX II wants a beginning; where the tariff has none, it is when it was last changed."""
    return str(tariff.get("start_date_time") or tariff["last_updated"])


def _midnight(day: str, time_zone: str) -> str:
    begins = datetime.combine(date.fromisoformat(day), datetime.min.time(), ZoneInfo(time_zone))
    return begins.isoformat()


def _cents(exact: Decimal) -> Decimal:
    return exact.quantize(_CENT, rounding=ROUND_HALF_UP, context=EXACT)


def _decimal(number: object) -> Decimal:
    return Decimal(str(number))
