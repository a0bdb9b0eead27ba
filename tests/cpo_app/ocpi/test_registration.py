"""Credentials as receiver: what a peer that registers, updates or leaves finds.

The audit suite holds the answers that it shares with the library; here stand those about our
store: nothing half-done, exactly one winner, the operator's word kept.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from starlette.responses import RedirectResponse, Response

from auth.credentials_header import encoded
from db_interface.database import Database
from domain.peers.statuses import BLOCKED, SUSPENDED
from tests.conftest import Loop
from tests.cpo_app.ocpi.conftest import Face, MakeFace, PeerSide
from tests.peers.emsp import Answer, Emsp, emsp_on, envelope, never
from tests.peers.subjects import assert_refused, data_of
from tests.serving import free_port


def post(face: Face, token: str, body: Any, method: str = "POST") -> httpx.Response:
    headers = {"Authorization": encoded(token)}
    return httpx.request(method, face.module("credentials"), json=body, headers=headers, timeout=20)


def registered(face: Face, emsp: Emsp) -> PeerSide:
    """The eMSP after a whole handshake over HTTP."""
    peer_id, token_a = face.invite()
    return PeerSide(face, peer_id, data_of(post(face, token_a, emsp.credentials()))["token"])


def stored(face: Face, db: Database) -> list[dict[str, Any]]:
    """The peers' documents, but for what is counted and told: last seen, last error, failures."""

    async def read() -> list[dict[str, Any]]:
        return (
            await db["peers"]
            .find({}, {"last_seen": 0, "last_error": 0, "failed_handshakes": 0})
            .to_list(None)
        )

    return face.loop.run(read())


def test_a_handshake_stores_all_that_we_need(face: Face, emsp: Emsp) -> None:
    peer = registered(face, emsp)
    now = face.loop.run(face.peers.get(peer.peer_id))
    assert now.status == "connected"
    assert now.parties == ["de*tnm"]
    assert now.version == "2.2.1"
    assert now.versions_url == emsp.versions_url
    assert now.version_url == f"{emsp.base_url}/details"
    assert now.endpoint("locations", "RECEIVER") == f"{emsp.base_url}/locations"
    assert face.peers.their_token(now) == emsp.token


def test_get_shows_our_credentials_for_this_peer(face: Face, peer: PeerSide) -> None:
    assert data_of(peer.get("credentials")) == {
        "token": peer.token,
        "url": f"{face.ocpi}/versions",
        "roles": [
            {
                "role": "CPO",
                "business_details": {"name": "OCPI CPO backend"},
                "party_id": "CPO",
                "country_code": "DE",
            }
        ],
    }


def broken(path: str, answer: Answer, code: int) -> Any:
    return pytest.param(path, answer, code, id=f"{path} {code}")


@pytest.mark.parametrize(
    ("path", "answer", "code"),
    [
        broken("/versions", Response("<html>", media_type="text/html"), 3001),
        broken("/versions", envelope({"version": "2.2.1"}), 3001),
        broken("/versions", envelope([{"version": "2.2.1"}]), 3001),
        broken("/versions", envelope(None, 3000), 3001),
        broken("/versions", envelope([], 1000, 401), 3001),
        broken("/versions", envelope([]), 3002),
        broken("/versions", envelope([{"version": "2.1.1", "url": "https://x.example"}]), 3002),
        broken("/details", Response(status_code=503), 3001),
        broken("/details", envelope([]), 3001),
        broken("/details", envelope({"version": "2.2.1", "endpoints": []}), 3003),
        broken("/versions", never(), 3001),
        broken("/details", never(), 3001),
    ],
)
def test_a_failed_handshake_leaves_everything_as_it_was(
    make_face: MakeFace, db: Database, emsp: Emsp, path: str, answer: Answer, code: int
) -> None:
    face = make_face(CPO_PEER_TIMEOUT_S=0.3)
    _, token_a = face.invite()
    before = stored(face, db)
    emsp.answers["GET", path] = answer
    refused = post(face, token_a, emsp.credentials())
    assert_refused(refused, code)
    assert emsp.token not in refused.text
    assert stored(face, db) == before
    # When the peer has mended its side, the same invitation works.
    emsp.answers.clear()
    assert data_of(post(face, token_a, emsp.credentials()))["token"]


def test_a_redirect_to_elsewhere_is_not_followed(face: Face, emsp: Emsp, loop: Loop) -> None:
    with emsp_on(loop) as elsewhere:
        emsp.answers["GET", "/versions"] = RedirectResponse(elsewhere.versions_url)
        _, token_a = face.invite()
        assert_refused(post(face, token_a, emsp.credentials()), 3001)
        assert elsewhere.seen == []


def test_of_two_registrations_with_one_invitation_one_wins(
    face: Face, emsp: Emsp, db: Database
) -> None:
    _, token_a = face.invite()
    both_arrived = asyncio.Event()

    async def details() -> Response:
        if len(emsp.asked("GET", "/details")) == 2:
            both_arrived.set()
        await both_arrived.wait()
        rows = [{"identifier": "credentials", "role": "SENDER", "url": f"{emsp.base_url}/c"}]
        return envelope({"version": "2.2.1", "endpoints": rows})

    emsp.answers["GET", "/details"] = details
    with ThreadPoolExecutor(2) as pool:
        tries = [pool.submit(post, face, token_a, emsp.credentials()) for _ in range(2)]
        answers = sorted((one.result() for one in tries), key=lambda one: one.status_code)
    token = data_of(answers[0])["token"]
    assert_refused(answers[1], 2000, 405)
    (peer,) = stored(face, db)
    assert [entry["kind"] for entry in peer["token_hashes"]] == ["A", "C"]
    assert PeerSide(face, peer["_id"], token).get("locations").status_code == 200


def test_delete_ends_the_registration_at_once(face: Face, emsp: Emsp) -> None:
    peer = registered(face, emsp)
    assert data_of(peer.request("DELETE", "credentials")) is None
    assert_refused(peer.get("locations"), 2000, 401)
    assert_refused(peer.request("DELETE", "credentials"), 2000, 401)
    gone = face.loop.run(face.peers.get(peer.peer_id))
    assert "their_token" not in gone.document and "token_hashes" not in gone.document


def test_what_may_be_done_instead_is_named_with_405(face: Face, emsp: Emsp) -> None:
    peer = registered(face, emsp)
    refused = peer.post("credentials", json=emsp.credentials())
    assert_refused(refused, 2000, 405)
    assert refused.headers["allow"] == "DELETE, GET, PUT"


def test_a_party_of_ours_cannot_be_registered_by_a_peer(face: Face, emsp: Emsp) -> None:
    _, token_a = face.invite()
    role = {**emsp.credentials()["roles"][0], "role": "CPO", "party_id": "cpo"}
    assert_refused(post(face, token_a, emsp.credentials(roles=[role])), 2001)
    assert emsp.seen == []


def test_a_role_cannot_stand_twice(face: Face, emsp: Emsp) -> None:
    _, token_a = face.invite()
    role = emsp.credentials()["roles"][0]
    roles = [role, {**role, "country_code": "de"}]
    assert_refused(post(face, token_a, emsp.credentials(roles=roles)), 2001)


def test_new_credentials_do_not_lift_a_suspension(face: Face, emsp: Emsp, db: Database) -> None:
    peer = registered(face, emsp)
    suspend(face, db, peer.peer_id, SUSPENDED)
    emsp.token = "the-next-token-of-the-emsp-4711"
    token = data_of(peer.put("credentials", json=emsp.credentials()))["token"]
    after = face.loop.run(face.peers.get(peer.peer_id))
    assert after.status == SUSPENDED
    assert face.peers.their_token(after) == emsp.token
    # Suspended means that nothing is pushed; pulling goes on.
    assert PeerSide(face, peer.peer_id, token).get("locations").status_code == 200


def test_a_blocked_peer_is_refused_everything(face: Face, peer: PeerSide, db: Database) -> None:
    suspend(face, db, peer.peer_id, BLOCKED)
    for path in (f"{face.ocpi}/versions", "credentials", "locations"):
        assert_refused(peer.get(path), 2000, 401)


def suspend(face: Face, db: Database, peer_id: str, status: str) -> None:
    async def write() -> None:
        await db["peers"].update_one({"_id": peer_id}, {"$set": {"status": status}})

    face.loop.run(write())
    face.authenticator.forget()


def test_a_put_that_fails_keeps_the_old_registration(face: Face, emsp: Emsp, db: Database) -> None:
    peer = registered(face, emsp)
    peer.get("locations")  # the invitation ends with the token's first use
    before = stored(face, db)
    emsp.answers["GET", "/versions"] = Response(status_code=500)
    refused = peer.put("credentials", json=emsp.credentials(token="never-to-be-kept-token-12"))
    assert_refused(refused, 3001)
    assert stored(face, db) == before
    assert peer.get("locations").status_code == 200


def test_raw_tokens_are_a_quirk_of_single_peers(face: Face, peer: PeerSide) -> None:
    raw = {"Authorization": f"Token {peer.token}"}
    url = face.module("locations")
    refused = httpx.get(url, headers=raw)
    assert_refused(refused, 2000, 401)
    assert "sent in Base64" in refused.json()["status_message"]
    unknown = {"Authorization": encoded("token-that-nobody-knows")}
    assert "Base64" not in httpx.get(url, headers=unknown).json()["status_message"]
    quirks = {"raw_token": True}

    async def allow() -> None:
        now = (await face.peers.get(peer.peer_id)).document["created"]
        await face.peers.set(peer.peer_id, now, quirks=quirks)

    face.loop.run(allow())
    face.authenticator.forget()
    assert httpx.get(url, headers=raw).status_code == 200
    assert peer.get("locations").status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/versions",
        "https://127.0.0.1:{port}/versions",
        "https://localhost:{port}/versions",
        "https://[::1]:{port}/versions",
        "https://2130706433:{port}/versions",
        "https://10.0.0.1/versions",
        "https://192.168.1.1/versions",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:127.0.0.1]:{port}/versions",
    ],
)
def test_an_inner_address_is_never_asked(make_face: MakeFace, emsp: Emsp, url: str) -> None:
    face = make_face(CPO_ALLOW_PRIVATE_URLS=False)
    _, token_a = face.invite()
    inner = url.format(port=emsp.base_url.rsplit(":", 1)[1])
    assert_refused(post(face, token_a, emsp.credentials(url=inner)), 3001)
    assert emsp.seen == []


def test_nobody_there_is_found_out_in_time(make_face: MakeFace, emsp: Emsp) -> None:
    face = make_face(CPO_PEER_TIMEOUT_S=0.3)
    _, token_a = face.invite()
    started = time.monotonic()
    url = f"http://127.0.0.1:{free_port()}/versions"
    assert_refused(post(face, token_a, emsp.credentials(url=url)), 3001)
    assert time.monotonic() - started < 5
