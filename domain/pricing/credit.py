"""The totals of a credit CDR.

A credit CDR repeats the original; "only the values in the total_cost field SHALL contain the
negative amounts" (mod_cdrs, Credit CDRs). Nothing else may be changed here.
"""

from __future__ import annotations

from db_interface.json_data import JsonObject
from domain.objects import OcpiObject
from domain.pricing.money import json_number
from domain.pricing.quantities import number


def negate(totals: OcpiObject) -> JsonObject:
    """A copy of a CDR (or of its totals) in which total_cost is negative."""
    cost = totals["total_cost"]
    negative = {
        key: json_number(number(value, f"total_cost.{key}").copy_negate())
        for key, value in cost.items()
        if value is not None
    }
    return {**totals, "total_cost": negative}
