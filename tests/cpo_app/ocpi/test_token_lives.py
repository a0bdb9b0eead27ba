"""How long tokens live: an invitation ends, a replaced token only reads, and a lost answer locks
nobody out."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from domain.peers import switches
from domain.peers.peers import MAX_FAILED_HANDSHAKES
from tests.cpo_app.ocpi.conftest import ANYBODY, Face, PeerSide
from tests.cpo_app.ocpi.test_who_is_who import post, shake
from tests.peers.emsp import Emsp
from tests.peers.subjects import assert_refused, data_of


def test_a_registration_whose_answer_was_lost_is_asked_for_again(face: Face, emsp: Emsp) -> None:
    peer_id, token_a = face.invite()
    lost = data_of(post(face, token_a, emsp.credentials()))["token"]

    found = data_of(post(face, token_a, emsp.credentials()))["token"]

    assert_refused(PeerSide(face, peer_id, lost).get("locations"), 2000, 401)
    assert PeerSide(face, peer_id, found).get("locations").status_code == 200
    # Token C has been used: the invitation is over.
    assert_refused(post(face, token_a, emsp.credentials()), 2000, 401)


def test_an_invitation_ends_with_its_time(face: Face, emsp: Emsp) -> None:
    week_ago = face.peers.now() - timedelta(days=7, seconds=1)
    _, token_a = face.loop.run(face.peers.invite("Late", week_ago, ANYBODY))
    assert_refused(post(face, token_a, emsp.credentials()), 2000, 401)
    assert emsp.seen == []


def test_an_invitation_ends_after_too_many_failures(face: Face, emsp: Emsp) -> None:
    _, token_a = face.invite()
    emsp.answers["GET", "/versions"] = Response(status_code=500)
    for _ in range(MAX_FAILED_HANDSHAKES):
        assert_refused(post(face, token_a, emsp.credentials()), 3001)
    asked = len(emsp.seen)
    assert_refused(post(face, token_a, emsp.credentials()), 2000, 401)
    assert len(emsp.seen) == asked


def test_a_replaced_token_reads_and_does_nothing_else(face: Face, emsp: Emsp) -> None:
    old = shake(face, emsp, ANYBODY)
    old.get("locations")
    new = PeerSide(
        face, old.peer_id, data_of(old.put("credentials", json=emsp.credentials()))["token"]
    )
    assert old.get("locations").status_code == 200
    for method in ("PUT", "DELETE"):
        refused = old.request(method, "credentials", json=emsp.credentials())
        assert_refused(refused, 2000, 401)
    told = face.loop.run(face.peers.get(old.peer_id)).last_error
    assert told is not None and "replaced token of its was used" in told["text"]
    assert new.get("locations").status_code == 200
    assert_refused(old.get("locations"), 2000, 401)


def test_a_peer_that_sends_one_party_as_both_is_let_in_by_a_quirk(
    face: Face, peer: PeerSide
) -> None:
    both = {
        f"OCPI-{side}-{part}": value
        for side in ("to", "from")
        for part, value in (("country-code", "NL"), ("party-id", "MSP"))
    }
    assert peer.get("locations", headers=both).json()["status_code"] == 2001
    face.loop.run(switches.set_quirk(face.store, peer.peer_id, "ignore_routing", "on"))
    face.authenticator.forget()
    assert data_of(peer.get("locations", headers=both)) == []
