"""A map of the sites as a drawing: where each circle and name stands. Pure.

Mercator's projection, fitted to a box of the world. The largest towns are named, so that one knows
where one is: no other host is asked, unless the operator names one for tiles (map_tiles.py). Sites
that would lie on each other are one circle, with the worst state among them; it leads to a map of
itself.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cpo_app.console.map_tiles import MapTiles, Tile
from domain.charge_points.evse_states import EvseStatus
from domain.operator.sites_on_map import Site
from domain.places import geonames
from domain.places.city_index import City

WIDTH, HEIGHT = 640, 400
CELL = 34
"""Of the grid by which sites are gathered, in the drawing's units."""
MAX_NAMES = 14
MIN_SPAN = 0.00002
"""Of the world's width: some 800 m. Nearer than that, streets would be needed."""
_LIMIT = 85.0
_WORST = (EvseStatus.OUTOFORDER.value, EvseStatus.UNKNOWN.value, EvseStatus.INOPERATIVE.value)
_CHAR, _LINE = 6.6, 15.0


@dataclass(frozen=True)
class Box:
    """In degrees. `text` is what it is called in an address."""

    south: float
    west: float
    north: float
    east: float

    @property
    def text(self) -> str:
        return ",".join(f"{value:.5f}" for value in (self.south, self.west, self.north, self.east))

    @classmethod
    def of(cls, text: str) -> Box | None:
        """None: that is no box."""
        try:
            south, west, north, east = (float(part) for part in text.split(","))
        except ValueError:
            return None
        if not (-90 <= south <= north <= 90 and -180 <= west <= east <= 180):
            return None
        return cls(south, west, north, east)

    def holds(self, latitude: float, longitude: float) -> bool:
        return self.south <= latitude <= self.north and self.west <= longitude <= self.east


@dataclass(frozen=True)
class Circle:
    """`key`: of the one location that it is; else `box` is where its sites are."""

    x: float
    y: float
    r: float
    number: int
    state: str | None
    said: str
    key: str | None
    box: str | None


@dataclass(frozen=True)
class Name:
    x: float
    y: float
    text: str


@dataclass(frozen=True)
class SiteMap:
    circles: Sequence[Circle]
    names: Sequence[Name]
    number: int
    states: dict[str, int]
    """sites by their worst state, those in trouble alone, the worst first"""
    km: float
    """from left to right, in its middle"""
    tiles: Sequence[Tile] = ()
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class Town:
    """With its place on the projection, each from 0 to 1."""

    name: str
    x: float
    y: float


class Towns:
    """Those that a map may name, the largest first. Kept as columns: the world has 34,000, which as
    objects would be 10 MB of a server's memory."""

    def __init__(self, cities: Iterable[City]) -> None:
        self._x, self._y, sizes = array("d"), array("d"), array("q")
        self._names, self._ends = bytearray(), array("L", [0])
        for city in cities:
            x, y = _on_map(city.latitude, city.longitude)
            self._x.append(x)
            self._y.append(y)
            sizes.append(city.population)
            self._names += city.name.encode()
            self._ends.append(len(self._names))
        self._order = array("L", sorted(range(len(sizes)), key=sizes.__getitem__, reverse=True))

    def within(self, left: float, top: float, right: float, bottom: float) -> Iterator[Town]:
        """Those in a part of the projection."""
        for nth in self._order:
            x, y = self._x[nth], self._y[nth]
            if left < x < right and top < y < bottom:
                yield Town(self._names[self._ends[nth] : self._ends[nth + 1]].decode(), x, y)


def towns_of_the_world() -> Towns:
    # City by city: whole, all of them would take several times as much memory.
    return Towns(geonames.cities().all())


def drawn(
    sites: Iterable[Site], box: Box | None, towns: Towns | None, tiles: MapTiles | None = None
) -> SiteMap | None:
    """The sites in the box (None: all of them), with names of `towns` where no `tiles` have them.
    None: there is none. Of 20,000 sites: some 50 ms."""
    shown = [
        site
        for site in sites
        if box is None or box.holds(site.place.latitude, site.place.longitude)
    ]
    if not shown:
        return None
    at = [_on_map(site.place.latitude, site.place.longitude) for site in shown]
    view = _View.around(at)
    cells: dict[tuple[int, int], list[int]] = {}
    for nth, (x, y) in enumerate(at):
        px, py = view.point(x, y)
        cells.setdefault((int(px // CELL), int(py // CELL)), []).append(nth)
    circles = [
        _circle([shown[nth] for nth in members], [view.point(*at[nth]) for nth in members])
        for members in cells.values()
    ]
    # Trouble lies on top.
    circles.sort(key=lambda one: (one.state is not None, -one.number))
    in_trouble = Counter(site.state for site in shown if site.state is not None)
    states = {state: in_trouble[state] for state in _WORST if state in in_trouble}
    middle = math.atan(math.sinh(math.pi * (1 - 2 * (view.top + view.height / 2))))
    return SiteMap(
        circles=circles,
        names=[] if tiles or towns is None else _names(towns, view),
        number=len(shown),
        states=states,
        km=40_075 * view.width * math.cos(middle),
        tiles=[*tiles.under(view.left, view.top, view.width, WIDTH, HEIGHT)] if tiles else (),
    )


@dataclass(frozen=True)
class _View:
    """A part of the projection with the drawing's proportions."""

    left: float
    top: float
    width: float
    height: float

    @classmethod
    def around(cls, points: Sequence[tuple[float, float]]) -> _View:
        xs, ys = [x for x, _ in points], [y for _, y in points]
        width = max(max(xs) - min(xs), MIN_SPAN) * 1.16
        height = max(max(ys) - min(ys), MIN_SPAN * HEIGHT / WIDTH) * 1.16
        width = max(width, height * WIDTH / HEIGHT)
        height = width * HEIGHT / WIDTH
        middle_x, middle_y = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2
        return cls(middle_x - width / 2, middle_y - height / 2, width, height)

    def point(self, x: float, y: float) -> tuple[float, float]:
        return (x - self.left) / self.width * WIDTH, (y - self.top) / self.height * HEIGHT


def _on_map(latitude: float, longitude: float) -> tuple[float, float]:
    """From 0 to 1: eastwards, and southwards."""
    phi = math.radians(max(-_LIMIT, min(_LIMIT, latitude)))
    return (longitude + 180) / 360, (1 - math.asinh(math.tan(phi)) / math.pi) / 2


def _circle(members: Sequence[Site], points: Sequence[tuple[float, float]]) -> Circle:
    state = next((state for state in _WORST if any(m.state == state for m in members)), None)
    number = len(members)
    places = [member.place for member in members]
    key = places[0].key if number == 1 else None
    box = Box(
        min(place.latitude for place in places) - 1e-5,
        min(place.longitude for place in places) - 1e-5,
        max(place.latitude for place in places) + 1e-5,
        max(place.longitude for place in places) + 1e-5,
    )
    return Circle(
        x=round(sum(x for x, _ in points) / number, 1),
        y=round(sum(y for _, y in points) / number, 1),
        r=5.0 if number == 1 else round(min(CELL / 2, 8 + 2.4 * math.log2(number)), 1),
        number=number,
        state=state,
        said=_said(members, state),
        key=key,
        box=None if key else box.text,
    )


def _said(members: Sequence[Site], state: str | None) -> str:
    name = members[0].place.name
    if len(members) == 1:
        return f"{name}: {state or 'no trouble'}"
    troubled = sum(member.state is not None for member in members)
    if not troubled:
        return f"{len(members)} sites, no trouble: {name} and others"
    worst = next(member for member in members if member.state == state)
    return f"{len(members)} sites, {troubled} in trouble: {worst.place.name} {state}"


def _names(towns: Towns, view: _View) -> list[Name]:
    """The largest that are in sight and do not run into each other."""
    found: list[Name] = []
    right, bottom = view.left + view.width, view.top + view.height
    for one in towns.within(view.left, view.top, right, bottom):
        x, y = view.point(one.x, one.y)
        width = len(one.name) * _CHAR
        x = min(max(x, width / 2 + 4), WIDTH - width / 2 - 4)
        # Above the town: a site is where the town is.
        y = min(max(y - 12, _LINE), HEIGHT - 6)
        if all(
            abs(x - other.x) > (width + len(other.text) * _CHAR) / 2 + 8
            or abs(y - other.y) > _LINE * 1.6
            for other in found
        ):
            found.append(Name(round(x, 1), round(y, 1), one.name))
            if len(found) == MAX_NAMES:
                break
    return found
