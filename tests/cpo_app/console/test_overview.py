"""The first page: what it says leads to where it is found, and what is found there is no scan."""

from __future__ import annotations

import asyncio
import html
import re
from typing import Any

import pytest

from cpo_app.console import site_map
from domain.charge_points.charge_point_documents import CHARGE_POINTS
from domain.charge_points.registration_store import REGISTRATIONS
from domain.notices.matters import MATTERS
from tests.cpo_app.console.worlds import Night

DAY = "2025-05-05"


def part(text: str, name: str) -> str:
    return text[text.index(f'id="{name}"') :].partition("</section>")[0]


def links_of(text: str) -> list[tuple[str, str]]:
    """(href, words)."""
    return [
        (html.unescape(href), html.unescape(words))
        for href, words in re.findall(r'<a href="([^"]+)">([^<]+)</a>', text)
    ]


def test_red_and_grey_lines_lead_to_pages_that_are_there(night: Night) -> None:
    visit = night.visit()
    text = visit.get("/").text
    red, _, grey = part(text, "verdict").partition("Planned, or over:")
    said = {words: href for href, words in links_of(red)}
    assert said["1 charge point out of order"] == "/console/charge-points?status=OUTOFORDER"
    assert said["1 charge point silent"] == "/console/charge-points?status=UNKNOWN"
    assert said["1 session ended without a bill"] == "/console/money"
    assert any("push is 59 min behind" in words for words in said)
    assert "is here within seconds" in html.unescape(part(text, "hands"))
    quiet = [words for _, words in links_of(grey)]
    assert quiet[:2] == ["1 charge point out of service", "1 charge point has never come"]
    assert re.search(rf"<title>\({len(said)}\) Overview", text)
    for href, words in links_of(red + grey):
        if href.startswith("#"):
            assert f'id="{href[1:]}"' in text, words
        else:
            assert visit.get(href).status_code == 200, words


def test_days_are_charts_whose_rows_lead_to_their_lists(night: Night) -> None:
    visit = night.visit()
    for _ in range(30):  # days that were never added up come a few at a time
        month = part(visit.get("/").text, "month")
        if "being added up" not in month:
            break
    assert month.count('<figure class="chart">') == 4
    assert month.count('class="chart-bar"') == 3 * 30
    hrefs = {href for href, _ in links_of(month)}
    today = f"?from={DAY}&to=2025-05-06"
    assert {f"/console/cdrs{today}", f"/console/sessions{today}"} <= hrefs
    assert visit.get(f"/console/cdrs{today}").status_code == 200


def test_the_map_leads_to_sites_and_its_parts_are_pages(night: Night) -> None:
    visit = night.visit()
    drawn = part(visit.get("/").text, "map")
    leads = [
        html.unescape(href) for href in re.findall(r'class="map-site[^>]*href="([^"]+)"', drawn)
    ]
    assert leads
    for href in (*leads, "/console/map", "/console/map?box=50,3,54,8"):
        assert visit.get(href).status_code == 200, href
    assert visit.get("/console/map?box=50,3,54").status_code == 404
    assert visit.get("/console/map?box=0,0,1,1").text.count("No location with coordinates") == 2


def test_requests_do_not_wait_while_a_map_is_drawn(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[object] = []
    draw = site_map.drawn

    def noted(*given: Any) -> Any:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        drawn.append(draw(*given))
        return drawn[-1]

    monkeypatch.setattr(site_map, "drawn", noted)
    assert night.visit().get("/console/map").status_code == 200
    assert len(drawn) == 1


def test_what_happened_last_is_told_newest_first(night: Night) -> None:
    events = part(night.visit().get("/").text, "events")
    moments = re.findall(r'<time datetime="([^"]+)"', events)
    assert len(moments) > 5
    assert moments == sorted(moments, reverse=True)
    assert "was AVAILABLE" in events


def test_thousand_charge_points_out_of_order_are_one_line(own_night: Night) -> None:
    night, visit = own_night, own_night.visit()
    thousand = [f"CP-T{n:04}" for n in range(1000)]

    async def all_fail() -> None:
        one_registered = await REGISTRATIONS.of(night.db).find_one({"_id": "CP-BAD"})
        one_faulty = await CHARGE_POINTS.of(night.db).find_one({"_id": "CP-BAD"})
        assert one_registered is not None
        assert one_faulty is not None
        await REGISTRATIONS.of(night.db).insert_many(
            [{**one_registered, "_id": cp_id, "folded_id": cp_id.lower()} for cp_id in thousand]
        )
        await CHARGE_POINTS.of(night.db).insert_many(
            [{**one_faulty, "_id": cp_id} for cp_id in thousand]
        )
        # Told one by one, as they came one by one.
        await MATTERS.of(night.db).insert_many(
            [
                {
                    "_id": f"charge_point_faulty {cp_id}",
                    "kind": "charge_point_faulty",
                    "subject": cp_id,
                    "place": None,
                    "open": True,
                    "opened": night.at(n),
                    "said": f"charge point {cp_id} is out of order",
                    "do": "",
                    "number": 1,
                    "told_number": 1,
                    "flaps": 0,
                }
                for n, cp_id in enumerate(thousand)
            ]
        )

    night.loop.run(all_fail())
    text = visit.get("/").text
    red = dict(links_of(part(text, "verdict").partition("Planned, or over:")[0]))
    of_status = "/console/charge-points?status=OUTOFORDER"
    assert red[of_status] == "1\u202f001 charge points out of order"
    assert links_of(part(text, "hands")) == [
        (of_status, "1000 charge points are out of order"),
        ("/console/notices", "All notices, each by itself"),
    ]
    assert 'id="trouble"' not in text  # no table of them
    assert len(text) < 60_000
    others = text.replace(
        part(text, "events"), ""
    )  # the newest of them are among the newest events
    assert not any(cp_id in others for cp_id in thousand)
