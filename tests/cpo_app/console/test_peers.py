"""A peer's page: what waits for it in words, what happened to it, and its switches; invitations."""

from __future__ import annotations

import html
import re
from datetime import timedelta

from domain.exchanges.exchange import EXCHANGES, Exchange, first_id
from domain.operator import peers
from domain.operator.peers import PeerRow
from domain.outbox.marks import MARKS
from domain.peers.peer_document import PEERS
from tests.cpo_app.console.worlds import Night, basic


def text_of(page: str, section: str) -> str:
    """The words of a section."""
    part = page[page.index(f'id="{section}"') :]
    plain = re.sub(r"<[^>]+>", " ", part[: part.index("</section>")])
    return re.sub(r"\s+", " ", html.unescape(plain))


def test_what_waits_is_said_in_words_and_what_happened_is_told(own_night: Night) -> None:
    night = own_night
    peer = night.peer_id

    async def exchanged() -> None:
        failed: Exchange = {
            "_id": first_id(night.at(1)),
            "at": night.at(1),
            "direction": "out",
            "peer_id": peer,
            "module": "sessions",
            "method": "PUT",
            "url": "https://msp.example/sessions/DE/CPO/S1",
            "status": 503,
            "ocpi_status": None,
            "outcome": "failed",
            "took_ms": 12.0,
            "objects": ["S1"],
            "keys": [f"out {peer} sessions", f"out {peer} sessions failed"],
        }
        await EXCHANGES.of(night.db).insert_one(failed)

    night.loop.run(exchanged())
    visit = night.visit()
    page = visit.get(f"/console/peers/{peer}").text
    assert re.search(r"\d+ (session|CDR|location)s?.* the oldest since ", text_of(page, "push"))
    events = text_of(page, "events")
    assert "we asked it: PUT sessions HTTP 503" in events and " registered" in events
    assert f"/console/exchanges/{first_id(night.at(1))}" in page
    assert "/console/exchanges?object=S1" in page
    assert "we send locations and their status" in text_of(page, "modules")


def test_a_quirk_is_switched_where_it_is_told(own_night: Night) -> None:
    visit = own_night.visit()
    page = f"/console/peers/{own_night.peer_id}"
    assert "Small changes are sent by PATCH." in visit.get(page).text
    done = visit.submit(f"{page}/quirk", name="no_patch", value="on")
    assert done.status_code == 303
    now = visit.get(done.headers["location"]).text
    assert "It takes no PATCH: what changes is sent whole, by PUT." in now and "Noted." in now


def test_an_invitation_comes_with_the_letter_to_send(own_night: Night) -> None:
    visit = own_night.visit()
    made = visit.submit("/console/peers", name="Roaming BV", parties="NL/TNM")
    page = visit.get(made.headers["location"]).text
    letter = re.search(r'<textarea id="letter"[^>]*>(.*?)</textarea>', page, re.S)
    token = re.search(r"<dt>Token A</dt><dd><code>([0-9a-f]{64})", page)
    assert letter is not None and token is not None
    said = html.unescape(letter[1])
    assert token[1] in said and "https://cpo.example/ocpi/versions" in said
    assert "We expect you as NL/TNM" in said and "The token is good until 20" in said
    again = visit.get(made.headers["location"])  # once
    assert again.status_code == 303 and token[1] not in again.text
    peer = visit.get(again.headers["location"]).text
    assert "the token is good until" in peer and token[1] not in peer


def test_a_viewer_sees_the_peer_and_can_do_nothing(own_night: Night) -> None:
    visit = own_night.visit()
    visit.submit("/console/operators", name="vic", role="viewer", password="a word of his own")
    vic = own_night.visit(signed_in=False)
    vic.http.headers.update(basic("a word of his own", "vic"))
    page = vic.get(f"/console/peers/{own_night.peer_id}").text
    assert 'id="push"' in page and 'id="quirks"' in page
    assert "<form" not in page[page.index("<main") :] and "/console/exchanges" not in page


def test_peers_that_have_left_are_looked_for_not_looked_at(own_night: Night) -> None:
    night = own_night

    async def leave() -> None:
        await PEERS.of(night.db).update_one(
            {"_id": night.peer_id}, {"$set": {"status": "disconnected"}}
        )

    night.loop.run(leave())
    visit = night.visit()
    usual = visit.get("/console/peers").text
    assert night.peer_id not in text_of(usual, "table") and "Invited" in text_of(usual, "table")
    assert 'href="/console/peers?status=disconnected"' in usual
    gone = text_of(visit.get("/console/peers?status=disconnected").text, "table")
    assert night.peer_id in gone and "Invited" not in gone
    assert visit.get("/console/peers?status=married").status_code == 400


def test_an_error_that_is_over_is_grey_wherever_the_peer_is_told_of(own_night: Night) -> None:
    """Fresh it is red everywhere: on the overview, in the table, on its page, for cpo doctor."""
    night = own_night

    async def it_takes_everything_and_had_an_error(minutes_ago: int) -> PeerRow:
        await MARKS.of(night.db).delete_many({})
        at = night.now - timedelta(minutes=minutes_ago)
        await night.peers.failed(night.peer_id, "HTTP 500", at)
        (row,) = await peers.table(night.db, night.now, statuses=["connected"])
        return row

    visit = night.visit()
    for minutes, red in ((5, True), (20, False)):
        row = night.loop.run(it_takes_everything_and_had_an_error(minutes))
        assert (row.trouble == ["HTTP 500"], row.recovered) == (red, not red)
        assert row.notes == ([] if red else ["over: HTTP 500 (14:40 UTC)"])
        pages = [visit.get(path).text for path in ("/console/peers", f"/console/peers/{row.id}")]
        assert all(("in trouble" in page) is red for page in pages)
        assert ("Peers in trouble 1 of" in text_of(visit.get("/").text, "peers")) is red
