"""What a chart consists of once it is worked out (charts.py); `charts.html` draws it as SVG.

Across it goes in percent of its width and down in pixels: the drawing stretches with the page, its
text does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT = 160
"""Of the plot, in pixels."""
WIDTH = 1000
"""Of the box in which lines are drawn, before it is stretched."""


@dataclass(frozen=True)
class Tick:
    """`at` in percent from the left, or in pixels from the top; `minor` goes on a narrow screen."""

    at: float
    label: str
    minor: bool = False


@dataclass(frozen=True)
class DrawnBar:
    x: float
    width: float
    y: float
    height: float
    said: str


@dataclass(frozen=True)
class DrawnPoint:
    x: float
    y: float
    said: str


@dataclass(frozen=True)
class DrawnLine:
    """`nth` gives it its colour and its dashes."""

    name: str
    unit: str
    nth: int
    path: str
    area: str | None
    points: Sequence[DrawnPoint]


@dataclass(frozen=True)
class DrawnMark:
    x: float
    label: str
    said: str
    tone: str
    at_end: bool
    """Its words stand at its left: it is at the right edge."""


@dataclass(frozen=True)
class DrawnBand:
    x: float
    width: float
    label: str
    said: str
    tone: str


@dataclass(frozen=True)
class Row:
    """Of the table; `href`: a page that says more."""

    label: str
    values: Sequence[str]
    href: str | None = None


@dataclass(frozen=True)
class Chart:
    """What `charts.html` draws. `zone_name`: whose time stands on its axis, None: days."""

    id: str
    title: str
    said: str
    unit: str
    columns: Sequence[str]
    rows: Sequence[Row]
    times: Sequence[Tick]
    left: Sequence[Tick]
    right: Sequence[Tick] = ()
    right_unit: str = ""
    zone_name: str | None = None
    bars: Sequence[DrawnBar] = ()
    lines: Sequence[DrawnLine] = ()
    marks: Sequence[DrawnMark] = ()
    bands: Sequence[DrawnBand] = ()
    height: int = HEIGHT
    width: int = WIDTH
