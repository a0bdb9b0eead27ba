"""Pricing of OCPI 2.2.1 tariffs: tariff, charging periods, time zone in; costs and reasons out.

Pure: no I/O, no clock, no machine time zone, no binary floats. See docs/pricing.md.
"""

from domain.pricing.choice import choose_tariff
from domain.pricing.credit import negate
from domain.pricing.engine import Priced, explain_lines, price_cdr, price_files, price_session
from domain.pricing.explanation import Explained
from domain.pricing.money import Money
from domain.pricing.periods import ChargingPeriod
from domain.pricing.problems import tariff_problems
from domain.pricing.quantities import PricingInputError
from domain.pricing.split import split_periods
from domain.pricing.tariff import CompiledTariff, compile_tariff

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
