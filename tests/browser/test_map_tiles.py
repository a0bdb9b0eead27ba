"""A map with tiles of another host: the browser fetches them there, and is kept from all others."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI, Request, Response
from playwright.sync_api import Browser, expect

from cpo_app.console.map_tiles import MapTiles
from tests.browser.axe import violations
from tests.browser.desk import Desk
from tests.cpo_app.console.conftest import own_night
from tests.cpo_app.console.worlds import PASSWORD, Night
from tests.serving import served

__all__ = ["own_night"]
pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mOsrq//DwAFNQJWTgwJrgAAAABJRU5ErkJggg=="
)

_KEPT_FROM = """src => new Promise((done) => {
  addEventListener("securitypolicyviolation", (event) => done(event.violatedDirective));
  const image = new Image();
  image.onload = () => done("shown");
  image.src = src;
})"""


@pytest.fixture
def asked() -> list[tuple[str, str | None]]:
    """(path, Referer) of what a browser wanted of the host of tiles."""
    return []


@pytest.fixture
def tiles(own_night: Night, asked: list[tuple[str, str | None]]) -> Iterator[str]:
    app = FastAPI()

    @app.get("/{rest:path}")
    async def tile(request: Request) -> Response:
        asked.append((request.url.path, request.headers.get("referer")))
        return Response(_PNG, media_type="image/png")

    with served(app, own_night.loop) as base:
        yield base


def test_tiles_lie_under_the_sites(
    own_night: Night, browser: Browser, tiles: str, asked: list[tuple[str, str | None]]
) -> None:
    visit = own_night.visit(tiles=MapTiles(tiles + "/{z}/{x}/{y}.png", "© Whoever drew it"))
    with served(visit.app, own_night.loop) as base:
        desk = Desk(browser, base)
        desk.hosts.add(urlsplit(tiles).netloc)
        desk.sign_in("admin", PASSWORD)
        desk.page.goto("/console/map")
        wanted = {
            str(one.get_attribute("href")).removeprefix(tiles)
            for one in desk.page.locator(".map-tiles image").all()
        }
        expect(desk.page.get_by_text("© Whoever drew it")).to_be_visible()
        assert wanted <= {path for path, _ in asked}
        assert {referer for _, referer in asked} == {base + "/"}
        assert violations(desk.page) == []
        assert desk.problems == []

        elsewhere = tiles.replace("127.0.0.1", "localhost") + "/elsewhere.png"
        assert desk.page.evaluate(_KEPT_FROM, elsewhere) == "img-src"
        assert "/elsewhere.png" not in {path for path, _ in asked}
        desk.close()
