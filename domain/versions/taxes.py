"""Prices with and without taxes: sums to the digit; a tariff without the taxes in it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from db_interface.json_data import JsonMapping, JsonObject
from domain.schemas import round_to_four_decimals
from domain.versions.fitting import Notes

Amount = int | float


def total(amounts: Iterable[Amount]) -> Amount:
    """Their sum as printed: 0.1 and 0.2 make 0.3."""
    given = list(amounts)
    exact = sum((Decimal(repr(amount)) for amount in given), Decimal(0))
    if all(isinstance(amount, int) for amount in given):
        return int(exact)
    return round_to_four_decimals(exact)


def prices_without_taxes(tariff: JsonObject, notes: Notes, into: str) -> JsonObject:
    """The tariff for a version whose prices are always without taxes."""
    included = tariff.pop("tax_included", None)
    components = [part for element in tariff["elements"] for part in element["price_components"]]
    if included == "N/A" and any("vat" in part for part in components):
        notes.lost("tax_included", f"{into} cannot say that no taxes are applicable")
    if included != "YES":
        return tariff
    unknown = any("vat" not in part for part in components)
    notes.lost(
        "tax_included",
        f"{into} has prices without taxes"
        + (
            ": where no VAT is given, they stay as they are" if unknown else ": computed by the VAT"
        ),
    )
    elements = [
        {**element, "price_components": [_without(part) for part in element["price_components"]]}
        for element in tariff["elements"]
    ]
    return {**tariff, "elements": elements}


def _without(component: JsonMapping) -> JsonObject:
    vat = component.get("vat")
    if vat is None:
        return dict(component)
    price = Decimal(repr(component["price"])) / (1 + Decimal(repr(vat)) / 100)
    return {**component, "price": round_to_four_decimals(price)}
