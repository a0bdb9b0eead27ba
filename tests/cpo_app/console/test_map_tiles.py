"""Tiles under the map: which of them, where, and whom the page may ask for them: nobody else."""

from __future__ import annotations

import html
import re

import pytest

from cpo_app.console.map_tiles import MapTiles
from cpo_app.console.rendering import POLICY
from cpo_app.console.site_map import HEIGHT, WIDTH, Box, Towns, drawn
from tests.cpo_app.console.test_site_map import site, town
from tests.cpo_app.console.worlds import Night
from tests.settings_of import settings_of

TILES = MapTiles(
    "https://Tiles.example:8443/{z}/{x}/{y}.png?key=K",
    "© Mappers <b>& friends</b> https://mappers.example/copyright",
)


def test_no_setting_no_tile_and_no_other_host(night: Night) -> None:
    assert settings_of().CPO_MAP_TILES == ""
    for path in ("/", "/console/map"):
        page = night.visit().get(path)
        assert "<image" not in page.text
        assert page.headers["Content-Security-Policy"] == POLICY


def test_tiles_need_somebody_to_be_named() -> None:
    with pytest.raises(ValueError, match="CPO_MAP_ATTRIBUTION") as refusal:
        settings_of(CPO_MAP_TILES="https://tiles.example/{z}/{x}/{y}.png")
    assert "say whose map it is" in str(refusal.value)


def test_pages_with_a_map_may_fetch_images_of_that_host_and_all_others_not(night: Night) -> None:
    visit = night.visit(tiles=TILES)
    for path in ("/", "/console/map"):
        page = visit.get(path)
        shown = re.findall(r'<image [^>]*href="([^"]+)"', page.text)
        assert shown
        for href in shown:
            assert re.fullmatch(
                r"https://Tiles\.example:8443/\d+/\d+/\d+\.png\?key=K", html.unescape(href)
            )
        assert page.headers["Content-Security-Policy"] == POLICY.replace(
            "img-src 'self'", "img-src 'self' https://tiles.example:8443"
        )
        assert page.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
        assert 'href="https://mappers.example/copyright"' in page.text
        assert "© Mappers &lt;b&gt;&amp; friends&lt;/b&gt;</a>" in page.text
        assert "map-name" not in page.text

    elsewhere = visit.get("/console/charge-points")
    assert elsewhere.headers["Content-Security-Policy"] == POLICY
    assert elsewhere.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "places", [[(52.5, 13.4)], [(59.9, 10.7), (41.9, 12.5)], [(-17.7, 177.9), (-13.8, -171.8)]]
)
def test_few_tiles_cover_the_whole_drawing(places: list[tuple[float, float]]) -> None:
    made = drawn([site(str(n), *at) for n, at in enumerate(places)], None, None, TILES)
    assert made is not None
    assert 2 <= len(made.tiles) <= 40
    sizes = {tile.size for tile in made.tiles}
    assert len(sizes) == 1
    assert WIDTH / 6 < sizes.pop() < WIDTH / 2
    for x in (1, WIDTH / 2, WIDTH - 1):
        for y in (1, HEIGHT / 2, HEIGHT - 1):
            assert any(
                tile.x <= x <= tile.x + tile.size and tile.y <= y <= tile.y + tile.size
                for tile in made.tiles
            )


def test_a_tile_lies_where_its_ground_is() -> None:
    """Greenwich's meridian and the equator meet at the corner of four tiles."""
    made = drawn([site("a", -2, -3), site("b", 2, 3)], Box(-5, -5, 5, 5), None, TILES)
    assert made is not None
    at = {tile.href.split("/", 3)[3].partition(".")[0]: (tile.x, tile.y) for tile in made.tiles}
    assert at["8/128/128"] == (WIDTH / 2, HEIGHT / 2)


def test_beyond_the_date_line_the_world_goes_on() -> None:
    made = drawn([site("Fiji", -17.7, 177.9), site("Nadi", -17.5, 179.99)], None, None, TILES)
    assert made is not None
    columns = {int(tile.href.split("/")[4]) for tile in made.tiles}
    zoom = int(made.tiles[0].href.split("/")[3])
    assert {0, 2**zoom - 1} <= columns
    assert max(columns) < 2**zoom


def test_towns_are_named_where_no_tile_does() -> None:
    sites, towns = [site("a", 50, 8), site("b", 52, 12)], Towns([town("Large", 51, 10)])
    plain, tiled = drawn(sites, None, towns), drawn(sites, None, towns, TILES)
    assert plain is not None
    assert tiled is not None
    assert ([name.text for name in plain.names], tiled.names) == (["Large"], [])
