"""The course of a session or CDR as its page shows it: the curve of its power, and its price line
by line (the reasons are the pricing's own). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import pairwise

from cpo_app.console.charts import Band, Chart, Line, Mark, Point, curve
from cpo_app.console.words import number
from domain.operator.course_told import Stretch
from domain.operator.one_session import CourseTold
from domain.pricing import Explained

MAX_BANDS = 40
_WHAT = {
    "ENERGY": "Energy",
    "TIME": "Charging time",
    "PARKING_TIME": "Parking time",
    "RESERVATION_TIME": "Time reserved",
    "FLAT": "Flat fee",
}
_TONES = {"parked": "held", "paused": "warn", "reserved": "off"}


@dataclass(frozen=True)
class PriceRow:
    """One line of the price, every figure written out."""

    at: datetime
    what: str
    tariff_id: str | None
    metered: str
    billed: str
    price: str
    vat: str
    excl_vat: str
    incl_vat: str
    why: str


def power_chart(course: CourseTold, *, zone: tzinfo) -> Chart | None:
    """None: nothing has been charged yet."""
    if not course.stretches or not course.points:
        return None
    power = [Point(point.at, point.kw) for point in course.points]
    energy = [Point(point.at, point.kwh) for point in course.points]
    since = min(course.stretches[0].begin, course.points[0].at)
    until = max(course.end or since, course.points[-1].at, since + timedelta(seconds=1))
    return curve(
        [
            Line("Power", "kW", power, step=not course.measured, filled=True),
            Line("Energy", "kWh", energy, right=True, digits=2),
        ],
        id="power",
        title="Power and energy"
        if course.measured
        else "Mean power of each charging period, and energy",
        since=since,
        until=until,
        zone=zone,
        marks=_price_marks(course.stretches),
        bands=[
            Band(one.begin, one.end, one.kind, _TONES[one.kind])
            for one in course.stretches[:MAX_BANDS]
            if one.kind in _TONES
        ],
    )


def _price_marks(stretches: Sequence[Stretch]) -> list[Mark]:
    """Where another price begins."""
    marks: list[Mark] = []
    for before, one in pairwise(stretches):
        if one.prices != before.prices and len(marks) < MAX_BANDS:
            marks.append(Mark(one.begin, one.prices[0] if one.prices else "free of charge"))
    return marks


def price_rows(rows: Sequence[Explained]) -> list[PriceRow]:
    return [_row(row) for row in rows]


def _row(row: Explained) -> PriceRow:
    adjusts = row.component is None and row.field == "total_cost"
    return PriceRow(
        at=row.period_start,
        what=row.dimension.replace("_", " ").capitalize() if adjusts else _what(row.dimension),
        tariff_id=row.tariff_id,
        metered="" if adjusts else _quantity(row.quantity, row.unit),
        billed="" if adjusts or row.price is None else _quantity(row.billed, row.unit),
        price="" if row.price is None else _plain(row.price),
        vat="" if row.vat is None else f"{_plain(row.vat)} %",
        excl_vat=number(float(row.excl_vat), 4),
        incl_vat=number(float(row.incl_vat), 4),
        why=row.reason,
    )


def _what(dimension: str) -> str:
    return _WHAT.get(dimension, dimension)


def _quantity(quantity: Decimal, unit: str) -> str:
    """ "12.3456 kWh", "1:02:05 h", "once"."""
    if not unit:
        return "once"
    if unit != "s":
        return f"{_plain(quantity)}\u00a0{unit}"
    minutes, seconds = divmod(int(quantity), 60)
    hours, minutes = divmod(minutes, 60)
    rest = _plain(quantity % 1).removeprefix("0")
    return f"{hours}:{minutes:02}:{seconds:02}{rest if quantity % 1 else ''}\u00a0h"


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
