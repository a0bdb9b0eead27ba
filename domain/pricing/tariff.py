"""A Tariff read once into the form that pricing walks over.

Reading is strict about what decides a price and silent about the rest (texts, URLs, energy mix).
A compiled tariff is never changed; equal tariffs are compiled once (`compile_tariff` caches).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any

import orjson

from domain.objects import OcpiObject
from domain.pricing.component import DIMENSIONS, ENERGY, PARKING_TIME, TIME, Component
from domain.pricing.quantities import PricingInputError, instant_us, number, whole
from domain.pricing.restrictions import Restrictions, parse_restrictions


@dataclass(frozen=True)
class Limit:
    """min_price or max_price; `incl` is None where the tariff names no amount with VAT."""

    excl: Decimal
    incl: Decimal | None


@dataclass(frozen=True)
class Element:
    """A TariffElement: its restrictions and its components by dimension."""

    restrictions: Restrictions
    components: Mapping[str, Component]


@dataclass(frozen=True, eq=False)
class CompiledTariff:
    """A Tariff, ready to be matched against moments of a session."""

    id: str
    currency: str
    type: str | None
    start_us: int | None
    end_us: int | None
    min_price: Limit | None
    max_price: Limit | None
    elements: tuple[Element, ...]

    def valid_at(self, us: int) -> bool:
        """Whether the tariff itself is valid; its last moment, end_date_time, is included."""
        return (self.start_us is None or us >= self.start_us) and (
            self.end_us is None or us <= self.end_us
        )

    @cached_property
    def minutes(self) -> tuple[int, ...]:
        """Local minutes of the day at which a restriction can change."""
        minutes: set[int] = set()
        for restrictions in self._restrictions:
            if restrictions.from_minute is not None and restrictions.to_minute is not None:
                minutes |= {restrictions.from_minute, restrictions.to_minute % 1440}
            if (
                restrictions.weekdays
                or restrictions.from_day is not None
                or restrictions.to_day is not None
            ):
                minutes.add(0)
        return tuple(sorted(minutes))

    @cached_property
    def energy_limits_ukwh(self) -> tuple[int, ...]:
        return _distinct(v for r in self._restrictions for v in (r.min_ukwh, r.max_ukwh))

    @cached_property
    def durations_us(self) -> tuple[int, ...]:
        return _distinct(
            v for r in self._restrictions for v in (r.min_duration_us, r.max_duration_us)
        )

    @cached_property
    def power_limits_kw(self) -> tuple[Decimal, ...]:
        return _distinct(v for r in self._restrictions for v in (r.min_power_kw, r.max_power_kw))

    @cached_property
    def current_limits_a(self) -> tuple[Decimal, ...]:
        return _distinct(v for r in self._restrictions for v in (r.min_current_a, r.max_current_a))

    @property
    def _restrictions(self) -> tuple[Restrictions, ...]:
        return tuple(element.restrictions for element in self.elements)


def _distinct(values: Any) -> tuple[Any, ...]:
    return tuple(sorted({value for value in values if value is not None}))


class _ByContent:
    """A tariff that is equal to another with the same JSON, as a key of the cache."""

    __slots__ = ("content", "tariff")

    def __init__(self, tariff: OcpiObject) -> None:
        self.tariff = tariff
        try:
            self.content = orjson.dumps(dict(tariff), default=_key_text)
        except TypeError as error:
            raise PricingInputError(f"tariff: {error}") from None

    def __hash__(self) -> int:
        return hash(self.content)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByContent) and self.content == other.content


def _key_text(value: object) -> str:
    return f"{type(value).__name__}:{value}"


def compile_tariff(tariff: OcpiObject | CompiledTariff) -> CompiledTariff:
    """A Tariff as JSON, compiled; raises `PricingInputError` naming the field that is wrong."""
    if isinstance(tariff, CompiledTariff):
        return tariff
    if not isinstance(tariff, Mapping):
        raise PricingInputError("tariff: not an object")
    return _compiled(_ByContent(tariff))


@lru_cache(maxsize=1024)
def _compiled(key: _ByContent) -> CompiledTariff:
    tariff = key.tariff
    tariff_id = str(tariff.get("id") or "")
    where = f"tariff {tariff_id}" if tariff_id else "tariff"
    currency = tariff.get("currency")
    if not isinstance(currency, str) or not currency:
        raise PricingInputError(f"{where}: currency is missing")
    includes_vat = tariff.get("tax_included") == "YES"
    return CompiledTariff(
        id=tariff_id,
        currency=currency,
        type=tariff.get("type"),
        start_us=_instant(tariff, "start_date_time", where),
        end_us=_instant(tariff, "end_date_time", where),
        min_price=_limit(tariff.get("min_price"), f"{where}.min_price"),
        max_price=_limit(tariff.get("max_price"), f"{where}.max_price"),
        elements=tuple(
            _element(value, tariff_id, index, f"{where}.elements[{index}]", includes_vat)
            for index, value in enumerate(_list(tariff, "elements", where))
        ),
    )


def _instant(tariff: OcpiObject, key: str, where: str) -> int | None:
    value = tariff.get(key)
    return None if value is None else instant_us(value, f"{where}.{key}")


def _limit(value: object, where: str) -> Limit | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or value.get("excl_vat") is None:
        raise PricingInputError(f"{where}: excl_vat is missing")
    incl = value.get("incl_vat")
    return Limit(
        number(value["excl_vat"], f"{where}.excl_vat"),
        None if incl is None else number(incl, f"{where}.incl_vat"),
    )


def _list(value: OcpiObject, key: str, where: str) -> list[Any]:
    items = value.get(key)
    if not isinstance(items, (list, tuple)) or not items:
        raise PricingInputError(f"{where}.{key}: a list with at least one entry is needed")
    return list(items)


def _element(value: object, tariff_id: str, index: int, where: str, includes_vat: bool) -> Element:
    if not isinstance(value, Mapping):
        raise PricingInputError(f"{where}: not an object")
    restrictions = parse_restrictions(value.get("restrictions"), f"{where}.restrictions")
    items = _list(value, "price_components", where)
    for position, item in enumerate(items):
        if not isinstance(item, Mapping) or item.get("type") not in DIMENSIONS:
            raise PricingInputError(
                f"{where}.price_components[{position}].type: not one of {', '.join(DIMENSIONS)}"
            )
    kinds = {item["type"] for item in items}
    components: dict[str, Component] = {}
    for position, item in enumerate(items):
        at = f"{where}.price_components[{position}]"
        vat = item.get("vat")
        if vat is None and includes_vat:
            raise PricingInputError(
                f"{at}.vat: is needed where tax_included is YES, to tell the price without taxes"
            )
        component = Component(
            tariff_id=tariff_id,
            element=index,
            element_text=restrictions.text,
            dimension=item["type"],
            price=number(item.get("price"), f"{at}.price"),
            vat=None if vat is None else number(vat, f"{at}.vat"),
            step_size=whole(item.get("step_size"), f"{at}.step_size"),
            parking_only=PARKING_TIME in kinds and not kinds & {ENERGY, TIME},
            includes_vat=includes_vat,
        )
        if component.step_size < 0:
            raise PricingInputError(f"{at}.step_size: {component.step_size} is negative")
        # Only one component per dimension can be active; within an element the first counts.
        components.setdefault(component.dimension, component)
    return Element(restrictions, components)
