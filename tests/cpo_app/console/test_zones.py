"""Whose time a page is in: charts, days and filters go by the same zone as its times."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from starlette.requests import Request

from cpo_app.console.zones import UTC, Zones
from domain.listing.filters import BadFilter
from tests.cpo_app.console.test_overview import part
from tests.cpo_app.console.worlds import Night, Visit


def asked(cookie: str = "", query: str = "") -> Request:
    headers = [(b"cookie", f"cpo_zone={cookie}".encode())] if cookie else []
    return Request({"type": "http", "headers": headers, "query_string": query.encode()})


def test_the_operators_zone_goes_before_the_browsers_and_that_before_utc() -> None:
    assert Zones("Europe/Berlin").of(asked("Asia/Tokyo")).key == "Europe/Berlin"
    assert Zones("Europe/Berlin").to_be_named(asked("Asia/Tokyo")) == ""
    assert Zones("").of(asked("Asia/Tokyo")).key == "Asia/Tokyo"
    assert Zones("").to_be_named(asked("Asia/Tokyo")) == "Asia/Tokyo"
    assert Zones("").of(asked()) is UTC
    assert Zones("").to_be_named(asked()) == ""


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/localtime", "Mars/Olympus", "Europe"])
def test_what_is_no_zone_counts_for_nothing(name: str) -> None:
    zones = Zones("")
    assert zones.of(asked(name)) is UTC
    assert zones.to_be_named(asked(query=f"zone={name}")) == ""
    with pytest.raises(BadFilter, match="zone: is no time zone such as"):
        zones.of_list(asked(query=f"zone={name}"))


def look(visit: Visit, path: str, zone: str = "") -> Any:
    return visit.get(path, headers={"Cookie": f"cpo_zone={zone}"} if zone else {})


def test_days_charts_and_their_links_go_by_the_browsers_zone(night: Night) -> None:
    visit = night.visit()
    assert "2025-05-05, UTC" in part(visit.get("/").text, "today")
    page = look(visit, "/", "Asia/Tokyo").text  # midnight has just gone by there
    assert "2025-05-06, Asia/Tokyo" in part(page, "today")
    assert "times in Asia/Tokyo" in part(page, "month")
    hrefs = {html.unescape(one) for one in re.findall(r'<a href="([^"]+)"', part(page, "month"))}
    of_today = "/console/sessions?from=2025-05-06&to=2025-05-07&zone=Asia%2FTokyo"
    assert of_today in hrefs


def test_a_link_to_a_list_shows_a_colleague_elsewhere_the_same(night: Night) -> None:
    visit = night.visit()
    day = "/console/sessions?from=2025-05-05&to=2025-05-06"
    mine = look(visit, day, "America/Los_Angeles").text  # until 07:00 UTC on the 6th
    assert "From (America/Los_Angeles)" in mine
    assert '<input type="hidden" name="zone" value="America/Los_Angeles">' in mine
    named = f"{day}&zone=America/Los_Angeles"
    csv = html.unescape(re.findall(r'href="(/console/sessions\.csv[^"]*)"', mine)[0])
    assert "zone=America%2FLos_Angeles" in csv
    theirs = look(visit, named, "Asia/Tokyo").text
    assert part(theirs, "table") == part(mine, "table")
    assert "From (America/Los_Angeles)" in theirs
    assert look(visit, day, "Asia/Tokyo").text.count("From (Asia/Tokyo)") == 1
    wrong = visit.get(f"{day}&zone=Mars/Olympus")
    assert (wrong.status_code, "zone: is no time zone" in wrong.text) == (400, True)


def test_without_a_time_in_it_an_address_names_no_zone(night: Night) -> None:
    page = look(night.visit(), "/console/charge-points?status=OUTOFORDER", "Asia/Tokyo").text
    assert "&amp;zone=" not in page
