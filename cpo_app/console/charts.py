"""Charts as values: where each bar, line, mark and label stands. `charts.html` draws them as SVG.

Pure. A chart says in words what it shows (`said`) and has its figures as a table, so that nobody
needs to see it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone, tzinfo

from cpo_app.console.chart_axes import Scale, TimeAxis, day_name, scale_of
from cpo_app.console.chart_drawing import (
    WIDTH,
    Chart,
    DrawnBand,
    DrawnBar,
    DrawnLine,
    DrawnMark,
    DrawnPoint,
    Row,
    Tick,
)
from cpo_app.console.chart_lines import Line, Point, value_of, within
from cpo_app.console.words import NOTHING, number

__all__ = ["Band", "Chart", "Line", "Mark", "Point", "bars", "curve"]

MAX_ROWS = 48
"""Of the table beside a curve; beyond that every so many-th is shown."""
MAX_POINTS_TOLD = 150
"""Up to so many points of a line tell their figure under the mouse."""


@dataclass(frozen=True)
class Mark:
    """A moment that is to be seen: an upright line with its words."""

    at: datetime
    label: str
    tone: str = ""


@dataclass(frozen=True)
class Band:
    """A period that is to be seen: a tariff's hours, a pause."""

    begin: datetime
    end: datetime
    label: str
    tone: str = ""


def bars(
    days: Sequence[tuple[date, float]],
    *,
    id: str,
    title: str,
    unit: str,
    digits: int = 0,
    href: Callable[[date], str] | None = None,
) -> Chart:
    """A bar for each day, the oldest first; `href` is where the table's row of a day leads."""
    scale = scale_of([value for _, value in days])
    share = 100 / max(1, len(days))
    drawn, ticks, rows = [], [], []
    for nth, (day, value) in enumerate(days):
        name, figure = day_name(day), _figure(value, unit, digits)
        top, foot = sorted((scale.y(value), scale.y(0.0)))
        drawn.append(
            DrawnBar(
                x=round(share * (nth + 0.12), 3),
                width=round(share * 0.76, 3),
                y=top,
                height=max(round(foot - top, 1), 1.0 if value else 0.0),
                said=f"{name}: {figure}",
            )
        )
        weeks, rest = divmod(len(days) - 1 - nth, 7)
        if rest == 0:  # counted from the latest, which always has its name
            ticks.append(Tick(round(share * (nth + 0.5), 3), name, minor=weeks % 2 == 1))
        rows.append(Row(name, [number(value, digits)], href(day) if href else None))
    return Chart(
        id=id,
        title=title,
        said=_said_of_days(days, unit, digits),
        unit=unit,
        columns=["Day", unit],
        rows=rows[::-1],
        times=ticks,
        left=scale.ticks(),
        bars=drawn,
    )


def curve(
    lines: Sequence[Line],
    *,
    id: str,
    title: str,
    since: datetime,
    until: datetime,
    zone: tzinfo = timezone.utc,
    marks: Sequence[Mark] = (),
    bands: Sequence[Band] = (),
) -> Chart:
    """Lines over the time of [since, until], whose axis is written in `zone`.

    All lines of a side share its scale, and should share its unit. Points may lie outside of the
    period: the line is cut at its ends.
    """
    until = max(until, since + timedelta(seconds=1))
    axis = TimeAxis(since, until, zone)
    kept = [within(line, since, until) for line in lines]
    left = scale_of(_values(line for line in kept if not line.right))
    right = scale_of(_values(line for line in kept if line.right))
    at_right = [line for line in kept if line.right]
    return Chart(
        id=id,
        title=title,
        said=". ".join(_said_of(line, axis) for line in kept) or "Nothing is known.",
        unit=next((line.unit for line in kept if not line.right), ""),
        columns=["Time", *(f"{line.name} ({line.unit})" for line in kept)],
        rows=_rows(kept, axis),
        times=axis.ticks(),
        left=left.ticks(),
        right=right.ticks() if at_right else (),
        right_unit=at_right[0].unit if at_right else "",
        zone_name=getattr(zone, "key", None) or "UTC",
        lines=[
            _drawn(nth, line, axis, right if line.right else left)
            for nth, line in enumerate(kept, 1)
        ],
        marks=[
            DrawnMark(
                axis.percent(mark.at),
                mark.label,
                f"{axis.name(mark.at)} {mark.label}",
                mark.tone,
                at_end=axis.percent(mark.at) > 75,
            )
            for mark in marks
            if since <= mark.at <= until
        ],
        bands=[
            DrawnBand(
                x := axis.percent(max(band.begin, since)),
                round(axis.percent(min(band.end, until)) - x, 3),
                band.label,
                f"{band.label}, {axis.name(band.begin)} to {axis.name(band.end)}",
                band.tone,
            )
            for band in bands
            if band.begin < until and band.end > since
        ],
    )


def _values(lines: Iterable[Line]) -> list[float]:
    return [point.value for line in lines for point in line.points if point.value is not None]


def _drawn(nth: int, line: Line, axis: TimeAxis, scale: Scale) -> DrawnLine:
    pieces: list[list[Point]] = [[]]
    for point in line.points:
        if point.value is None:
            if line.step and pieces[-1]:
                pieces[-1].append(Point(point.at, pieces[-1][-1].value))
            pieces.append([])
        else:
            pieces[-1].append(point)
    pieces = [piece for piece in pieces if piece]
    paths = [_path(piece, line.step, axis, scale) for piece in pieces]
    foot = scale.y(max(scale.bottom, 0.0))
    areas = [
        f"{path}V{foot}H{round(WIDTH * axis.share(piece[0].at), 1)}Z"
        for path, piece in zip(paths, pieces, strict=True)
    ]
    told = line.points if len(line.points) <= MAX_POINTS_TOLD else ()
    return DrawnLine(
        name=line.name,
        unit=line.unit,
        nth=nth,
        path="".join(paths),
        area="".join(areas) if line.filled else None,
        points=[
            DrawnPoint(
                axis.percent(point.at),
                scale.y(point.value),
                f"{axis.name(point.at)} {line.name}: "
                f"{_figure(point.value, line.unit, line.digits)}",
            )
            for point in told
            if point.value is not None
        ],
    )


def _path(piece: Sequence[Point], step: bool, axis: TimeAxis, scale: Scale) -> str:
    said: list[str] = []
    for point in piece:
        x, y = round(WIDTH * axis.share(point.at), 1), scale.y(value_of(point))
        if not said:
            said.append(f"M{x} {y}")
        else:
            said.append(f"H{x}V{y}" if step else f"L{x} {y}")
    if len(piece) == 1:
        said.append("h0.1")  # a point alone would not be seen
    return "".join(said)


def _rows(lines: Sequence[Line], axis: TimeAxis) -> list[Row]:
    moments = sorted({point.at for line in lines for point in line.points})
    every = math.ceil(len(moments) / MAX_ROWS) or 1
    chosen = moments[::every]
    if moments and chosen[-1] != moments[-1]:
        chosen.append(moments[-1])
    columns = [_at(line, chosen) for line in lines]
    return [
        Row(axis.name(at), [column[nth] for column in columns]) for nth, at in enumerate(chosen)
    ]


def _at(line: Line, moments: Sequence[datetime]) -> list[str]:
    """The line's figures then; of a step that which holds."""
    told: list[str] = []
    points, nth = line.points, -1
    for at in moments:
        while nth + 1 < len(points) and points[nth + 1].at <= at:
            nth += 1
        held = nth >= 0 and (line.step or points[nth].at == at)
        told.append(number(points[nth].value, line.digits) if held else NOTHING)
    return told


def _said_of(line: Line, axis: TimeAxis) -> str:
    known = [point for point in line.points if point.value is not None]
    if not known:
        return f"{line.name}: nothing is known"
    least, most = min(known, key=value_of), max(known, key=value_of)
    return (
        f"{line.name}: from {number(least.value, line.digits)} to "
        f"{_figure(most.value, line.unit, line.digits)}, the most at {axis.name(most.at)}; last "
        f"{_figure(known[-1].value, line.unit, line.digits)} at {axis.name(known[-1].at)}"
    )


def _said_of_days(days: Sequence[tuple[date, float]], unit: str, digits: int) -> str:
    if not any(value for _, value in days):
        return "Nothing yet."
    most = max(days, key=lambda one: one[1])
    total = math.fsum(value for _, value in days)
    return (
        f"{_figure(total, unit, digits)} in {len(days)} days; the most, "
        f"{_figure(most[1], unit, digits)}, on {day_name(most[0])}; on the latest day, "
        f"{day_name(days[-1][0])}, {_figure(days[-1][1], unit, digits)}."
    )


def _figure(value: float | None, unit: str, digits: int) -> str:
    return NOTHING if value is None else f"{number(value, digits)}\u00a0{unit}".rstrip()
