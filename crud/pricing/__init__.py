"""Pricing of OCPI 2.2.1 tariffs: tariff, charging periods, time zone in; costs and reasons out.

Pure: no I/O, no clock, no machine time zone, no binary floats. See docs/pricing.md.
"""

from crud.pricing.choice import choose_tariff
from crud.pricing.credit import negate
from crud.pricing.engine import (
    Priced,
    explain_lines,
    price_cdr,
    price_files,
    price_session,
)
from crud.pricing.explanation import Explained
from crud.pricing.money import Money
from crud.pricing.periods import ChargingPeriod
from crud.pricing.problems import tariff_problems
from crud.pricing.quantities import PricingInputError
from crud.pricing.split import split_periods
from crud.pricing.tariff import CompiledTariff, compile_tariff

__all__ = [
    "ChargingPeriod",
    "CompiledTariff",
    "Explained",
    "Money",
    "Priced",
    "PricingInputError",
    "choose_tariff",
    "compile_tariff",
    "explain_lines",
    "negate",
    "price_cdr",
    "price_files",
    "price_session",
    "split_periods",
    "tariff_problems",
]
