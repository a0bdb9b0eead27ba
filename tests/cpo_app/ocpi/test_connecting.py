"""Credentials as sender: we register with a platform that invited us, re-read it, and part."""

from __future__ import annotations

import httpx
import pytest
from starlette.responses import Response

from auth.credentials_header import encoded
from domain.errors import NoMatchingEndpoints, OcpiError, UnableToUseClientApi, UnsupportedVersion
from domain.peers.peer import Peer
from domain.peers.peer_document import UnknownPeer
from tests.cpo_app.ocpi.conftest import Face
from tests.peers.emsp import Emsp, envelope

TOKEN_A = "token-a-that-the-emsp-gave-us-01"


def connect(face: Face, emsp: Emsp, name: str | None = None) -> Peer:
    return face.loop.run(face.joining.connect(emsp.versions_url, TOKEN_A, name))


def test_we_register_and_keep_what_comes_back(face: Face, emsp: Emsp) -> None:
    peer = connect(face, emsp)
    assert (peer.status, peer.name, peer.parties) == ("connected", "eMSP DE*TNM", ["de*tnm"])
    assert peer.endpoint("tokens", "SENDER") == f"{emsp.base_url}/tokens"
    assert face.peers.their_token(peer) == emsp.token
    # Token A up to the POST, the peer's new token from then on.
    assert [(seen.method, seen.path, seen.token) for seen in emsp.seen] == [
        ("GET", "/versions", TOKEN_A),
        ("GET", "/details", TOKEN_A),
        ("POST", "/credentials", TOKEN_A),
        ("GET", "/versions", emsp.token),
        ("GET", "/details", emsp.token),
    ]
    (post,) = emsp.asked("POST", "/credentials")
    sent = post.json()
    assert sent["url"] == f"{face.ocpi}/versions"
    assert [role["role"] for role in sent["roles"]] == ["CPO"]
    assert post.headers["content-type"] == "application/json"
    answer = httpx.get(face.module("locations"), headers={"Authorization": encoded(sent["token"])})
    assert answer.status_code == 200


def test_the_peer_can_read_our_versions_before_it_answers(face: Face, emsp: Emsp) -> None:
    status: list[int] = []

    async def as_the_text_says() -> Response:
        token = emsp.asked("POST", "/credentials")[0].json()["token"]
        async with httpx.AsyncClient(headers={"Authorization": encoded(token)}) as client:
            for url in (f"{face.ocpi}/versions", f"{face.ocpi}/2.2.1/details"):
                status.append((await client.get(url)).status_code)
        return envelope(emsp.credentials())

    emsp.answers["POST", "/credentials"] = as_the_text_says
    connect(face, emsp)
    assert status == [200, 200]


@pytest.mark.parametrize(
    "answer",
    [
        Response(status_code=500),
        Response("<html>", media_type="text/html"),
        envelope(None, 3001),
        envelope({"token": "incomplete"}),
        envelope(None, 2000, 401),
    ],
)
def test_when_the_peer_does_not_register_us_nothing_stays(
    face: Face, emsp: Emsp, answer: Response
) -> None:
    emsp.answers["POST", "/credentials"] = answer
    with pytest.raises(UnableToUseClientApi):
        connect(face, emsp)
    assert face.loop.run(face.peers.all()) == []
    token = emsp.asked("POST", "/credentials")[0].json()["token"]
    refused = httpx.get(f"{face.ocpi}/versions", headers={"Authorization": encoded(token)})
    assert refused.status_code == 401


def test_a_peer_without_our_version_or_endpoints_gets_no_post(face: Face, emsp: Emsp) -> None:
    emsp.version = "2.0"
    with pytest.raises(UnsupportedVersion):
        connect(face, emsp)
    emsp.version, emsp.endpoints = "2.2.1", {"tokens": "SENDER"}
    with pytest.raises(NoMatchingEndpoints):
        connect(face, emsp)
    assert emsp.asked("POST", "/credentials") == []


def test_a_registration_is_kept_though_the_endpoints_cannot_be_read_again(
    face: Face, emsp: Emsp
) -> None:
    async def then_break() -> Response:
        emsp.answers["GET", "/versions"] = Response(status_code=503)
        return envelope(emsp.credentials())

    emsp.answers["POST", "/credentials"] = then_break
    peer = connect(face, emsp)
    assert peer.status == "connected"
    assert peer.endpoint("tokens", "SENDER") == f"{emsp.base_url}/tokens"
    assert peer.last_error is not None and "could not be read again" in peer.last_error["text"]


def test_refresh_reads_the_endpoints_anew(face: Face, emsp: Emsp) -> None:
    peer = connect(face, emsp)
    emsp.endpoints = {"credentials": "SENDER", "locations": "RECEIVER"}
    after = face.loop.run(face.renewal.refresh(peer.peer_id))
    assert [row["identifier"] for row in after.endpoints] == ["credentials", "locations"]


def test_a_refresh_that_fails_changes_nothing_but_the_last_error(face: Face, emsp: Emsp) -> None:
    peer = connect(face, emsp)
    emsp.answers["GET", "/details"] = Response(status_code=500)
    with pytest.raises(OcpiError):
        face.loop.run(face.renewal.refresh(peer.peer_id))
    after = face.loop.run(face.peers.get(peer.peer_id))
    assert after.endpoints == peer.endpoints
    assert after.last_error is not None


@pytest.mark.parametrize("answer", [envelope(), Response(status_code=500)])
def test_parting_tells_the_peer_and_forgets_it(face: Face, emsp: Emsp, answer: Response) -> None:
    peer = connect(face, emsp)
    emsp.answers["DELETE", "/credentials"] = answer
    face.loop.run(face.joining.unregister(peer.peer_id))
    (told,) = emsp.asked("DELETE", "/credentials")
    assert told.token == emsp.token
    with pytest.raises(UnknownPeer):
        face.loop.run(face.peers.get(peer.peer_id))
