"""The page of open data: what the law still wants known of which EVSE, and what gives it."""

from __future__ import annotations

from domain.open_data.kept_completeness import LookingForGaps
from tests.cpo_app.console.worlds import Night

LINE = "what the law wants known (AFIR)"


def test_it_says_that_nothing_was_looked_at_yet(own_night: Night) -> None:
    page = own_night.visit().get("/console/open-data").text
    assert "It has not been looked at yet" in page and "CPO_OPEN_DATA=true" in page


def test_what_is_missing_stands_there_and_the_overview_leads_there(own_night: Night) -> None:
    night, visit = own_night, own_night.visit()
    night.loop.run(LookingForGaps(night.store, ["nl*evc"]).look())
    page = visit.get("/console/open-data").text
    assert "0 of 5 EVSEs complete" in page and "As of" in page
    assert "energy_mix" in page and "whether its electricity is all renewable" in page
    assert '/console/search?q=CP-001">CP-001</a>' in page

    assert LINE not in visit.get("/").text
    visit.settings.CPO_OPEN_DATA = True
    assert f'<a href="/console/open-data">5 published EVSEs lack {LINE}</a>' in visit.get("/").text
    assert "/open-data</a>" in visit.get("/console/open-data").text
