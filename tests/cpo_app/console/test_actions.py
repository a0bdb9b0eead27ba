"""What the operator does on the console."""

from __future__ import annotations

import asyncio
import re

import pytest

from domain.peers.peers import Peers
from tests.cpo_app.console.worlds import VAULT, Night


@pytest.fixture
def night(own_night: Night) -> Night:
    return own_night


def status_of(night: Night) -> str:
    return night.loop.run(night.peers.get(night.peer_id)).status


def test_out_of_service_and_back(night: Night) -> None:
    visit = night.visit()
    path = "/console/charge-points/cp-001/operative"
    answer = visit.submit(path, operative="false")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/console/charge-points/CP-001?done=out-of-service"
    assert "Taken out of service" in visit.get(answer.headers["location"]).text
    assert visit.submit(path, operative="true").status_code == 303
    assert night.asked == [("CP-001", False), ("CP-001", True)]
    assert visit.submit(path, operative="maybe").status_code == 400
    assert (
        visit.submit("/console/charge-points/CP-404/operative", operative="true").status_code == 404
    )
    assert len(night.asked) == 2


def test_an_invitation_is_shown_once_and_opens_the_door(night: Night) -> None:
    visit = night.visit()
    answer = visit.submit("/console/peers", name="  New   eMSP ")
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert "https://cpo.example/ocpi/versions" in answer.text
    token = re.search(r"<code>([0-9a-f]{64})</code>", answer.text)
    assert token is not None
    found = night.loop.run(Peers(night.db, VAULT).by_token(token[1]))
    assert found is not None and (found[0].name, found[1]) == ("New eMSP", "A")
    for path in ("/", "/console/peers", f"/console/peers/{found[0].peer_id}"):
        assert token[1] not in visit.get(path).text


def test_a_peer_needs_a_readable_name(night: Night) -> None:
    visit = night.visit()
    before = len(night.loop.run(night.peers.all()))
    for name in ("", "   ", "x" * 101, "a\u202eb"):
        assert visit.submit("/console/peers", name=name).status_code == 400
    assert len(night.loop.run(night.peers.all())) == before


def test_a_peer_is_suspended_resumed_and_blocked(night: Night) -> None:
    visit = night.visit()
    for action, status in (("suspend", "suspended"), ("resume", "connected"), ("block", "blocked")):
        page = visit.get(f"/console/peers/{night.peer_id}").text
        assert f"/console/peers/{night.peer_id}/{action}" in page
        answer = visit.submit(f"/console/peers/{night.peer_id}/{action}")
        assert (answer.status_code, status_of(night)) == (303, status)


def test_what_is_not_possible_any_more_is_not_done(night: Night) -> None:
    visit = night.visit()
    visit.submit(f"/console/peers/{night.peer_id}/block")
    answer = visit.submit(f"/console/peers/{night.peer_id}/suspend")
    assert answer.headers["location"].endswith("?done=changed")
    assert "Not done" in visit.get(answer.headers["location"]).text
    assert status_of(night) == "blocked"
    assert visit.submit(f"/console/peers/{night.peer_id}/remove").status_code == 404
    assert visit.submit("/console/peers/peer-404/block").status_code == 404


def test_everything_is_sent_again(night: Night) -> None:
    visit = night.visit()
    answer = visit.submit(f"/console/peers/{night.peer_id}/resync")
    assert answer.headers["location"].endswith("?done=resync")

    async def resynced() -> None:
        while not night.resynced:
            await asyncio.sleep(0)

    night.loop.run(resynced(), 5)
    assert night.resynced == [night.peer_id]


def test_a_word_in_the_address_is_not_repeated(night: Night) -> None:
    text = night.visit().get("/console/charge-points/CP-001?done=<b>hello</b>").text
    assert "hello" not in text
