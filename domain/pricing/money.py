"""Amounts of money, excluding and including VAT, and the one place where they are rounded.

A sum is kept exact until it is published; published amounts have at most four decimals, as OCPI
numbers do (types.asciidoc), rounded half up. Nothing else may round money.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

# Wide enough that products and sums of prices, quantities and VAT stay exact; the caller's own
# decimal context (precision, traps) must not change a price.
EXACT = Context(prec=60)

FOUR_DECIMALS = Decimal("0.0001")
ZERO = Decimal(0)

# ISO 4217 currencies whose minor unit is not a hundredth.
_NO_MINOR_UNIT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"
_MINOR_UNITS = {
    **dict.fromkeys(_NO_MINOR_UNIT.split(), 0),
    **dict.fromkeys(_THOUSANDTHS.split(), 3),
}


@dataclass(frozen=True)
class Money:
    """An amount in a tariff's currency: `excl` without VAT, `incl` with VAT."""

    excl: Decimal = ZERO
    incl: Decimal = ZERO

    def __add__(self, other: Money) -> Money:
        return Money(EXACT.add(self.excl, other.excl), EXACT.add(self.incl, other.incl))

    def __sub__(self, other: Money) -> Money:
        return Money(EXACT.subtract(self.excl, other.excl), EXACT.subtract(self.incl, other.incl))

    def rounded(self) -> Money:
        """Both amounts at four decimals, half up."""
        return Money(_half_up(self.excl, FOUR_DECIMALS), _half_up(self.incl, FOUR_DECIMALS))

    def payable(self, currency: str) -> Money:
        """Both amounts in whole minor units of the currency (cents): what a terminal collects."""
        unit = Decimal(1).scaleb(-_MINOR_UNITS.get(currency.upper(), 2))
        return Money(_half_up(self.excl, unit), _half_up(self.incl, unit))

    def to_ocpi(self) -> dict[str, float]:
        """The OCPI class Price. The floats print the (at most four) decimals they came from."""
        return {"excl_vat": json_number(self.excl), "incl_vat": json_number(self.incl)}


def json_number(value: Decimal) -> float:
    """A number for the wire: at most four decimals, never a negative zero."""
    return float(_half_up(value, FOUR_DECIMALS)) or 0.0


def _half_up(value: Decimal, unit: Decimal) -> Decimal:
    return value.quantize(unit, rounding=ROUND_HALF_UP, context=EXACT)
