"""The page Notices: who is told, and the test that is sent from there."""

from __future__ import annotations

from domain.notices import matters
from domain.notices.gathering import Sighting
from domain.notices.troubles import Kind
from tests.cpo_app.console.worlds import EVIL, Night


def test_a_test_is_sent_and_what_came_of_it_is_said(own_night: Night) -> None:
    visit = own_night.visit()
    assert visit.submit("/console/notices/test").status_code == 409
    own_night.told_as_test = [("mail", None)]
    done = visit.submit("/console/notices/test")
    assert done.status_code == 303
    assert "Everybody has taken it." in visit.get(done.headers["location"]).text
    own_night.told_as_test = [("mail", None), ("webhook", "it answered HTTP 500")]
    done = visit.submit("/console/notices/test")
    assert "Not everybody has taken it." in visit.get(done.headers["location"]).text


def test_what_is_in_trouble_is_shown_and_nothing_of_it_is_html(own_night: Night) -> None:
    sighting = Sighting("peer_behind:p", Kind.PEER_BEHIND, f"peer {EVIL}", "look", subject="p")
    own_night.loop.run(own_night.store.transact(lambda tx: matters.seen(tx, sighting, [])))
    page = own_night.visit().get("/console/notices").text
    assert "peer &lt;script&gt;" in page and EVIL not in page
