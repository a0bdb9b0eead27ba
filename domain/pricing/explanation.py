"""Why a session costs what it costs: one row per piece and dimension.

Rows carry money at four decimals, and those of one total add up to it exactly: each row is the
difference between two rounded running sums, so no rounding is left over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from domain.pricing.component import ENERGY, FLAT, PARKING_TIME, TIME, Component, from_parts
from domain.pricing.limits import Adjustment
from domain.pricing.money import Money
from domain.pricing.pieces import Piece
from domain.pricing.quantities import UKWH_PER_KWH, US_PER_SECOND, datetime_of, ocpi_time, ratio
from domain.pricing.quantities import instant_us as _instant_us
from domain.pricing.step_size import Extra

FIXED_COST = "total_fixed_cost"
ENERGY_COST = "total_energy_cost"
TIME_COST = "total_time_cost"
PARKING_COST = "total_parking_cost"
RESERVATION_COST = "total_reservation_cost"
COST_FIELDS = (FIXED_COST, ENERGY_COST, TIME_COST, PARKING_COST, RESERVATION_COST)
RESERVATION_TIME = "RESERVATION_TIME"

_UNITS = {ENERGY: ("kWh", UKWH_PER_KWH), FLAT: ("", 1)}
_SECONDS = ("s", US_PER_SECOND)


class Line(NamedTuple):
    """A quantity of a piece with the component that prices it, and the total it goes to."""

    field: str
    dimension: str
    component: Component | None
    quantity: int


@dataclass(frozen=True)
class Explained:
    """One row: `quantity` as metered, `billed` after rounding up, in `unit` (kWh, s or none)."""

    period_start: datetime
    dimension: str
    field: str  # the OCPI total that the amounts go to
    tariff_id: str | None
    element: int | None
    component: str | None
    price: Decimal | None
    vat: Decimal | None
    step_size: int | None
    quantity: Decimal
    billed: Decimal
    unit: str
    excl_vat: Decimal
    incl_vat: Decimal
    reason: str


def lines_of(piece: Piece) -> Iterator[Line]:
    """What there is to price in a piece."""
    active = piece.active
    if active.reservation_flat:
        yield Line(RESERVATION_COST, FLAT, active.reservation_flat, 1)
    if piece.reservation_us:
        yield Line(
            RESERVATION_COST, RESERVATION_TIME, active.reservation_time, piece.reservation_us
        )
    if active.flat:
        parked = piece.parking_us and not (piece.time_us or piece.energy_ukwh)
        of_parking = active.flat.parking_only and parked
        yield Line(PARKING_COST if of_parking else FIXED_COST, FLAT, active.flat, 1)
    if piece.energy_ukwh:
        yield Line(ENERGY_COST, ENERGY, active.energy, piece.energy_ukwh)
    if piece.time_us:
        yield Line(TIME_COST, TIME, active.time, piece.time_us)
    if piece.parking_us:
        yield Line(PARKING_COST, PARKING_TIME, active.parking, piece.parking_us)


def explain(
    pieces: Sequence[Piece], extras: Sequence[Extra], adjusted: Sequence[Adjustment], end_us: int
) -> list[Explained]:
    """All rows of a session; per `field` they add up to the published total."""
    beyond = {(extra.piece, id(extra.component)): extra for extra in extras}
    sums: dict[str, Money] = {}
    rows: list[Explained] = []
    for index, piece in enumerate(pieces):
        for line in lines_of(piece):
            extra = beyond.get((index, id(line.component)))
            rows.append(_row(piece, line, extra, sums))
    rows += [_adjustment_row(adjustment, end_us) for adjustment in adjusted]
    return rows


def _row(piece: Piece, line: Line, extra: Extra | None, sums: dict[str, Money]) -> Explained:
    component = line.component
    unit, per_unit = _UNITS.get(line.dimension, _SECONDS)
    billed = line.quantity + (extra.quantity if extra else 0) if component else 0
    amount = Money()
    reason = "no tariff in force" if piece.tariff is None else "no element fits: free of charge"
    if component is not None:
        before = sums.get(line.field, Money())
        after = sums[line.field] = before + component.cost(billed)
        amount = from_parts(after) - from_parts(before)
        reason = f"element {component.element}: {component.element_text}"
    if component is not None and extra is not None:
        total, step = ratio(extra.total, per_unit), ratio(component.step, per_unit)
        reason += f"; {_plain(total)} {unit} in all, rounded up to steps of {_plain(step)} {unit}"
    return Explained(
        period_start=datetime_of(piece.start_us),
        dimension=line.dimension,
        field=line.field,
        tariff_id=None if piece.tariff is None else piece.tariff.id,
        element=component.element if component else None,
        component=component.dimension if component else None,
        price=component.price if component else None,
        vat=component.vat if component else None,
        step_size=component.step_size if component else None,
        quantity=ratio(line.quantity, per_unit),
        billed=ratio(billed, per_unit),
        unit=unit,
        excl_vat=amount.excl,
        incl_vat=amount.incl,
        reason=reason,
    )


def _adjustment_row(adjustment: Adjustment, end_us: int) -> Explained:
    return Explained(
        period_start=datetime_of(end_us),
        dimension=adjustment.kind,
        field="total_cost",
        tariff_id=adjustment.tariff_id,
        element=None,
        component=None,
        price=None,
        vat=None,
        step_size=None,
        quantity=Decimal(1),
        billed=Decimal(1),
        unit="",
        excl_vat=adjustment.amount.excl,
        incl_vat=adjustment.amount.incl,
        reason=adjustment.reason,
    )


def row_texts(row: Explained) -> dict[str, str]:
    """A row as texts for a table, in reading order; empty where a column does not apply."""
    return {
        "start": ocpi_time(_instant_us(row.period_start, "row")),
        "dimension": row.dimension,
        "tariff": row.tariff_id or "",
        "element": "" if row.element is None else str(row.element),
        "quantity": f"{_plain(row.quantity)} {row.unit}".rstrip(),
        "billed": f"{_plain(row.billed)} {row.unit}".rstrip(),
        "price": "" if row.price is None else _plain(row.price),
        "vat": "" if row.vat is None else f"{_plain(row.vat)} %",
        "step_size": "" if row.step_size is None else str(row.step_size),
        "excl_vat": _plain(row.excl_vat),
        "incl_vat": _plain(row.incl_vat),
        "reason": row.reason,
    }


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
