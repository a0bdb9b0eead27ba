"""A tariff as a person would read it, for pages, tables and answers alike:

    0.35 €/kWh from 08:00 to 20:00, else 0.29; 0.05 €/min while parked after 4 h; at most 30 €;
    plus 19 % VAT

Complete: every price component, restriction, step size, limit and tax of the tariff is in it, also
what never applies (it says so). By dimension, for of one dimension the first element that fits
counts: what stands behind "else" holds where what is before it does not. Judges nothing: whether a
tariff makes sense is problems.py's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from db_interface.json_data import JsonMapping
from domain.pricing.component import ENERGY, FLAT, PARKING_TIME, TIME
from domain.pricing.restriction_words import (
    LOWER_BOUNDS,
    given_restrictions,
    length,
    plain_number,
    when,
)
from domain.pricing.restrictions import RESERVATION, RESERVATION_EXPIRES

MAX_IN_BRIEF = 4
"""More prices of one dimension than these are said as "0.21 to 0.45 €/kWh (96 prices)"."""

_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}
_ORDER = (ENERGY, TIME, PARKING_TIME, FLAT)
_SUBJECTS = {
    ENERGY: "energy",
    TIME: "charging time",
    PARKING_TIME: "parking",
    FLAT: "flat fee",
}
_UNITS = {
    ENERGY: "/kWh",
    TIME: "/h while charging",
    PARKING_TIME: "/h while parked",
    FLAT: " per session",
}
_RESERVED = {RESERVATION: "reservation", RESERVATION_EXPIRES: "reservation that expires"}
_TYPES = {
    "AD_HOC_PAYMENT": "for who pays on the spot",
    "PROFILE_CHEAP": "for who wants to charge cheaply",
    "PROFILE_FAST": "for who wants to charge fast",
    "PROFILE_GREEN": "for who wants green energy",
    "REGULAR": "for drivers with a contract",
}
_SINGLE = {"1 min": "min", "1 h": "h", "1 s": "s"}
_MINUTES = Decimal(60)
_HOUR = Decimal(3600)
_WH_PER_KWH = Decimal(1000)
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class TariffWords:
    """Its clauses in the order in which they are read."""

    clauses: Sequence[str]

    @property
    def line(self) -> str:
        return "; ".join(self.clauses)


@dataclass(frozen=True)
class _Part:
    """A component with what restricts its element. `never`: another one always comes first."""

    price: Decimal
    vat: Decimal | None
    step_size: Decimal
    given: JsonMapping
    never: bool


def tariff_in_words(tariff: JsonMapping, *, brief: bool = False) -> TariffWords:
    """A valid Tariff (2.2.1 or 2.3.0, as the store keeps it). `brief`: for a row of a table."""
    currency = str(tariff.get("currency") or "")
    shown = _SYMBOLS.get(currency, currency)
    chains = sorted(_parts_of(tariff).items(), key=_place)
    parts = [part for _, chain in chains for part in chain]
    rates = {part.vat for part in parts}
    included = tariff.get("tax_included")
    clauses = [] if any(part.price for part in parts) else ["free of charge"]
    clauses += [
        _Chain(kind, reserved, chain, shown, included, says_taxes=len(rates) > 1).text(brief=brief)
        for (reserved, kind), chain in chains
    ]
    clauses += _limits(tariff, shown)
    clauses += [] if len(rates) > 1 else _taxes(next(iter(rates), None), included)
    if tariff.get("type"):
        clauses.append(_TYPES.get(tariff["type"], str(tariff["type"])))
    clauses += _validity(tariff)
    if (tariff.get("energy_mix") or {}).get("is_green_energy"):
        clauses.append("green energy")
    return TariffWords(clauses)


_Key = tuple[str | None, str]


def _place(item: tuple[_Key, object]) -> tuple[int, int]:
    reserved, kind = item[0]
    last = len(_ORDER)
    return (
        0 if reserved is None else 1 + (reserved == RESERVATION_EXPIRES),
        _ORDER.index(kind) if kind in _ORDER else last,
    )


def _parts_of(tariff: JsonMapping) -> dict[_Key, list[_Part]]:
    found: dict[_Key, list[_Part]] = {}
    for element in tariff.get("elements") or ():
        given = dict(given_restrictions(element))
        reserved = given.pop("reservation", None)
        seen: set[str] = set()
        for component in element.get("price_components") or ():
            kind = str(component["type"])
            chain = found.setdefault((reserved, kind), [])
            always_before = any(not part.given and not part.never for part in chain)
            chain.append(
                _Part(
                    price=_decimal(component["price"]),
                    vat=None if component.get("vat") is None else _decimal(component["vat"]),
                    step_size=_decimal(component.get("step_size") or 0),
                    given=given,
                    never=kind in seen or always_before,
                )
            )
            seen.add(kind)
    return found


class _Singly(NamedTuple):
    """What each price says for itself, because it is not the same for all."""

    steps: bool
    taxes: bool


@dataclass(frozen=True)
class _Chain:
    """All prices of one dimension, of which the first that fits counts."""

    kind: str
    reserved: str | None
    parts: Sequence[_Part]
    currency: str
    included: str | None
    says_taxes: bool
    """It says its taxes itself: they are not the same in all of the tariff."""

    def text(self, *, brief: bool) -> str:
        if brief and len(self.parts) > MAX_IN_BRIEF:
            return self._range()
        priced = [part for part in self.parts if part.price]
        steps = {self._step(part) for part in priced}
        taxes = {_tax(part.vat, self.included) for part in priced} if self.says_taxes else set()
        used = [part for part in self.parts if not part.never]
        never = [part for part in self.parts if part.never]
        singly = _Singly(steps=len(steps) > 1, taxes=len(taxes) > 1)
        said = self._said(used, singly)
        if used[-1].given and used[-1].price and not self._is_clear(used):
            said += ", else free"
        if never:
            said += f" (never: {self._said(never, singly)})"
        once = [*([] if singly.taxes else taxes), *([] if singly.steps else steps)]
        return " ".join([said, *([f"({', '.join(filter(None, once))})"] if any(once) else [])])

    def _said(self, parts: Sequence[_Part], singly: _Singly) -> str:
        """One after the other; the unit once, behind the first price that needs one."""
        texts: list[str] = []
        named = False
        for part in parts:
            words = [self._price(part, named=named, first=not texts)]
            if part.price and singly.taxes:
                words.append(_tax(part.vat, self.included))
            if part.price and singly.steps:
                words.append(self._step(part))
            texts.append(" ".join(filter(None, [*words, when(part.given)])))
            named = named or bool(part.price)
        return ", else ".join(texts)

    def _price(self, part: _Part, *, named: bool, first: bool) -> str:
        if not part.price:
            return f"{self._subject()} free" if first else "free"
        by_minute = self._by_minute()
        figure = _amount(part.price / _MINUTES if by_minute else part.price)
        return figure if named else f"{figure} {self.currency}{self._unit(by_minute=by_minute)}"

    def _by_minute(self) -> bool:
        """Whether all its prices are whole cents a minute, and billed by less than an hour."""
        return self.kind in (TIME, PARKING_TIME) and all(
            (part.price / _MINUTES) % _CENT == 0 and part.step_size < _HOUR for part in self.parts
        )

    def _unit(self, *, by_minute: bool) -> str:
        hour = "/min" if by_minute else "/h"
        unit = _UNITS.get(self.kind, f" {self.kind}")
        if self.reserved is not None:
            of = _RESERVED.get(self.reserved, self.reserved)
            reserved = {FLAT: f" per {of}", TIME: f"/h of a {of}"}
            unit = reserved.get(self.kind, f"{unit} of a {of}")
        return unit.replace("/h", hour, 1)

    def _subject(self) -> str:
        if self.reserved is not None:
            return f"{_RESERVED.get(self.reserved, self.reserved)} {_SUBJECTS.get(self.kind, '')}"
        return _SUBJECTS.get(self.kind, self.kind)

    def _step(self, part: _Part) -> str:
        """Empty where what is used is billed to the watt-hour or second."""
        if self.kind == FLAT or part.step_size <= 1:
            return ""
        if self.kind == ENERGY:
            size = plain_number(part.step_size / _WH_PER_KWH)
            return "per started kWh" if size == "1" else f"per started {size} kWh"
        size = length(part.step_size)
        return f"per started {_SINGLE.get(size, size)}"

    def _is_clear(self, used: Sequence[_Part]) -> bool:
        """Whether nobody has to be told that it is free where none of them holds."""
        if self.kind not in (ENERGY, TIME) or self.reserved is not None:
            return True
        return all(set(part.given) <= LOWER_BOUNDS for part in used)

    def _range(self) -> str:
        prices = sorted(part.price for part in self.parts)
        low, high = _amount(prices[0]), _amount(prices[-1])
        span = low if low == high else f"{low} to {high}"
        unit = self._unit(by_minute=False)
        return f"{span} {self.currency}{unit} ({len(prices)} prices)"


def _limits(tariff: JsonMapping, currency: str) -> Iterator[str]:
    for name, words in (("min_price", "at least"), ("max_price", "at most")):
        limit = tariff.get(name)
        if not limit:
            continue
        net = limit.get("excl_vat", limit.get("before_taxes"))
        gross = limit.get("incl_vat", limit.get("after_taxes"))
        text = f"{words} {_amount(_decimal(net))} {currency}"
        yield text if gross is None else f"{text} ({_amount(_decimal(gross))} with VAT)"


def _taxes(rate: Decimal | None, included: str | None) -> list[str]:
    """What holds for all prices alike."""
    if rate is not None:
        return [_tax(rate, included)]
    if included == "YES":
        return ["taxes included"]
    if included == "NO":
        return ["plus taxes"]
    return ["no VAT"]


def _tax(rate: Decimal | None, included: str | None) -> str:
    if rate is None:
        return "without VAT"
    return f"{'incl.' if included == 'YES' else 'plus'} {plain_number(rate)} % VAT"


def _validity(tariff: JsonMapping) -> Iterable[str]:
    start, end = tariff.get("start_date_time"), tariff.get("end_date_time")
    if start and end:
        return [f"valid from {_moment(start)} to {_moment(end)} UTC"]
    if start:
        return [f"valid from {_moment(start)} UTC"]
    return [f"valid until {_moment(end)} UTC"] if end else []


def _moment(text: str) -> str:
    """A stored DateTime is in UTC; the seconds only where there are any."""
    day, clock = text[:10], text[11:19]
    return f"{day} {clock[:5] if clock.endswith(':00') else clock}"


def _amount(value: Decimal) -> str:
    """30, 0.35, 0.50, 0.2987: two decimals where there are any."""
    text = plain_number(value)
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}" if decimals else whole


def _decimal(value: object) -> Decimal:
    """A JSON number by its digits."""
    return value if isinstance(value, Decimal) else Decimal(str(value))
