"""Every page of the console, found by its links: within three clicks, and barred to nobody."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from fastapi.routing import APIRoute
from playwright.sync_api import Browser

from domain.events import stream
from domain.events.marks import Touched, mark_again
from domain.exchanges.document import Bounds
from domain.exchanges.exchange import Direction, Subject
from domain.exchanges.recorder import Recorder, Rules
from tests.browser.axe import violations
from tests.browser.desk import Desk
from tests.cpo_app.console.conftest import own_night
from tests.cpo_app.console.ocpp_box import let_it_talk
from tests.cpo_app.console.worlds import EVIL, PASSWORD, VAULT, Night, Visit
from tests.domain.exchanges.samples import seen
from tests.serving import served

__all__ = ["own_night"]
pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

CLICKS = 3
_NO_PAGES = (
    "/login",
    "/ocpi",
    "/metrics",
    "/console/static",
    "/console/station-files",
    "/console/events",
)
_AFTER_A_FORM = {
    "/console/made",
    "/console/peers/{peer_id}/token",
    "/console/charge-points/{cp_id}/token",
}
_SEARCH = "/console/search?q=CP-0"
"""No link leads there: its field stands on every page."""
_AS_PEERS_GET_IT = "/console/objects/"
"""A thing's JSON: a click behind the thing."""
_LITTLE = "/console/notices"
_ALIASES = {"/console", "/console/{rest:path}"}
_LINKS = """links => links.map(link =>
  [link.getAttribute("href").split("#")[0], link.closest("details.menu") ? 2 : 1])"""
"""Where they lead, and how many clicks it takes: a menu has to be opened first."""


@pytest.fixture
def house(own_night: Night) -> Iterator[tuple[Visit, str]]:
    """The night with everything that a page is about, served."""
    night = own_night
    recorder = Recorder(night.db, Rules(True, Bounds(16_000, 1_000)), VAULT.digest)
    recorder.take(
        seen(
            direction=Direction.OUT,
            method="PUT",
            url=f"https://peer.example/sessions/NL/EVC/{night.running}",
            subject=Subject(night.peer_id, "sessions"),
            status=500,
            request={"id": night.running, "note": EVIL},
            response=EVIL.encode(),
        )
    )
    night.loop.run(recorder.write())
    let_it_talk(night)
    night.loop.run(stream.register(night.db, "kafka:9092"))
    night.loop.run(mark_again(night.db, [Touched("locations", "nl/evc/loc1")]))
    stream.look_again(night.db)
    visit = night.visit()
    asked = visit.submit("/console/charge-points/CP-001/unlock", connector_id="1")
    assert asked.status_code == 303, asked.text
    with served(visit.app, night.loop) as base:
        yield visit, base


def test_every_page_is_near_and_bars_nobody(house: tuple[Visit, str], browser: Browser) -> None:
    visit, base = house
    pages = _Pages(visit)
    desk = Desk(browser, base)
    desk.page.goto("/login")
    found = violations(desk.page)
    desk.sign_in("admin", PASSWORD)

    near: dict[str, int] = {}
    links = [(0, "/"), (1, _SEARCH)]
    while links:
        clicks, link = heapq.heappop(links)
        kind = pages.kind(link)
        if not kind or kind in near:
            continue
        near[kind] = clicks
        desk.page.goto(link)
        for target, more in desk.page.eval_on_selector_all("a[href^='/']", _LINKS):
            heapq.heappush(links, (clicks + more, target))
        found += violations(desk.page)
    # The menus are every page's: where there is least beside them, they are looked at soonest.
    desk.page.goto(_LITTLE)
    for menu in desk.page.locator("details.menu").all():
        menu.locator("summary").click()
        found += violations(desk.page, within="details.menu[open]")
    desk.close()

    assert not found, "\n".join(_one_of_each(found))
    assert desk.problems == []
    assert pages.patterns - {kind.partition(" ")[0] for kind in near} == _AFTER_A_FORM
    far = [kind for kind, clicks in near.items() if clicks > CLICKS]
    assert [kind for kind in far if not kind.startswith(_AS_PEERS_GET_IT)] == []


def _one_of_each(found: list[str]) -> list[str]:
    """What every page has is told once: by what follows its address."""
    return [*{line.partition(" ")[2]: line for line in reversed(found)}.values()][::-1]


class _Pages:
    """What the console answers with pages, by the pattern of the address."""

    def __init__(self, visit: Visit) -> None:
        self._routes = [
            route
            for route in visit.app.routes
            if isinstance(route, APIRoute)
            and "GET" in route.methods
            and not route.path.startswith(_NO_PAGES)
            and not route.path.endswith((".har", ".csv"))
            and route.path not in _ALIASES
        ]

    @property
    def patterns(self) -> set[str]:
        return {route.path for route in self._routes}

    def kind(self, link: str) -> str:
        """Pages of one kind look alike: the pattern, for objects the module, for a charge point
        whether it charges, and whether something is looked for. Empty: it is no page."""
        address = urlsplit(link)
        for route in self._routes:
            found = route.path_regex.match(address.path)
            if found:
                named = found.groupdict()
                which = named.get("module", "") or str(named.get("cp_id") == "CP-001")
                return f"{route.path} {which}{'?' if address.query and 'key=' not in link else ''}"
        return ""
