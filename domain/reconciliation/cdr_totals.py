"""The sums of any set of CDRs, by currency, credits netted: the one place that adds CDRs up.

A credit CDR repeats the energy and the costs per dimension of the one that it takes back; only
its total_cost is negative (mod_cdrs, Credit CDRs). So everything but total_cost gets its sign
here. Sums are exact: CDRs have at most four decimals, and nothing is rounded again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from db_interface.json_data import JsonMapping, JsonObject

ZERO = Decimal(0)
DIMENSIONS = ("fixed", "energy", "time", "parking", "reservation")
"""Of total_<dimension>_cost; what a CDR does not say of them is no part of their sums."""
SUMMED_FIELDS = (
    "currency",
    "credit",
    "total_energy",
    "total_cost",
    *(f"total_{name}_cost" for name in DIMENSIONS),
)
"""The CDR's fields that are asked for here."""


@dataclass
class Cost:
    """`excl` without VAT, `incl` with it; a CDR that says no VAT has none, so it counts alike."""

    excl: Decimal = ZERO
    incl: Decimal = ZERO

    def add(self, price: JsonMapping | None, sign: int) -> None:
        if not price:
            return
        excl = _decimal(price.get("excl_vat"))
        incl = price.get("incl_vat")
        self.excl += sign * excl
        self.incl += sign * (excl if incl is None else _decimal(incl))

    def fields(self) -> JsonObject:
        return {"excl_vat": float(self.excl), "incl_vat": float(self.incl)}


@dataclass
class CdrTotal:
    """Of CDRs in one currency."""

    currency: str
    number: int = 0
    """All CDRs, credits among them."""
    credits: int = 0
    without_vat: int = 0
    """How many say no VAT: their cost counts in `incl` as it is in `excl`."""
    energy_kwh: Decimal = ZERO
    cost: Cost = field(default_factory=Cost)
    by_dimension: Mapping[str, Cost] = field(
        default_factory=lambda: {name: Cost() for name in DIMENSIONS}
    )

    @property
    def vat(self) -> Decimal:
        return self.cost.incl - self.cost.excl

    def add(self, cdr: JsonMapping) -> None:
        sign = -1 if cdr.get("credit") else 1
        self.number += 1
        self.credits += sign < 0
        self.energy_kwh += sign * _decimal(cdr.get("total_energy"))
        price = cdr.get("total_cost") or {}
        self.without_vat += price.get("incl_vat") is None
        self.cost.add(price, 1)
        for name, cost in self.by_dimension.items():
            cost.add(cdr.get(f"total_{name}_cost"), sign)

    def fields(self) -> JsonObject:
        """For JSON: currency, number, credits, without_vat, total_energy (kWh), excl_vat,
        incl_vat."""
        return {
            "currency": self.currency,
            "number": self.number,
            "credits": self.credits,
            "without_vat": self.without_vat,
            "total_energy": float(self.energy_kwh),
            **self.cost.fields(),
        }

    def said(self) -> str:
        """In one line, for people."""
        line = (
            f"{self.number} CDRs, {float(self.energy_kwh)} kWh, {float(self.cost.excl)} "
            f"{self.currency} without VAT, {float(self.cost.incl)} with"
        )
        if self.without_vat:
            line += f" ({self.without_vat} of them say no VAT)"
        return line


def totals(cdrs: Iterable[JsonMapping]) -> list[CdrTotal]:
    """The sums of these CDRs (their SUMMED_FIELDS are enough), by currency, sorted."""
    sums = CdrTotals()
    for cdr in cdrs:
        sums.add(cdr)
    return sums.rows()


class CdrTotals:
    """`totals`, of CDRs that come one after another."""

    def __init__(self) -> None:
        self._by_currency: dict[str, CdrTotal] = {}

    def add(self, cdr: JsonMapping) -> None:
        currency = cdr["currency"]
        if currency not in self._by_currency:
            self._by_currency[currency] = CdrTotal(currency)
        self._by_currency[currency].add(cdr)

    def rows(self) -> list[CdrTotal]:
        return [total for _, total in sorted(self._by_currency.items())]

    def fields(self) -> list[JsonObject]:
        return [total.fields() for total in self.rows()]


def _decimal(value: float | None) -> Decimal:
    return Decimal(str(value or 0))


def bill_alike(ours: JsonMapping, shown: JsonMapping) -> bool:
    """`bill_the_same`, or where one of them is in another OCPI version's form (who has moved may
    show what it was sent as it was): by their costs before taxes, which all versions have."""
    if all(_has_inner_price(cdr) for cdr in (ours, shown)):
        return bill_the_same(ours, shown)
    return _in_total(ours) == _in_total(shown)


def _has_inner_price(cdr: JsonMapping) -> bool:
    cost = cdr.get("total_cost")
    return isinstance(cost, Mapping) and "excl_vat" in cost


def _in_total(cdr: JsonMapping) -> tuple[object, object, object]:
    cost = cdr.get("total_cost")
    if isinstance(cost, Mapping):
        cost = cost.get("before_taxes", cost.get("excl_vat"))
    return cdr.get("currency"), cdr.get("total_energy"), cost


def bill_the_same(ours: JsonMapping, shown: JsonMapping) -> bool:
    """Whether both bill the same energy and cost, in the same currency, as credit or not."""
    try:
        return totals([ours])[0].fields() == totals([shown])[0].fields()
    except (KeyError, ValueError, ArithmeticError, TypeError, AttributeError):
        return False
