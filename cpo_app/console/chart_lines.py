"""A figure over time as far as it is drawn: cut to a period, no denser than a screen. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cpo_app.console.chart_drawing import WIDTH


@dataclass(frozen=True)
class Point:
    """`value` None: nothing is known from here on; the line has a gap."""

    at: datetime
    value: float | None


@dataclass(frozen=True)
class Line:
    """`step`: the value holds until the next point (give the last one twice where it still holds).
    `right`: on the scale at the right. `filled`: the ground beneath it is tinted."""

    name: str
    unit: str
    points: Sequence[Point]
    step: bool = False
    filled: bool = False
    right: bool = False
    digits: int = 1


def within(line: Line, since: datetime, until: datetime) -> Line:
    """Its points in the period; where it goes on from before, or to after, its ends there."""
    ordered = sorted(line.points, key=lambda point: point.at)
    before = [point for point in ordered if point.at < since]
    inside = [point for point in ordered if since <= point.at <= until]
    after = [point for point in ordered if point.at > until]
    if before and (not inside or inside[0].at > since):
        inside.insert(0, Point(since, _between(line, before[-1], (inside or after), since)))
    if after and inside and inside[-1].at < until:
        inside.append(Point(until, _between(line, inside[-1], after, until)))
    return replace(line, points=_thinned(inside))


def _between(line: Line, one: Point, following: Sequence[Point], at: datetime) -> float | None:
    if line.step or one.value is None:
        return one.value
    if not following or following[0].value is None:
        return None
    share = (at - one.at) / (following[0].at - one.at)
    return one.value + (following[0].value - one.value) * share


def _thinned(points: list[Point]) -> list[Point]:
    """No more than a screen can show: of each piece of time the first, last, least and most
    (the M4 aggregation, Jugel et al., VLDB 2014)."""
    if len(points) <= 2 * WIDTH:
        return points
    kept: list[Point] = []
    size = math.ceil(len(points) / (WIDTH / 4))
    for begin in range(0, len(points), size):
        piece = points[begin : begin + size]
        known = [point for point in piece if point.value is not None]
        ends = {id(piece[0]): piece[0], id(piece[-1]): piece[-1]}
        if known:
            for point in (min(known, key=value_of), max(known, key=value_of)):
                ends[id(point)] = point
        ends |= {id(point): point for point in piece if point.value is None}
        kept += sorted(ends.values(), key=lambda point: point.at)
    return kept


def value_of(point: Point) -> float:
    return point.value or 0.0
