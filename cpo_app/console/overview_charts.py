"""The overview's charts: the operator's days as bars, uptime and utilization as lines. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from functools import partial
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from cpo_app.console.charts import Chart, Line, Point, bars, curve
from cpo_app.console.zones import IN_ADDRESS
from domain.operator.day_totals import Day

MAX_CURRENCIES = 3


def of(days: Sequence[Day], zone: ZoneInfo, *, named: str = "") -> list[Chart]:
    """Energy, sessions, revenue of each of the currencies with most CDRs, and the fleet's share.
    `named`: the zone that links to a day name, where not everybody has the same."""
    energy = bars(
        [(day.day, day.billed.energy_kwh) for day in days],
        id="energy",
        title="Energy",
        unit="kWh",
        href=partial(_of_day, "cdrs", named),
    )
    sessions = bars(
        [(day.day, float(day.sessions)) for day in days],
        id="sessions-begun",
        title="Sessions begun",
        unit="",
        href=partial(_of_day, "sessions", named),
    )
    revenue = [
        bars(
            [(day.day, day.billed.revenue.get(currency, 0.0)) for day in days],
            id=f"revenue-{currency}",
            title="Revenue, VAT included",
            unit=currency,
            digits=2,
            href=partial(_of_day, "cdrs", named),
        )
        for currency in currencies(days)[:MAX_CURRENCIES]
    ]
    ends = _midnight(days[-1].day + timedelta(days=1), zone)
    fleet = curve(
        [
            _line("Up", days, [day.fleet.uptime_percent for day in days], zone),
            _line("Charging", days, [day.fleet.utilization_percent for day in days], zone),
        ],
        id="fleet",
        title="Charge points up, and charging",
        since=_midnight(days[0].day, zone),
        until=ends,
        zone=zone,
    )
    return [energy, sessions, *revenue, fleet]


def currencies(days: Sequence[Day]) -> list[str]:
    """That bills were made in on the most days first."""
    used: dict[str, int] = {}
    for day in days:
        for currency in day.billed.revenue:
            used[currency] = used.get(currency, 0) + 1
    return sorted(used, key=lambda currency: (-used[currency], currency))


def _line(name: str, days: Sequence[Day], values: Sequence[float | None], zone: ZoneInfo) -> Line:
    """A step for each day."""
    points = [
        Point(_midnight(day.day, zone), value) for day, value in zip(days, values, strict=True)
    ]
    points.append(Point(_midnight(days[-1].day + timedelta(days=1), zone), values[-1]))
    return Line(name, "%", points, step=True)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(timezone.utc)


def _of_day(page: str, named: str, day: date) -> str:
    """The list of that day, which reads dates in the same zone."""
    words = {"from": day.isoformat(), "to": (day + timedelta(days=1)).isoformat()}
    return f"/console/{page}?{urlencode({**words, **({IN_ADDRESS: named} if named else {})})}"
