"""Lists on the console: pages that are walked by their links, the same as CSV, what cannot be."""

from __future__ import annotations

import csv
import html
import io
import re

import pytest

from cpo_app.console import lists
from domain.listing import listing
from domain.operator.alike import together
from domain.operator.money import Entry
from domain.operators.actor import Role
from tests.cpo_app.console.test_roles import visit_of
from tests.cpo_app.console.worlds import NOW, Night, Visit

LISTS = (
    *("/console/charge-points", "/console/stations", "/console/sessions", "/console/cdrs"),
    *("/console/locations", "/console/tokens", "/console/commands", "/console/reservations"),
    *("/audit", "/console/exchanges"),
)


def walked(visit: Visit, path: str, pattern: str) -> list[str]:
    """What the pattern finds on this page and all that its links to the next ones lead to."""
    found: list[str] = []
    pages = 0
    following: str | None = path
    while following is not None:
        answer = visit.get(following)
        assert answer.status_code == 200, following
        found += re.findall(pattern, answer.text)
        link = re.search(r'rel="next" href="([^"]+)"', answer.text)
        following = None if link is None else html.unescape(link[1])
        pages += 1
        assert pages < 20
    return found


def in_csv(visit: Visit, path: str, column: str) -> list[str]:
    answer = visit.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    return [row[column] for row in csv.DictReader(io.StringIO(answer.text, newline=""))]


@pytest.mark.parametrize(
    ("path", "query", "pattern", "column"),
    [
        ("/console/charge-points", query, r'"Charge point"><a[^>]+>([^<]+)', "charge_point")
        for query in ("", "?status=UNKNOWN", "?q=CP-S", "?sort=-id", "?status=UNKNOWN&sort=-id")
    ]
    + [
        ("/console/sessions", "?sort=oldest", r'"Session"[^>]*><a[^>]+>([^<]+)', "session_id"),
        ("/console/locations", "", r'"Location"[^>]*><a[^>]+>([^<]+)', "id"),
    ],
)
def test_all_pages_together_are_what_the_csv_has(
    night: Night,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    query: str,
    pattern: str,
    column: str,
) -> None:
    monkeypatch.setattr(lists, "PAGE", 1)
    monkeypatch.setattr(listing, "AT_ONCE", 2)
    visit = visit_of(night, Role.VIEWER)
    shown = walked(visit, f"{path}{query}", pattern)
    assert shown and len(shown) == len(set(shown))
    assert in_csv(visit, f"{path}.csv{query}", column) == shown


def test_tariffs_are_all_in_their_csv(night: Night) -> None:
    visit = night.visit()
    assert 'href="/console/tariffs.csv"' in visit.get("/console/tariffs").text
    assert in_csv(visit, "/console/tariffs.csv", "id") == ["T1"]


def test_what_strangers_wrote_is_no_formula(own_night: Night) -> None:
    own_night.register("CP-FORMULA", "=HYPERLINK(1)")
    places = in_csv(own_night.visit(), "/console/charge-points.csv?q=CP-F", "place")
    assert places == ["'=HYPERLINK(1)"]


def test_an_address_that_cannot_be_names_what_is_wrong(night: Night) -> None:
    visit = night.visit()
    for path in LISTS:
        for kind in ("", ".csv"):
            for query, said in (("stauts=x", "stauts: is no filter"), ("sort=x", "sort: is none")):
                answer = visit.get(f"{path}{kind}?{query}")
                assert answer.status_code == 400, path
                assert said in answer.text and answer.text.count("<main") == 1
        wrong = visit.get(f"{path}?cursor=x")
        assert wrong.status_code == 400 and "cursor: is none that we gave out" in wrong.text
        # A form sends what was left empty, too.
        name = re.findall(r'<(?:input|select) name="(\w+)"', visit.get(path).text)[0]
        assert visit.get(f"{path}?{name}=").status_code == 200, path


def test_exchanges_are_no_csv_for_viewers(night: Night) -> None:
    visit = visit_of(night, Role.VIEWER)
    assert visit.get("/console/exchanges.csv").status_code == 403
    assert visit.get("/audit.csv").status_code == 200


def test_a_thousand_alike_are_one_line() -> None:
    def entry(number: int, why: str) -> Entry:
        return Entry("held", f"S-{number}", "CP-1", "1", NOW, 100.0, why, "do")

    many = [entry(n, f"{n}.5 kWh are more than its connector can give") for n in range(1000)]
    groups = together([*many, entry(1001, "no card was shown")])
    assert [(one.number, one.energy_wh) for one in groups] == [(1000, 100_000.0), (1, 100.0)]
