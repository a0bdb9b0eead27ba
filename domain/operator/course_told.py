"""A session's or CDR's course as people look at it: its charging periods one by one, each with the
prices that hold in it, and how the power went. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from db_interface.json_data import JsonMapping
from domain.pricing import Explained, Priced
from domain.sessions.power_samples import Sample
from domain.times import parse_datetime

_KINDS = {
    "RESERVATION_TIME": "reserved",
    "PARKING_TIME": "parked",
    "TIME": "charging",
}
_UNITS = {
    "ENERGY": "per kWh",
    "TIME": "per hour",
    "PARKING_TIME": "per hour parked",
    "RESERVATION_TIME": "per hour reserved",
    "FLAT": "once",
}


@dataclass(frozen=True)
class Stretch:
    """A charging period. `prices`: "0.40 EUR per kWh, 20 % VAT"; none: free of charge."""

    begin: datetime
    end: datetime
    kind: str
    kwh: float
    least_kw: float | None
    most_kw: float | None
    tariff_id: str | None
    prices: Sequence[str]

    @property
    def seconds(self) -> float:
        return (self.end - self.begin).total_seconds()

    @property
    def mean_kw(self) -> float | None:
        """No more than the most that was measured: energy can be told later than it flowed."""
        if not self.seconds:
            return None
        mean = self.kwh * 3600 / self.seconds
        return mean if self.most_kw is None else min(mean, self.most_kw)


@dataclass(frozen=True)
class PowerPoint:
    """From then on; `kw` None: nothing is known."""

    at: datetime
    kw: float | None
    kwh: float


def stretches(
    periods: Sequence[JsonMapping], end: datetime, priced: Priced | None
) -> list[Stretch]:
    """OCPI's charging periods, in their order."""
    starts = [_moment(period["start_date_time"]) for period in periods]
    ends = [*starts[1:], end]
    rows = [] if priced is None else priced.explanation
    currency = None if priced is None else priced.currency
    return [
        _stretch(period, begin, until, _prices(rows, begin, until, currency))
        for period, begin, until in zip(periods, starts, ends, strict=True)
    ]


def power(samples: Iterable[Sample], told: Sequence[Stretch]) -> tuple[list[PowerPoint], bool]:
    """How it went, and whether that is what was measured: else it is the mean of each period."""
    kept = list(samples)
    measured = [one for one in kept if one.power_w is not None]
    if len(measured) > 1:
        return _measured(kept), True
    points, kwh = [], 0.0
    for one in told:
        points.append(PowerPoint(one.begin, one.mean_kw, kwh))
        kwh += one.kwh
    if told:
        points.append(PowerPoint(told[-1].end, None, kwh))
    return points, False


def _measured(samples: Sequence[Sample]) -> list[PowerPoint]:
    """It begins with nothing, and what flowed until its end falls to nothing there."""
    points = [
        PowerPoint(
            one.at, None if one.power_w is None else one.power_w / 1000, one.energy_wh / 1000
        )
        for one in samples
    ]
    first, before, last = points[0], points[-2], points[-1]
    if first.kw is None and not first.kwh:
        points[0] = PowerPoint(first.at, 0.0, 0.0)
    if not last.kw and before.kw:
        points.insert(-1, PowerPoint(last.at, before.kw, last.kwh))
    return points


def _stretch(period: JsonMapping, begin: datetime, end: datetime, prices: Sequence[str]) -> Stretch:
    volumes = {one["type"]: float(one["volume"]) for one in period["dimensions"]}
    kind = next((said for name, said in _KINDS.items() if name in volumes), "paused")
    return Stretch(
        begin=begin,
        end=max(begin, end),
        kind=kind,
        kwh=volumes.get("ENERGY", 0.0),
        least_kw=volumes.get("MIN_POWER"),
        most_kw=volumes.get("MAX_POWER"),
        tariff_id=period.get("tariff_id"),
        prices=prices,
    )


def _prices(
    rows: Sequence[Explained], begin: datetime, end: datetime, currency: str | None
) -> list[str]:
    """Those of the period, each once."""
    said: dict[str, None] = {}
    for row in rows:
        if row.price is not None and (begin <= row.period_start < end or row.period_start == begin):
            unit = _UNITS.get(row.component or row.dimension, row.dimension)
            tax = "" if row.vat is None else f", {_plain(row.vat)} % VAT"
            said[f"{_plain(row.price)} {currency or ''} {unit}{tax}".replace("  ", " ")] = None
    return list(said)


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _moment(value: object) -> datetime:
    return value if isinstance(value, datetime) else parse_datetime(str(value))
