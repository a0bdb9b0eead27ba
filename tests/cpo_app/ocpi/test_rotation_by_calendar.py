"""Tokens are exchanged by themselves when they are old enough, and only then."""

from __future__ import annotations

import pytest
from starlette.responses import Response

from cpo_app.ocpi.peer_services.token_rotation import TokenRotation
from domain.peers import switches
from domain.peers.peers import ROTATED_AGAIN_AFTER
from tests.clock import Clock
from tests.cpo_app.ocpi.conftest import Face
from tests.cpo_app.ocpi.test_registration import registered
from tests.peers.emsp import Emsp

DAY = 86_400.0


@pytest.fixture
def clock(face: Face, monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(face.store.db, "clock", clock)
    return clock


def rotations(face: Face, emsp: Emsp, days: float = 30) -> int:
    """How many the eMSP has been asked for after a round."""
    face.loop.run(TokenRotation(face.peers, face.renewal, days).round())
    return len(emsp.asked("PUT", "/credentials"))


def an_hour_passes(face: Face) -> None:
    async def pass_() -> None:
        peers = face.store.db["peers"]
        await peers.update_many({}, [{"$set": {"rotation_due": "$$NOW"}}])

    face.loop.run(pass_())


def test_a_token_is_rotated_at_its_age_and_not_before(face: Face, emsp: Emsp, clock: Clock) -> None:
    registered(face, emsp).get("locations")
    clock.advance(29 * DAY)
    assert rotations(face, emsp) == 0
    clock.advance(2 * DAY)
    assert rotations(face, emsp, days=0) == 0

    assert rotations(face, emsp) == 1

    an_hour_passes(face)
    assert rotations(face, emsp) == 1
    clock.advance(31 * DAY)
    assert rotations(face, emsp) == 2


def test_one_that_fails_is_shown_and_tried_again_after_a_while(
    face: Face, emsp: Emsp, clock: Clock
) -> None:
    peer = registered(face, emsp)
    peer.get("locations")
    clock.advance(31 * DAY)
    emsp.answers["PUT", "/credentials"] = Response(status_code=500)

    assert rotations(face, emsp) == 1
    assert rotations(face, emsp) == 1  # its turn is not over, whoever asks
    kept = face.loop.run(face.peers.get(peer.peer_id))
    assert kept.last_error is not None
    assert kept.last_error["text"].startswith("rotation: ")
    assert ROTATED_AGAIN_AFTER.total_seconds() == 3600

    del emsp.answers["PUT", "/credentials"]
    an_hour_passes(face)
    assert rotations(face, emsp) == 2
    assert peer.get("locations").status_code == 200


def test_a_suspended_peer_is_left_alone(face: Face, emsp: Emsp, clock: Clock) -> None:
    peer = registered(face, emsp)
    peer.get("locations")
    face.loop.run(switches.suspend(face.store, peer.peer_id))
    clock.advance(31 * DAY)

    assert rotations(face, emsp) == 0
