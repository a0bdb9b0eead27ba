"""A tariff's prices in the words of people: one place for console and command line."""

from __future__ import annotations

from db_interface.json_data import JsonMapping

MAX_SAID = 6
_UNITS = {"ENERGY": "/kWh", "TIME": "/h", "PARKING_TIME": "/h parked", "FLAT": "once"}


def prices_in_words(tariff: JsonMapping) -> list[str]:
    """The distinct price components: "0.25 /kWh", at most MAX_SAID and how many more. They are
    without VAT, or it is said: "0.30 /kWh with VAT"."""
    said: dict[str, None] = {}
    taxes = " with VAT" if tariff.get("tax_included") == "YES" else ""
    for element in tariff.get("elements") or ():
        for component in element.get("price_components") or ():
            kind = component["type"]
            said[f"{component['price']:g} {_UNITS.get(kind, kind)}{taxes}"] = None
    parts = list(said)
    rest = len(parts) - MAX_SAID
    return parts if rest <= 0 else [*parts[:MAX_SAID], f"and {rest} more"]
