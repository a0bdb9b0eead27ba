"""We register with platforms of each version, and move a peer to another one."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import httpx
import pytest

from domain.errors import UnsupportedVersion
from domain.peers.offered_versions import SETTING
from domain.peers.peer import Peer
from domain.schemas import validate
from domain.versions import VERSIONS, ObjectKind, OcpiVersion
from tests.cpo_app.ocpi.conftest import Face, PeerSide, shown
from tests.peers.emsp import Emsp, envelope
from tests.peers.subjects import assert_refused

TOKEN_A = "token-a-that-the-emsp-gave-us-01"
LOWEST, *_, HIGHEST = VERSIONS


@pytest.fixture
def emsp(emsp: Emsp, version: OcpiVersion) -> Emsp:
    """An eMSP whose platform speaks the version, and takes no token in another form."""
    emsp.version = version.number
    return emsp


def connect(face: Face, emsp: Emsp) -> Peer:
    return face.loop.run(face.joining.connect(emsp.versions_url, TOKEN_A))


def others(version: OcpiVersion) -> tuple[str, ...]:
    return tuple(number for number in VERSIONS if number != version.number)


def refresh(face: Face, peer: Peer) -> Peer:
    return face.loop.run(face.renewal.refresh(peer.peer_id))


def test_we_register_in_the_version_of_the_platform(
    face: Face, emsp: Emsp, version: OcpiVersion
) -> None:
    peer = connect(face, emsp)
    assert (peer.status, peer.version, peer.parties) == ("connected", version.number, ["de*tnm"])
    assert peer.endpoint("tokens", "SENDER") == f"{emsp.base_url}/tokens"
    (post,) = emsp.asked("POST", "/credentials")
    sent = post.json()
    assert validate(version.models[ObjectKind.CREDENTIALS], sent) == sent
    assert post.headers["authorization"] == shown(TOKEN_A, version)
    assert emsp.seen[-1].headers["authorization"] == shown(emsp.token, version)
    ours = PeerSide(face, peer.peer_id, sent["token"], version)
    assert ours.get("locations").status_code == 200


def test_a_platform_that_knows_no_token_of_another_form_is_asked_again(
    face: Face, emsp: Emsp, version: OcpiVersion
) -> None:
    async def strict() -> object:
        known = [shown(token, version) for token in (TOKEN_A, emsp.token)]
        right = emsp.seen[-1].headers["authorization"] in known
        rows = [{"version": version.number, "url": f"{emsp.base_url}/details"}]
        return envelope(rows) if right else envelope(None, 2001, 401)

    emsp.answers["GET", "/versions"] = strict  # type: ignore[assignment]
    assert connect(face, emsp).status == "connected"


def test_of_several_versions_the_highest_is_taken(
    face: Face, emsp: Emsp, version: OcpiVersion
) -> None:
    emsp.also = others(version)
    peer = connect(face, emsp)
    assert peer.version == HIGHEST
    below = "" if version.number == HIGHEST else f"/{HIGHEST}"
    assert [seen.path for seen in emsp.seen if "credentials" in seen.path] == [
        f"{below}/credentials"
    ]


def test_without_a_common_version_nothing_is_posted(face: Face, emsp: Emsp) -> None:
    emsp.version = "2.0"
    with pytest.raises(UnsupportedVersion, match=f"we speak {', '.join(VERSIONS)}, you 2.0"):
        connect(face, emsp)
    assert emsp.asked("POST", "/credentials") == []


def test_a_rotation_stays_in_the_version(face: Face, emsp: Emsp, version: OcpiVersion) -> None:
    peer = connect(face, emsp)
    emsp.also, emsp.token = others(version), "token-after-the-rotation-0123456"
    after = face.loop.run(face.renewal.rotate(peer.peer_id))
    assert after.version == version.number
    (put,) = emsp.asked("PUT", "/credentials")
    sent = put.json()
    assert validate(version.models[ObjectKind.CREDENTIALS], sent) == sent
    assert face.peers.their_token(after) == emsp.token


def test_a_refresh_moves_the_peer_to_the_highest_version_and_refuses_nothing_meanwhile(
    face: Face, emsp: Emsp, version: OcpiVersion
) -> None:
    peer = connect(face, emsp)
    old = PeerSide(face, peer.peer_id, str(emsp.token_for_us), version)
    if version.number != HIGHEST:
        emsp.also, emsp.token = (HIGHEST,), "token-of-the-newer-version-0123456"
    seen: list[int] = []

    async def answer_later() -> object:
        """Its other requests go on while our PUT is under way."""
        put = emsp.seen[-1].json()
        emsp.token_for_us = put["token"]
        new = PeerSide(face, peer.peer_id, put["token"], VERSIONS[HIGHEST])
        for side in (old, replace(old, version=VERSIONS[HIGHEST])):
            seen.append((await in_thread(side)).status_code)
        seen.append((await in_thread(new)).status_code)
        return envelope(VERSIONS[HIGHEST].render(ObjectKind.CREDENTIALS, emsp.credentials()).object)

    emsp.answers["PUT", f"/{HIGHEST}/credentials"] = answer_later  # type: ignore[assignment]
    moved = refresh(face, peer)

    if version.number == HIGHEST:
        assert (moved.version, seen) == (HIGHEST, [])
        return
    assert seen == [200, 200, 200]
    assert (moved.version, moved.status) == (HIGHEST, "connected")
    assert moved.endpoint("locations", "RECEIVER") == f"{emsp.base_url}/{HIGHEST}/locations"
    assert face.peers.their_token(moved) == emsp.token
    assert old.get("locations").status_code == 200, "what was on its way is answered"


def test_a_refresh_shows_the_token_first_as_the_peer_is_known_to_take_it(
    face: Face, emsp: Emsp, version: OcpiVersion
) -> None:
    peer = connect(face, emsp)
    emsp.seen.clear()
    assert refresh(face, peer).version == version.number
    (asked,) = emsp.asked("GET", "/versions")
    assert asked.headers["authorization"] == shown(emsp.token, version)


async def in_thread(side: PeerSide) -> httpx.Response:
    return await asyncio.to_thread(side.get, "locations")


def test_a_peer_moves_no_higher_than_it_is_offered(
    face: Face, emsp: Emsp, version: OcpiVersion
) -> None:
    peer = connect(face, emsp)
    settings = {**peer.settings, SETTING: [version.number]}
    face.loop.run(face.peers.set(peer.peer_id, face.peers.now(), settings=settings))
    emsp.also = others(version)
    assert refresh(face, peer).version == version.number
    assert [seen.path for seen in emsp.seen if seen.method == "PUT"] == []


def test_a_move_that_fails_leaves_everything_as_it_was(
    face: Face, emsp: Emsp, version: OcpiVersion
) -> None:
    peer = connect(face, emsp)
    old = PeerSide(face, peer.peer_id, str(emsp.token_for_us), version)
    emsp.also = (HIGHEST,) if version.number != HIGHEST else ()
    emsp.answers["PUT", f"/{HIGHEST}/credentials"] = envelope(None, 3000, 400)
    if version.number == HIGHEST:
        assert refresh(face, peer).version == HIGHEST
        return
    with pytest.raises(Exception, match="PUT credentials"):
        refresh(face, peer)
    after = face.loop.run(face.peers.get(peer.peer_id))
    assert (after.version, after.endpoints) == (version.number, peer.endpoints)
    assert face.peers.their_token(after) == emsp.token
    assert old.get("locations").status_code == 200
    refused = emsp.seen[-1].json()["token"]
    assert_refused(PeerSide(face, peer.peer_id, refused, version).get("locations"), 2000, 401)


def test_leaving_a_peer_is_said_as_its_version_wants(
    face: Face, emsp: Emsp, version: OcpiVersion
) -> None:
    peer = connect(face, emsp)
    assert face.loop.run(face.joining.unregister(peer.peer_id))
    (seen,) = emsp.asked("DELETE", "/credentials")
    assert seen.headers["authorization"] == shown(emsp.token, version)
