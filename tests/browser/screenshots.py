"""`make screenshots`: pictures of every page of a demonstration, at three widths, in both themes.

make screenshots                        all pages into build/screenshots
make screenshots ARGS="--docs"          those of the documents alone, into docs/pictures
make screenshots ARGS="--at URL --password-file FILE"    of a console that runs already
"""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, sync_playwright

from tests.browser.chromium import launched
from tests.browser.desk import Desk
from tests.e2e.processes import REPOSITORY, eventually, processes
from tests.serving import free_port

WIDTHS = (390, 1024, 1440)
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
OUT = REPOSITORY / "build" / "screenshots"
PICTURES = REPOSITORY / "docs" / "pictures"
MAX_PICTURE_BYTES = 150_000
_HREFS = "links => links.map(link => link.getAttribute('href').split('#')[0])"
_NO_PAGE = re.compile(r"^/(ocpi|metrics|logout)|\.(csv|har)(\?|$)|/station-files/|/static/")


@contextlib.contextmanager
def demonstration(minutes: float, charge_points: int) -> Iterator[tuple[str, str]]:
    """(address, the admin's password) of one that has run for a while."""
    port = free_port()
    with tempfile.TemporaryDirectory() as directory, processes(Path(directory)) as running:
        up = running.cpo(
            "up",
            "--demo",
            f"--port={port}",
            f"--registry-port={free_port()}",
            f"--charge-points={charge_points}",
            "--data-dir=data",
        )
        eventually(lambda: up.said("OCPI CPO backend is up"), 300, "the panel")
        print(f"{minutes:g} minutes for something to happen ...", flush=True)
        time.sleep(minutes * 60)
        yield (
            f"http://127.0.0.1:{port}",
            Path(directory, "data/admin.password").read_text().strip(),
        )
        up.stop(timeout_s=30)


def kind_of(link: str) -> str:
    """Pages of one kind look alike: where they are, but for what they are about."""
    address = urlsplit(link)
    first, *rest = address.path.removeprefix("/console").strip("/").split("/")
    if first == "objects":
        return "-".join((first, *rest))
    name = "-".join((first or "overview", *("one" for _ in rest[:1]), *rest[1:]))
    return f"{name}-looked-for" if set(parse_qs(address.query)) - {"sort", "order"} else name


def found(page: Page) -> dict[str, str]:
    """A page of every kind that links lead to."""
    near: dict[str, str] = {}
    links = ["/"]
    while links:
        link = links.pop(0)
        kind = kind_of(link)
        if kind in near or _NO_PAGE.search(link):
            continue
        near[kind] = link
        page.goto(link)
        links += page.eval_on_selector_all("a[href^='/']", _HREFS)
    return near


def take_all(desk: Desk, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for kind, link in found(desk.page).items():
        desk.page.goto(link)
        for theme in THEMES:
            desk.page.emulate_media(color_scheme=theme)
            for width in WIDTHS:
                desk.page.set_viewport_size({"width": width, "height": 900})
                desk.page.screenshot(path=out / f"{kind}.{width}.{theme}.png", full_page=True)
        print(kind, link, flush=True)


def take_for_documents(desk: Desk) -> None:
    """Small enough to be kept beside the text."""
    PICTURES.mkdir(exist_ok=True)
    page = desk.page
    page.set_viewport_size({"width": 1366, "height": 768})
    page.emulate_media(color_scheme="light")
    for name, open_it in _DOCUMENTS.items():
        page.goto("/")
        open_it(page)
        page.mouse.move(0, 0)
        picture = PICTURES / f"{name}.png"
        page.screenshot(path=picture)
        size = picture.stat().st_size
        print(picture.relative_to(REPOSITORY), size, flush=True)
        if size > MAX_PICTURE_BYTES:
            raise SystemExit(f"{picture} has more than {MAX_PICTURE_BYTES} bytes")


def _first(page: Page, listed: str, beginning: str) -> None:
    page.goto(listed)
    link = page.locator(f"main table a[href^='{beginning}']").first
    page.goto(str(link.get_attribute("href")))


_DOCUMENTS = {
    "console": lambda page: page.goto("/"),
    "session": lambda page: _first(page, "/console/sessions", "/console/sessions/"),
    "peer": lambda page: _first(page, "/console/peers", "/console/peers/"),
}


def main() -> None:
    given = argparse.ArgumentParser(prog="make screenshots")
    given.add_argument("--out", type=Path, default=OUT)
    given.add_argument("--docs", action="store_true", help="those of the documents alone")
    given.add_argument("--minutes", type=float, default=4, help="how long the demonstration runs")
    given.add_argument("--charge-points", type=int, default=8)
    given.add_argument("--at", metavar="URL", help="of a console that runs already")
    given.add_argument("--password-file", type=Path, help="of its admin")
    asked = given.parse_args()
    with contextlib.ExitStack() as open_things:
        playwright = open_things.enter_context(sync_playwright())
        browser = launched(playwright)
        if isinstance(browser, str):
            sys.exit(browser)
        if asked.at:
            base, password = asked.at, asked.password_file.read_text().strip()
        else:
            base, password = open_things.enter_context(
                demonstration(asked.minutes, asked.charge_points)
            )
        desk = Desk(browser, base)
        desk.sign_in("admin", password)
        if asked.docs:
            take_for_documents(desk)
        else:
            take_all(desk, asked.out)
        browser.close()


if __name__ == "__main__":
    main()
