"""What the pages show, and what they never show."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from cpo_app.console import list_pages, ocpi_objects
from cpo_app.console.rendering import POLICY
from cpo_app.console.timeline import timeline
from db_interface.interface import DbInterface
from domain.objects.cdrs import all_cdrs
from domain.reconciliation.cdr_totals import CdrTotal
from domain.sessions.credits import credit_cdr
from tests.cpo_app.console.worlds import EVIL, NOW, PAGES, Night


def test_every_page_is_there_in_order_and_says_nothing_secret(night: Night) -> None:
    visit = night.visit()
    paths = [
        *PAGES,
        f"/console/peers/{night.peer_id}",
        f"/console/objects/sessions?key=nl/evc/{night.running}",
    ]
    for path in paths:
        answer = visit.get(path)
        assert answer.status_code == 200, path
        assert answer.text.count("<main") == answer.text.count("</main>") == 1, path
        for secret in (*night.secrets, "engine.inner.example", "command_key", "CARD-1"):
            assert secret not in answer.text, path


@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        "q=%0a",
        "after=%00",
        "after=99999999999999999999999",
        "after=-1",
        "after=x",
        "held=%00",
        "status=NONE",
        "key=%00",
        "done=" + "x" * 40,
        "q=" + "x" * 70,
        "%00=1&q=%ff%00",
    ],
)
def test_an_address_that_cannot_be_is_a_page_that_says_so(
    night: Night, query: str, caplog: pytest.LogCaptureFixture
) -> None:
    visit = night.visit()
    understood = 0
    for path in sorted({page.partition("?")[0] for page in PAGES}):
        answer = visit.get(f"{path}?{query}")
        assert answer.status_code in (200, 400), (path, answer.status_code)
        assert answer.text.count("<main") == 1
        understood += answer.status_code == 200
    assert understood < len(PAGES)
    assert caplog.records == []


def test_text_of_strangers_is_only_text(night: Night) -> None:
    visit = night.visit()
    shown = 0
    for path in ("/", "/console/charge-points/CP-NEVER", f"/console/peers/{night.peer_id}"):
        text = visit.get(path).text
        assert EVIL not in text
        assert "<img" not in text
        # Our own script is the only one, and it comes from a file.
        assert re.findall(r"<script[^>]*>", text) == re.findall(
            r'<script src="/console[^>]*>', text
        )
        shown += text.count("&lt;script&gt;")
    assert shown >= 6


def test_every_answer_forbids_what_the_pages_do_not_need(night: Night) -> None:
    visit = night.visit()
    for path in ("/", "/console/peers", "/console/nope", "/console/peers/nobody"):
        headers = visit.get(path).headers
        assert headers["content-security-policy"] == POLICY
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
    assert "unsafe" not in POLICY and "http" not in POLICY


def test_no_page_needs_inline_style_or_script(night: Night) -> None:
    visit = night.visit()
    for path in PAGES:
        assert not re.search(r"\s(style|on[a-z]+)=\"|<style", visit.get(path).text), path


def test_the_overview_says_what_is_wrong_the_worst_first(night: Night) -> None:
    text = night.visit().get("/").text
    trouble = text[text.index('id="trouble"') : text.index('id="running"')]
    places = [trouble.index(cp_id) for cp_id in ("CP-BAD", "CP-SILENT", "CP-OFF", "CP-NEVER")]
    assert places == sorted(places)
    assert "HOT: &lt;script&gt;" in trouble
    assert "CP-001" not in trouble and "CP-GONE" not in trouble
    assert "never seen by EV_Central" in trouble and "by the operator" in trouble
    running = text[text.index('id="running"') : text.index('id="unbilled"')]
    assert "1.83\xa0kWh" in running and "11.0\xa0kW" in running and "DE/MSP" in running
    assert "S-UNBILLED" in text
    peers = text[text.index('id="peers"') : text.index('id="held"')]
    assert "push is 59 min behind" in peers and "HTTP 500" in peers
    held = text[text.index('id="held"') :].partition("</section>")[0]
    assert "CP-NEVER" in held and "CP-GONE" not in held


def test_the_numbers_on_the_overview_add_up(night: Night) -> None:
    text = night.visit().get("/").text
    rows = re.findall(r"<b>(\d+)</b><span>([^<]+)</span>", text)
    found = {name: int(number) for number, name in rows}
    assert found == {
        "charge points": 5,
        "CHARGING": 1,
        "AVAILABLE": 0,
        "BLOCKED": 0,
        "RESERVED": 0,
        "OUTOFORDER": 1,
        "UNKNOWN": 2,
        "INOPERATIVE": 1,
        "REMOVED": 1,
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["CP-001", "CP-BAD", "CP-GONE", "CP-NEVER", "CP-OFF", "CP-SILENT"]),
        ("?q=cp-b", ["CP-BAD"]),
        ("?q=.*", []),
        ("?q=amster", ["CP-001"]),
        ("?status=UNKNOWN", ["CP-NEVER", "CP-SILENT"]),
        ("?status=UNKNOWN&sort=-id", ["CP-SILENT", "CP-NEVER"]),
        ("?status=UNKNOWN&q=cp-s", ["CP-SILENT"]),
        ("?status=UNKNOWN&q=nowhere", ["CP-NEVER"]),
        ("?status=REMOVED", ["CP-GONE"]),
        ("?status=INOPERATIVE&held=true", []),
        ("?held=true", ["CP-NEVER"]),
    ],
)
def test_the_table_of_charge_points_is_filtered(
    night: Night, query: str, expected: list[str]
) -> None:
    text = night.visit().get(f"/console/charge-points{query}").text
    assert re.findall(r'<a class="id" href="/console/charge-points/([^"]+)"', text) == expected


def test_a_charge_point_in_detail(night: Night) -> None:
    text = night.visit().get("/console/charge-points/cp-001").text
    assert "11.00\xa0kW" in text and "1.830\xa0kWh" in text and night.running in text
    assert "connector 1 CHARGING" in text  # why its status changed
    assert "100.00 %" in text  # up since it was first known
    never = night.visit().get("/console/charge-points/CP-NEVER").text
    assert "held back: " in never and "never" in never


def test_what_is_not_there_is_a_page_that_says_so(night: Night) -> None:
    visit = night.visit()
    for path in (
        "/console/charge-points/CP-404",
        "/console/peers/peer-404",
        "/console/objects/peers?key=x",
        "/console/objects/locations?key=x",
        "/console/nope",
    ):
        answer = visit.get(path)
        assert (answer.status_code, "Not found" in answer.text) == (404, True), path
    assert visit.get("/console/locations?after=x").status_code == 400


def test_cdrs_are_listed_and_summed(night: Night) -> None:
    text = night.visit().get("/console/cdrs").text
    assert "7.30\xa0kWh" in text
    assert re.search(r"<b>3\.50 EUR</b><span>last 24 hours, with VAT</span>", text)
    assert "DE-MSP-C00000001-1" in text


def test_every_amount_says_whether_vat_is_in_it(night: Night) -> None:
    """In its cell or above its column."""
    visit = night.visit()
    cells = []
    for path in ("/", "/console/sessions", "/console/cdrs", "/console/tariffs"):
        text = visit.get(path).text
        cells += re.findall(r'<td data-label="((?:Cost|Price)[^"]*)"[^>]*>(.*?)</td>', text, re.S)
    amounts = [(label, cell) for label, cell in cells if re.search(r"\d", cell)]
    assert {label for label, _ in amounts} == {"Cost", "Price"}
    assert [one for one in amounts if "VAT" not in "".join(one)] == []


def test_a_credit_is_taken_off_the_totals(night: Night) -> None:
    async def credit() -> None:
        store = DbInterface(night.db)
        [cdr] = [cdr async for cdr in all_cdrs(store)]
        await credit_cdr(store, cdr["id"])

    night.loop.run(credit())
    text = night.visit().get("/console/cdrs").text
    totals = text.split('id="totals"')[1].split("</section>")[0]
    assert re.search(r"<b>0\.00 EUR</b><span>last 24 hours, with VAT</span>", totals)
    assert "2 CDRs (1 credits, taken off), 0.0\xa0kWh" in totals


def test_locations_are_found_by_id_and_by_city_in_any_case(night: Night) -> None:
    visit = night.visit()

    def found(query: str) -> list[str]:
        text = visit.get(f"/console/locations?{query}").text
        return re.findall(r"key=([^\"]+)\">", text)

    assert "nl%2Fevc%2Floc1" in found("q=LOC1")
    assert "nl%2Fevc%2Floc1" in found("q=AMSTERD")
    assert found("q=Xyz") == []
    assert found("held=true") == []


def test_the_pages_scan_no_collection(night: Night) -> None:
    """Through the profiler: what the server really did."""
    visit = night.visit()
    raw = night.db.client[night.db.name]

    async def profile(level: int) -> None:
        await raw.command("profile", level)

    night.loop.run(profile(2))
    for path in (*PAGES, f"/console/peers/{night.peer_id}", "/metrics"):
        assert visit.get(path).status_code == 200
    night.loop.run(profile(0))

    async def plans() -> set[tuple[Any, Any]]:
        rows = await raw["system.profile"].find({"planSummary": {"$exists": True}}).to_list(None)
        return {(row["ns"].split(".", 1)[1], row["planSummary"]) for row in rows}

    seen = night.loop.run(plans())
    assert len(seen) > 10
    assert not [row for row in seen if "COLLSCAN" in row[1]]


def test_a_timeline_covers_the_period_without_gaps() -> None:
    since = NOW - timedelta(hours=24)
    changes = [
        {"at": NOW - timedelta(hours=6), "from": "AVAILABLE", "to": "CHARGING"},
        {"at": NOW - timedelta(hours=12), "from": "UNKNOWN", "to": "AVAILABLE"},
    ]
    pieces = timeline(changes, since, NOW)
    assert [(p["status"], p["x"], p["width"]) for p in pieces] == [
        ("UNKNOWN", 0.0, 500.0),
        ("AVAILABLE", 500.0, 250.0),
        ("CHARGING", 750.0, 250.0),
    ]
    assert timeline([], since, NOW) == []
    first = [{"at": NOW - timedelta(hours=30), "from": None, "to": "AVAILABLE"}]
    assert [(p["x"], p["width"]) for p in timeline(first, since, NOW)] == [(0.0, 1000.0)]


def test_sums_of_many_cdrs_are_kept_for_a_moment(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_pages, "MANY_CDRS", 0)
    summed = []

    async def cdr_totals(db: object, since: object) -> tuple[list[CdrTotal], bool]:
        summed.append(since)
        return await really(night.db, NOW - timedelta(days=7))

    really = ocpi_objects.cdr_totals
    monkeypatch.setattr(ocpi_objects, "cdr_totals", cdr_totals)
    visit = night.visit()
    first, second = (visit.get("/console/cdrs").text for _ in range(2))
    assert "last 7 days, with VAT" in first and "last 7 days, with VAT" in second
    assert len(summed) == 2  # day and week, once
