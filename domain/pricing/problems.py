"""What is wrong, or probably not meant, in a tariff: contradictions named field by field.

Each problem is one line; lines that begin with "warning: " are about tariffs that can be priced
but hardly say what their author meant. Nothing here changes a tariff.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from domain.objects import OcpiObject
from domain.pricing.component import FLAT, TIME
from domain.pricing.quantities import PricingInputError
from domain.pricing.restrictions import Restrictions, parse_restrictions
from domain.pricing.tariff import CompiledTariff, Element, compile_tariff

WARNING = "warning: "

_TYPES = {
    "AD_HOC_PAYMENT",
    "PROFILE_CHEAP",
    "PROFILE_FAST",
    "PROFILE_GREEN",
    "REGULAR",
}
_RESTRICTION_FIELDS = {
    *("start_time", "end_time", "start_date", "end_date", "min_kwh", "max_kwh", "min_current"),
    *("max_current", "min_power", "max_power", "min_duration", "max_duration", "day_of_week"),
    "reservation",
}


def tariff_problems(tariff: OcpiObject) -> list[str]:
    """Every problem that decides or may spoil a price; an empty list for a sound tariff."""
    try:
        compiled = compile_tariff(tariff)
    except PricingInputError as error:
        return [str(error)]
    problems = list(_of_tariff(tariff, compiled))
    for index, (value, element) in enumerate(
        zip(tariff["elements"], compiled.elements, strict=True)
    ):
        where = f"elements[{index}]"
        given = value.get("restrictions") or {}
        problems += [f"{where}.{text}" for text in _of_components(value, element)]
        problems += [f"{where}.restrictions: {text}" for text in _of_restrictions(given)]
        problems += [f"{WARNING}{where}.{text}" for text in _odd_restrictions(given)]
    return problems + list(_unreachable(compiled))


def _of_tariff(tariff: OcpiObject, compiled: CompiledTariff) -> Iterator[str]:
    if compiled.type is not None and compiled.type not in _TYPES:
        yield f"type: {compiled.type!r} is not a TariffType"
    currency = compiled.currency
    if len(currency) != 3 or not currency.isalpha() or not currency.isascii():
        yield f"currency: {currency!r} is not an ISO 4217 code"
    start, end = compiled.start_us, compiled.end_us
    if start is not None and end is not None and start >= end:
        yield "start_date_time is not before end_date_time: the tariff is never valid"
    for name, limit in (("min_price", compiled.min_price), ("max_price", compiled.max_price)):
        if limit is not None and (limit.excl < 0 or (limit.incl or 0) < 0):
            yield f"{name} is negative"
        if limit is not None and limit.incl is not None and limit.incl < limit.excl:
            yield f"{name}: incl_vat is less than excl_vat"
    low, high = compiled.min_price, compiled.max_price
    if low and high:
        if low.excl > high.excl:
            yield "min_price.excl_vat is above max_price.excl_vat"
        if low.incl is not None and high.incl is not None and low.incl > high.incl:
            yield "min_price.incl_vat is above max_price.incl_vat"


def _of_components(value: OcpiObject, element: Element) -> Iterator[str]:
    kinds = [item["type"] for item in value["price_components"]]
    for kind in sorted({kind for kind in kinds if kinds.count(kind) > 1}):
        yield f"price_components: more than one {kind}; only the first can apply"
    if element.restrictions.reservation is not None:
        for kind in sorted(set(kinds) - {FLAT, TIME}):
            yield f"price_components: a reservation cannot have {kind}"
    for component in element.components.values():
        name = f"price_components: {component.dimension}"
        if component.vat is not None and not 0 <= component.vat <= 100:
            yield f"{name}: vat {component.vat} is not a percentage from 0 to 100"
        if component.step_size < 1 and component.dimension != FLAT:
            yield f"{name}: step_size {component.step_size} is less than 1"


def _of_restrictions(given: OcpiObject) -> Iterator[str]:
    """Fields that exclude each other, so that the element can never apply."""
    restrictions = parse_restrictions(given, "restrictions")
    for name in sorted(set(given) - _RESTRICTION_FIELDS):
        yield f"{name} is not a restriction of OCPI 2.2.1"
    start, end = restrictions.from_minute, restrictions.to_minute
    if start is not None and start == end:
        yield f"start_time and end_time are both {given['start_time']}: never true"
    for low, high, lowest, limit in _bounds(restrictions):
        if lowest is not None and limit is not None and lowest >= limit:
            yield f"{low} {given[low]} is not below {high} {given[high]}: never true"
    for name in ("max_kwh", "max_duration", "max_current", "max_power"):
        if given.get(name) is not None and given[name] <= 0:
            yield f"{name} {given[name]} leaves nothing: never true"


def _bounds(restrictions: Restrictions) -> list[tuple[str, str, Any, Any]]:
    r = restrictions
    return [
        ("start_date", "end_date", r.from_day, r.to_day),
        ("min_kwh", "max_kwh", r.min_ukwh, r.max_ukwh),
        ("min_current", "max_current", r.min_current_a, r.max_current_a),
        ("min_power", "max_power", r.min_power_kw, r.max_power_kw),
        ("min_duration", "max_duration", r.min_duration_us, r.max_duration_us),
    ]


def _odd_restrictions(given: OcpiObject) -> Iterator[str]:
    if str(given.get("end_time") or "").endswith(":59"):
        yield (
            f"restrictions: end_time {given['end_time']} is exclusive, so its last minute is left "
            "out (00:00 means the end of the day)"
        )


def _unreachable(compiled: CompiledTariff) -> Iterator[str]:
    """Components behind one without restrictions, which always comes first."""
    taken: dict[str, int] = {}
    for index, element in enumerate(compiled.elements):
        if element.restrictions.reservation is not None:
            continue
        for kind in element.components:
            if kind in taken:
                yield (
                    f"{WARNING}elements[{index}]: its {kind} is never reached, elements"
                    f"[{taken[kind]}] applies always"
                )
        if element.restrictions == Restrictions():
            for kind in element.components:
                taken.setdefault(kind, index)
