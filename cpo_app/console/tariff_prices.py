"""A sample session's price as the editor shows it: line by line, in local time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from cpo_app.console.tariff_forms import FieldWrong, sample_of
from db_interface.json_data import JsonObject
from domain.pricing import Explained, PricingInputError
from domain.pricing.restriction_words import length, plain_number
from domain.pricing.sample import price_sample

_WHAT = {
    "ENERGY": "energy",
    "TIME": "charging time",
    "PARKING_TIME": "parked",
    "FLAT": "fee",
    "RESERVATION_TIME": "reserved",
    "MIN_PRICE": "up to the least price",
    "MAX_PRICE": "down to the highest price",
    "ROUNDING": "rounded to what can be paid",
}


@dataclass(frozen=True)
class PriceLine:
    at: str
    what: str
    quantity: str
    billed: str
    price: str
    net: str
    gross: str
    reason: str


@dataclass(frozen=True)
class Preview:
    """`problem`: why there is none."""

    lines: list[PriceLine]
    net: str = ""
    gross: str = ""
    currency: str = ""
    problem: str | None = None


def preview(tariff: JsonObject, fields: Mapping[str, str]) -> Preview:
    try:
        sample = sample_of(fields)
        priced = price_sample(tariff, sample)
    except (FieldWrong, PricingInputError, OverflowError) as error:
        return Preview([], problem=str(error))
    zone = ZoneInfo(sample.time_zone)
    return Preview(
        [_line(row, zone) for row in priced.explanation],
        _money(priced.total_cost.excl),
        _money(priced.total_cost.incl),
        priced.currency or str(tariff["currency"]),
    )


def _line(row: Explained, zone: ZoneInfo) -> PriceLine:
    quantity = _quantity(row.quantity, row.unit)
    billed = _quantity(row.billed, row.unit)
    return PriceLine(
        at=f"{row.period_start.astimezone(zone):%a %H:%M}",
        what=_WHAT.get(row.dimension, row.dimension),
        quantity=quantity,
        billed="" if billed == quantity or row.price is None else billed,
        price="" if row.price is None else plain_number(row.price),
        net=_money(row.excl_vat),
        gross=_money(row.incl_vat),
        reason=row.reason,
    )


def _quantity(value: Decimal, unit: str) -> str:
    if unit == "s":
        return length(value)
    return f"{plain_number(value)} {unit}".rstrip() if unit else ""


def _money(value: Decimal) -> str:
    """At least two decimals, at most those four that OCPI carries."""
    whole, _, decimals = plain_number(value).partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}"
