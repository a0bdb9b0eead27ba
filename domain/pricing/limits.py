"""What is done to a session's total as a whole: min_price, max_price and payment in whole cents.

The limits hold without and with VAT, each by itself (mod_tariffs, Tariff, notes on min_price and
max_price). Nothing here touches the costs per dimension.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from domain.pricing.money import EXACT, ZERO, Money
from domain.pricing.tariff import CompiledTariff

AD_HOC_PAYMENT = "AD_HOC_PAYMENT"


class Adjustment(NamedTuple):
    """A change of total_cost that belongs to no dimension."""

    kind: str  # MIN_PRICE, MAX_PRICE or ROUNDING
    tariff_id: str
    amount: Money
    reason: str


def adjustments(total: Money, tariffs: Sequence[CompiledTariff], charged: bool) -> list[Adjustment]:
    """What is added to the sum of all costs, in order.

    `tariffs`: those that were in force. `charged`: there was a charging session, not only a
    reservation. A session under several tariffs keeps within the limits of each; where they
    contradict each other the lower price is right.
    """
    found: list[Adjustment] = []

    def adjust(kind: str, tariff: CompiledTariff, amount: Money, reason: str) -> None:
        nonlocal total
        if amount != Money():
            found.append(Adjustment(kind, tariff.id, amount, reason))
            total = total + amount

    for tariff in tariffs if charged else ():
        if tariff.min_price is not None:
            excl = max(ZERO, EXACT.subtract(tariff.min_price.excl, total.excl))
            # No minimum with VAT: what is added carries none.
            incl = (
                excl
                if tariff.min_price.incl is None
                else max(ZERO, EXACT.subtract(tariff.min_price.incl, total.incl))
            )
            adjust("MIN_PRICE", tariff, Money(excl, incl).rounded(), "min_price applied")
    for tariff in tariffs:
        if tariff.max_price is not None:
            excl = min(ZERO, EXACT.subtract(tariff.max_price.excl, total.excl))
            # No maximum with VAT: the VAT that came up stays.
            incl = (
                excl
                if tariff.max_price.incl is None
                else min(ZERO, EXACT.subtract(tariff.max_price.incl, total.incl))
            )
            adjust("MAX_PRICE", tariff, Money(excl, incl).rounded(), "max_price applied")
    if tariffs and all(tariff.type == AD_HOC_PAYMENT for tariff in tariffs):
        payable = total.payable(tariffs[0].currency)
        adjust("ROUNDING", tariffs[0], payable - total, "paid on the spot: smallest unit of money")
    return found
