"""Tiles of the operator's choice under the map of the sites: which, where, of which host. Pure.

Squares of 256 pixels on Mercator's projection, as map servers hand them out everywhere: at zoom z
the world is 2^z tiles wide, counted from its north-west corner. The browser fetches them; of us
their host learns where this console is (the origin, which many ask for) and what is looked at.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

TILE_PX = 256
SHOWN_PX = 1000
"""How wide a map is on a page, by and large: a tile is shown at 0.7 to 1.4 times its size."""
_OVERLAP = 0.4
"""Of the drawing's units: no seam between neighbours."""


@dataclass(frozen=True)
class Tile:
    """In the drawing's units."""

    x: float
    y: float
    size: float
    href: str


@dataclass(frozen=True)
class MapTiles:
    """`template` holds {z}, {x} and {y}; `attribution` is what their provider wants to be said, and
    leads to the URL at its end, if one is there."""

    template: str
    attribution: str

    @property
    def origin(self) -> str:
        parts = urlsplit(self.template)
        return f"{parts.scheme}://{parts.netloc.lower()}"

    @property
    def attribution_text(self) -> str:
        return self.attribution.removesuffix(self.attribution_href or "").strip()

    @property
    def attribution_href(self) -> str | None:
        last = self.attribution.rpartition(" ")[2]
        return last if last.startswith(("https://", "http://")) else None

    def under(
        self, left: float, top: float, width: float, drawing_width: int, drawing_height: int
    ) -> Iterator[Tile]:
        """Those in sight of a drawing whose left upper corner is at (`left`, `top`) of the
        projection, and whose width is `width` of the world's."""
        zoom = max(0, round(math.log2(SHOWN_PX / TILE_PX / width)))
        number = 2**zoom
        unit = drawing_width / width / number
        height = width * drawing_height / drawing_width
        for row in range(
            max(0, math.floor(top * number)), min(number, math.ceil((top + height) * number))
        ):
            for column in range(
                math.floor(left * number), math.ceil((left + width) * number)
            ):  # beyond the date line the world goes on
                yield Tile(
                    x=round(column * unit - left / width * drawing_width, 2),
                    y=round(row * unit - top / width * drawing_width, 2),
                    size=round(unit + _OVERLAP, 2),
                    href=self._href(zoom, column % number, row),
                )

    def _href(self, zoom: int, column: int, row: int) -> str:
        places = {"{z}": zoom, "{x}": column, "{y}": row}
        href = self.template
        for name, value in places.items():
            href = href.replace(name, str(value))
        return href
