"""A price component: how a quantity of one dimension becomes money.

Costs are summed exactly, in parts of a common scale, and turned into money once: see `from_parts`.
A price may have its VAT in it (2.3.0, tax_included): then what it is without is a division, too,
whose error is too small to be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property

from domain.pricing.money import EXACT, Money
from domain.pricing.quantities import UKWH_PER_KWH, UKWH_PER_WH, US_PER_HOUR, US_PER_SECOND

ENERGY, TIME, PARKING_TIME, FLAT = "ENERGY", "TIME", "PARKING_TIME", "FLAT"
DIMENSIONS = (FLAT, ENERGY, TIME, PARKING_TIME)

# One unit of each dimension's quantity, in parts of a common scale (a price is per kWh, per hour
# or per session), so that costs of different dimensions add up without a division.
_PARTS = {FLAT: US_PER_HOUR, ENERGY: US_PER_HOUR // UKWH_PER_KWH, TIME: 1, PARKING_TIME: 1}
_STEP_UNITS = {FLAT: 1, ENERGY: UKWH_PER_WH, TIME: US_PER_SECOND, PARKING_TIME: US_PER_SECOND}
_SCALE = Decimal(US_PER_HOUR)
_HAIR = Decimal("1e-30")


@dataclass(frozen=True, eq=False)
class Component:
    """A PriceComponent in its element. Quantities: ukwh for ENERGY, us for times, 1 for FLAT."""

    tariff_id: str
    element: int
    element_text: str
    dimension: str
    price: Decimal
    vat: Decimal | None
    step_size: int
    parking_only: bool  # the element prices parking and neither energy nor charging time
    includes_vat: bool = False

    @property
    def step(self) -> int:
        """step_size in the unit of the quantity."""
        return max(1, self.step_size) * _STEP_UNITS[self.dimension]

    @cached_property
    def _with_vat(self) -> Decimal:
        return EXACT.add(Decimal(1), (self.vat or Decimal(0)).scaleb(-2, EXACT))

    def cost(self, quantity: int) -> Money:
        """The exact cost of a quantity, in parts: see `from_parts`."""
        cost = EXACT.multiply(self.price, Decimal(quantity * _PARTS[self.dimension]))
        if self.includes_vat:
            return Money(EXACT.divide(cost, self._with_vat), cost)
        return Money(cost, EXACT.multiply(cost, self._with_vat))


def from_parts(cost: Money) -> Money:
    """A sum of `Component.cost` as money at four decimals."""
    return Money(_divided(cost.excl), _divided(cost.incl)).rounded()


def _divided(parts: Decimal) -> Decimal:
    """In units of money. Three thirds are a whole one: a half that several divisions have missed
    by a hair would be rounded the wrong way."""
    return EXACT.divide(parts, _SCALE).quantize(_HAIR, rounding=ROUND_HALF_UP, context=EXACT)
