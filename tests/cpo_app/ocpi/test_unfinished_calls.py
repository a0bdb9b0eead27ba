"""We register with a platform and die on the way: the next process finishes it or undoes it."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from auth.credentials_header import encoded
from cpo_app.ocpi.peer_services import joining
from cpo_app.ocpi.peer_services.unfinished_calls import UnfinishedCalls
from domain.outbox.crash_points import CALLING
from domain.peers.calls import GIVEN_UP_AFTER, TURN_S
from domain.peers.terms import ANY_PARTY
from tests.clock import Clock
from tests.cpo_app.ocpi.conftest import Face
from tests.peers.emsp import Emsp, envelope

TOKEN_A = "token-a-that-the-emsp-gave-us-01"


class Killed(BaseException):
    """As kill -9: no handler of the code's own sees it."""


Dies = Callable[[str], None]


@pytest.fixture
def dies(face: Face, emsp: Emsp, monkeypatch: pytest.MonkeyPatch) -> Dies:
    """Connect, and die at that place; its turn has passed then."""

    def connect(place: str) -> None:
        def crash_point(name: str) -> None:
            if name == place:
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(joining, "crash_point", crash_point)
            with pytest.raises(Killed):
                face.loop.run(
                    face.joining.connect(emsp.versions_url, TOKEN_A, "The eMSP", terms=ANY_PARTY)
                )
        assert rounds(face) == []  # whoever began it may still be at it
        its_turn_passes(face)

    return connect


def its_turn_passes(face: Face) -> None:
    async def end() -> None:
        peers = face.store.db["peers"]
        await peers.update_many({"call": {"$exists": True}}, [{"$set": {"call.until": "$$NOW"}}])

    face.loop.run(end())


def rounds(face: Face) -> list[str]:
    return face.loop.run(UnfinishedCalls(face.peers, face.joining).round())


def opens(face: Face, token: str) -> int:
    url = face.module("locations")
    return httpx.get(url, headers={"Authorization": encoded(token)}).status_code


@pytest.mark.parametrize("place", CALLING)
def test_killed_anywhere_it_is_finished(face: Face, emsp: Emsp, dies: Dies, place: str) -> None:
    dies(place)

    [said] = rounds(face)

    assert "is finished now" in said
    [peer] = face.loop.run(face.peers.all())
    assert (peer.status, peer.name, peer.parties) == ("connected", "The eMSP", ["de*tnm"])
    assert face.peers.their_token(peer) == emsp.token
    assert "call" not in peer.document
    given = {seen.json()["token"] for seen in emsp.asked("POST", "/credentials")}
    assert len(given) == 1
    assert opens(face, given.pop()) == 200
    assert rounds(face) == []


@pytest.mark.parametrize("place", CALLING[:2])
def test_a_platform_that_says_no_is_forgotten(
    face: Face, emsp: Emsp, dies: Dies, place: str
) -> None:
    dies(place)
    emsp.answers["POST", "/credentials"] = envelope(None, 2000, 405)

    [said] = rounds(face)

    assert "is undone" in said
    assert face.loop.run(face.peers.all()) == []
    token = emsp.asked("POST", "/credentials")[-1].json()["token"]
    assert opens(face, token) == 401


def test_one_that_cannot_be_reached_is_asked_for_an_hour(
    face: Face, emsp: Emsp, dies: Dies, monkeypatch: pytest.MonkeyPatch
) -> None:
    dies("peer-answer-kept")
    emsp.answers["GET", "/versions"] = envelope(None, 3000, 503)

    [said] = rounds(face)
    assert "tried again" in said
    [peer] = face.loop.run(face.peers.all())
    assert peer.last_error is not None

    clock = Clock()
    monkeypatch.setattr(face.store.db, "clock", clock)
    clock.advance(GIVEN_UP_AFTER.total_seconds() + TURN_S)
    its_turn_passes(face)
    [said] = rounds(face)

    assert "is undone" in said
    [told] = emsp.asked("DELETE", "/credentials")
    assert told.token == emsp.token
    assert face.loop.run(face.peers.all()) == []
