"""A peer's page: what waits for it in words, what happened to it, and its switches; invitations."""

from __future__ import annotations

import html
import re

from domain.exchanges.exchange import EXCHANGES, Exchange, first_id
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
    assert "we asked it: PUT sessions HTTP 503" in events and "peers.register" in events
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
