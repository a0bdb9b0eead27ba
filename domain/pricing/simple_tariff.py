"""The tariffs that most operators have, out of a few figures: to begin with, and to be refined as
JSON. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from db_interface.json_data import JsonObject
from domain.pricing.money import json_number

_MINUTES = Decimal(60)
_STEP_S = 60


@dataclass(frozen=True)
class SimpleTariff:
    """Prices with VAT in them, or without, as `with_vat` says; those that are None are not there.

    `day_from`, `day_to` (08:00, 20:00): when the energy costs `per_kwh`; else it is `else_per_kwh`.
    """

    country_code: str
    party_id: str
    id: str
    currency: str
    per_kwh: Decimal
    day_from: str | None = None
    day_to: str | None = None
    else_per_kwh: Decimal | None = None
    per_session: Decimal | None = None
    per_parked_min: Decimal | None = None
    parked_after_min: int = 0
    at_most: Decimal | None = None
    vat: Decimal | None = None
    with_vat: bool = False


def tariff_of(simple: SimpleTariff, last_updated: str) -> JsonObject:
    """As an OCPI Tariff."""
    elements: list[JsonObject] = []
    base = [_component(simple, "ENERGY", simple.per_kwh, 1)]
    if simple.day_from and simple.day_to and simple.else_per_kwh is not None:
        hours = {"start_time": simple.day_from, "end_time": simple.day_to}
        elements.append({"price_components": base, "restrictions": hours})
        base = [_component(simple, "ENERGY", simple.else_per_kwh, 1)]
    if simple.per_session is not None:
        base.append(_component(simple, "FLAT", simple.per_session, 1))
    if simple.per_parked_min is not None:
        parked = _component(simple, "PARKING_TIME", simple.per_parked_min * _MINUTES, _STEP_S)
        if simple.parked_after_min:
            after = {"min_duration": simple.parked_after_min * 60}
            elements.append({"price_components": [parked], "restrictions": after})
        else:
            base.append(parked)
    elements.append({"price_components": base})
    made: JsonObject = {
        "country_code": simple.country_code,
        "party_id": simple.party_id,
        "id": simple.id,
        "currency": simple.currency,
    }
    if simple.with_vat and simple.vat is not None:
        made["tax_included"] = "YES"
    if simple.at_most is not None:
        made["max_price"] = _limit(simple, simple.at_most)
    return {**made, "elements": elements, "last_updated": last_updated}


def _component(simple: SimpleTariff, kind: str, price: Decimal, step_size: int) -> JsonObject:
    made: JsonObject = {"type": kind, "price": json_number(price)}
    if simple.vat is not None:
        made["vat"] = json_number(simple.vat)
    return {**made, "step_size": step_size}


def _limit(simple: SimpleTariff, amount: Decimal) -> JsonObject:
    """A limit says both amounts; without VAT there is one."""
    rate = 1 + (simple.vat or Decimal(0)) / 100
    with_vat = amount if simple.with_vat else amount * rate
    return {"excl_vat": json_number(with_vat / rate), "incl_vat": json_number(with_vat)}
