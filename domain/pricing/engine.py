"""What a session costs under its tariffs: OCPI totals, each with its reasons.

One function prices the running session and its CDR, so the price cannot jump when a session
closes. Everything that decides a price is an argument: no clock, no store, no machine time zone.
The rules, and the choices where the OCPI text is silent, are in docs/pricing.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from itertools import groupby
from typing import Any

from db_interface.json_data import JsonObject
from domain.objects import OcpiObject
from domain.pricing.component import Component, from_parts
from domain.pricing.explanation import COST_FIELDS, Explained, explain, lines_of, row_texts
from domain.pricing.limits import Adjustment, adjustments
from domain.pricing.money import Money, json_number
from domain.pricing.pieces import Piece
from domain.pricing.quantities import (
    UKWH_PER_KWH,
    US_PER_HOUR,
    PricingInputError,
    datetime_of,
    instant_us,
    ratio,
)
from domain.pricing.session import AnyPeriod, AnyTariff, cut_session
from domain.pricing.step_size import Extra, round_up
from domain.pricing.tariff import CompiledTariff


@dataclass(frozen=True)
class Priced:
    """A priced session: money at four decimals, `costs` by OCPI field (those that apply)."""

    currency: str | None
    total_cost: Money
    costs: Mapping[str, Money]
    total_energy_kwh: Decimal
    total_time_h: Decimal
    total_parking_time_h: Decimal | None
    pieces: Sequence[Piece]
    extras: Sequence[Extra]
    adjusted: Sequence[Adjustment]
    end: datetime

    def totals(self) -> JsonObject:
        """The CDR's total_* fields as JSON numbers; those that do not apply are left out."""
        totals: JsonObject = {"total_cost": self.total_cost.to_ocpi()}
        totals["total_energy"] = json_number(self.total_energy_kwh)
        totals["total_time"] = json_number(self.total_time_h)
        if self.total_parking_time_h is not None:
            totals["total_parking_time"] = json_number(self.total_parking_time_h)
        totals.update({field: cost.to_ocpi() for field, cost in self.costs.items()})
        return totals

    @cached_property
    def explanation(self) -> list[Explained]:
        """The reason for every amount; the rows add up to the totals exactly."""
        return explain(
            self.pieces, self.extras, self.adjusted, instant_us(self.end, "end of the session")
        )


def explain_lines(priced: Priced) -> list[dict[str, str]]:
    """The explanation as rows of texts with the same columns, ready for a table."""
    return [row_texts(row) for row in priced.explanation]


def price_session(
    periods: Sequence[AnyPeriod],
    tariffs: Sequence[AnyTariff],
    start: datetime | str,
    end: datetime | str,
    time_zone: str,
    *,
    reservation_expired: bool | None = None,
) -> Priced:
    """Price a session from `start` to `end` (of a running session: until now).

    `time_zone` is the location's, in which restrictions are judged. `tariffs` are those that the
    periods name; `reservation_expired` says whether a session that is only a reservation expired
    (default: yes). Raises `PricingInputError`.
    """
    session = cut_session(periods, tariffs, start, end, time_zone, reservation_expired)
    pieces, read = session.pieces, session.periods
    extras = round_up(pieces)
    costs = _costs(pieces, extras)
    used = list({id(tariff): tariff for tariff in session.tariffs if tariff is not None}.values())
    if len({tariff.currency for tariff in used}) > 1:
        raise PricingInputError("tariffs: in different currencies")
    total = Money()
    for cost in costs.values():
        total = total + cost
    adjusted = adjustments(total, used, any(not period.is_reservation for period in read))
    for adjustment in adjusted:
        total = total + adjustment.amount
    return Priced(
        currency=used[0].currency if used else None,
        total_cost=total,
        costs=costs,
        total_energy_kwh=ratio(sum(p.energy_ukwh for p in read), UKWH_PER_KWH),
        total_time_h=ratio(session.end_us - session.start_us, US_PER_HOUR),
        total_parking_time_h=(
            ratio(sum(p.parking_us for p in read), US_PER_HOUR)
            if any("PARKING_TIME" in p.volumes for p in read)
            else None
        ),
        pieces=pieces,
        extras=extras,
        adjusted=adjusted,
        end=datetime_of(session.end_us),
    )


def price_cdr(
    cdr: OcpiObject,
    tariff: AnyTariff | Sequence[AnyTariff] | None,
    time_zone: str,
) -> Priced:
    """Price a CDR (or a finished session) as JSON; `tariff` None: the CDR's own tariffs.

    One tariff that is given here prices the whole CDR, whatever its periods name. Raises
    `PricingInputError`.
    """
    if not isinstance(cdr, Mapping):
        raise PricingInputError("cdr: not an object")
    for key in ("start_date_time", "end_date_time", "charging_periods"):
        if not cdr.get(key):
            raise PricingInputError(f"cdr.{key}: missing")
    periods = cdr["charging_periods"]
    if not isinstance(periods, (list, tuple)):
        raise PricingInputError("cdr.charging_periods: not a list")
    if tariff is None:
        tariff = cdr.get("tariffs") or ()
    if isinstance(tariff, (Mapping, CompiledTariff)):
        tariffs: Sequence[AnyTariff] = (tariff,)
        periods = [_unnamed(period) for period in periods]
    elif isinstance(tariff, (list, tuple)):
        tariffs = tariff
    else:
        raise PricingInputError("tariff: not an object")
    priced = price_session(
        periods, tariffs, cdr["start_date_time"], cdr["end_date_time"], time_zone
    )
    if cdr.get("currency") and priced.currency not in (None, cdr["currency"]):
        raise PricingInputError(
            f"cdr.currency: {cdr['currency']!r}, but the tariff is in {priced.currency!r}"
        )
    return priced


def price_files(tariff: OcpiObject, cdr: OcpiObject, time_zone: str) -> Priced:
    """Price the CDR of one JSON file under the tariff of another."""
    if not isinstance(tariff, Mapping):
        raise PricingInputError("tariff: not an object")
    return price_cdr(cdr, tariff, time_zone)


def _costs(pieces: Sequence[Piece], extras: Sequence[Extra]) -> dict[str, Money]:
    billed: dict[tuple[str, Component], int] = {}
    for piece in _runs(pieces):
        for field, _, component, quantity in lines_of(piece):
            if component is not None:
                billed[field, component] = billed.get((field, component), 0) + quantity
    for extra in extras:
        # A component has one field for its rounded dimension: FLAT is never rounded.
        key = next(key for key in billed if key[1] is extra.component)
        billed[key] += extra.quantity
    sums: dict[str, Money] = {}
    for (field, component), quantity in billed.items():
        sums[field] = sums.get(field, Money()) + component.cost(quantity)
    return {field: from_parts(sums[field]) for field in COST_FIELDS if field in sums}


def _runs(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Pieces in a row under the very same components, as one: their cost is that of their sum."""
    for _, run in groupby(pieces, key=lambda piece: id(piece.active)):
        first, *rest = run
        if rest:
            first = first._replace(
                energy_ukwh=first.energy_ukwh + sum(piece.energy_ukwh for piece in rest),
                time_us=first.time_us + sum(piece.time_us for piece in rest),
                parking_us=first.parking_us + sum(piece.parking_us for piece in rest),
                reservation_us=first.reservation_us + sum(piece.reservation_us for piece in rest),
            )
        yield first


def _unnamed(period: object) -> Any:
    if isinstance(period, Mapping) and period.get("tariff_id") is not None:
        return {key: value for key, value in period.items() if key != "tariff_id"}
    return period
