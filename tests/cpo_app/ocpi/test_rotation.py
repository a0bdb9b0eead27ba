"""New tokens in either direction: nobody is ever locked out."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
from starlette.responses import Response

from auth.credentials_header import encoded
from db_interface.database import Database
from domain.errors import OcpiError
from domain.peers.peer import Peer
from tests.cpo_app.ocpi.conftest import Face, MakeFace, PeerSide
from tests.cpo_app.ocpi.test_registration import registered
from tests.peers.emsp import Emsp, envelope
from tests.peers.subjects import data_of


def opens(face: Face, token: str) -> bool:
    """Whether the token opens a functional module."""
    headers = {"Authorization": encoded(token)}
    status = httpx.get(face.module("locations"), headers=headers).status_code
    assert status in (200, 401)
    return status == 200


def put(peer: PeerSide, emsp: Emsp) -> str:
    return data_of(peer.put("credentials", json=emsp.credentials()))["token"]


# --- the peer rotates ---------------------------------------------------------------------


def test_old_and_new_work_until_the_new_one_is_used(face: Face, emsp: Emsp) -> None:
    peer = registered(face, emsp)
    new = put(peer, emsp)
    assert opens(face, peer.token)
    assert opens(face, peer.token)
    assert opens(face, new)
    assert not opens(face, peer.token)
    assert opens(face, new)


def test_the_old_token_ends_with_the_grace_time(face: Face, emsp: Emsp, db: Database) -> None:
    peer = registered(face, emsp)
    new = put(peer, emsp)
    past = datetime.now(timezone.utc) - timedelta(seconds=1)

    async def let_time_pass() -> None:
        await db["peers"].update_one(
            {"_id": peer.peer_id, "token_hashes.until": {"$exists": True}},
            {"$set": {"token_hashes.$.until": past}},
        )

    face.loop.run(let_time_pass())
    face.authenticator.forget()
    assert not opens(face, peer.token)
    assert opens(face, new)


def test_without_grace_the_old_token_ends_at_once(make_face: MakeFace, emsp: Emsp) -> None:
    face = make_face(CPO_ROTATION_GRACE_S=0)
    peer = registered(face, emsp)
    new = put(peer, emsp)
    assert not opens(face, peer.token)
    assert opens(face, new)


def test_of_two_updates_at_once_both_answers_are_good(face: Face, emsp: Emsp) -> None:
    peer = registered(face, emsp)
    emsp.seen.clear()
    both_arrived = asyncio.Event()

    async def versions() -> Response:
        if len(emsp.asked("GET", "/versions")) == 2:
            both_arrived.set()
        await both_arrived.wait()
        return envelope([{"version": "2.2.1", "url": f"{emsp.base_url}/details"}])

    emsp.answers["GET", "/versions"] = versions
    with ThreadPoolExecutor(2) as pool:
        tokens = [one.result() for one in [pool.submit(put, peer, emsp) for _ in range(2)]]
    hashes = face.loop.run(face.peers.get(peer.peer_id)).document["token_hashes"]
    assert len(hashes) == 3
    # Whichever the peer keeps, it gets in with it: the one replaced works until the other is used.
    replaced = [entry["hash"] for entry in hashes if "until" in entry]
    tokens.sort(key=lambda token: face.peers._vault.digest(token) not in replaced)
    assert [opens(face, token) for token in tokens] == [True, True]


# --- we rotate ----------------------------------------------------------------------------


def rotate(face: Face, peer_id: str) -> Peer:
    return face.loop.run(face.renewal.rotate(peer_id))


def test_our_rotation_changes_both_tokens(face: Face, emsp: Emsp) -> None:
    peer = registered(face, emsp)
    old_of_theirs, emsp.token = emsp.token, "the-next-token-of-the-emsp-4711"
    rotate(face, peer.peer_id)
    (sent,) = emsp.asked("PUT", "/credentials")
    assert sent.token == old_of_theirs
    assert sent.json()["token"] == emsp.token_for_us
    assert face.peers.their_token(face.loop.run(face.peers.get(peer.peer_id))) == emsp.token
    assert emsp.token_for_us is not None
    assert opens(face, peer.token)
    assert opens(face, emsp.token_for_us)
    assert not opens(face, peer.token)


def test_the_peer_may_call_with_either_token_while_we_rotate(face: Face, emsp: Emsp) -> None:
    peer = registered(face, emsp)
    status: list[int] = []

    async def call_back() -> Response:
        new = emsp.asked("PUT", "/credentials")[0].json()["token"]
        async with httpx.AsyncClient() as client:
            for token in (peer.token, new, peer.token):
                answer = await client.get(
                    f"{face.ocpi}/versions", headers={"Authorization": encoded(token)}
                )
                status.append(answer.status_code)
        emsp.token_for_us = new
        return envelope(emsp.credentials())

    emsp.answers["PUT", "/credentials"] = call_back
    rotate(face, peer.peer_id)
    assert status == [200, 200, 200]
    assert emsp.token_for_us is not None and opens(face, emsp.token_for_us)


@pytest.mark.parametrize(
    "answer",
    [
        Response(status_code=502),
        Response("<html>", media_type="text/html"),
        envelope({"token": "no roles, no url"}),
    ],
)
def test_when_the_answer_is_lost_or_bad_the_old_pair_stays(
    face: Face, emsp: Emsp, answer: Response
) -> None:
    peer = registered(face, emsp)
    theirs, emsp.token = emsp.token, "a-token-that-we-never-hear-of-1"
    emsp.answers["PUT", "/credentials"] = answer
    with pytest.raises(OcpiError):
        rotate(face, peer.peer_id)
    now = face.loop.run(face.peers.get(peer.peer_id))
    assert face.peers.their_token(now) == theirs
    assert now.last_error is not None and now.last_error["text"].startswith("rotation: ")
    assert now.status == "connected"
    # The peer may have taken our new token over, or not: it gets in either way, and for good.
    new = emsp.asked("PUT", "/credentials")[0].json()["token"]
    assert [opens(face, token) for token in (new, peer.token, new, peer.token)] == [True] * 4
    hashes: list[dict[str, Any]] = face.loop.run(face.peers.get(peer.peer_id)).document[  # type: ignore[assignment]
        "token_hashes"
    ]
    assert not any("until" in entry for entry in hashes)


@pytest.mark.parametrize("answer", [envelope(None, 2000), envelope(None, 2000, 405)])
def test_when_the_peer_refuses_our_new_token_ends(face: Face, emsp: Emsp, answer: Response) -> None:
    peer = registered(face, emsp)
    emsp.answers["PUT", "/credentials"] = answer
    with pytest.raises(OcpiError):
        rotate(face, peer.peer_id)
    new = emsp.asked("PUT", "/credentials")[0].json()["token"]
    assert not opens(face, new)
    assert opens(face, peer.token)


def test_after_a_failed_rotation_the_next_one_works(face: Face, emsp: Emsp) -> None:
    peer = registered(face, emsp)
    emsp.answers["PUT", "/credentials"] = Response(status_code=502)
    with pytest.raises(OcpiError):
        rotate(face, peer.peer_id)
    emsp.answers.clear()
    assert rotate(face, peer.peer_id).last_error is None
    assert emsp.token_for_us is not None and opens(face, emsp.token_for_us)
    assert not opens(face, peer.token)


def test_our_rotation_goes_well_with_an_unfinished_one_of_the_peer(face: Face, emsp: Emsp) -> None:
    peer = registered(face, emsp)
    second = put(peer, emsp)

    async def use_the_second_token() -> Response:
        third = emsp.asked("PUT", "/credentials")[0].json()["token"]
        async with httpx.AsyncClient() as client:
            for token in (second, third):
                headers = {"Authorization": encoded(token)}
                assert (await client.get(f"{face.ocpi}/versions", headers=headers)).is_success
        emsp.token_for_us = third
        return envelope(emsp.credentials())

    emsp.answers["PUT", "/credentials"] = use_the_second_token
    rotate(face, peer.peer_id)
    assert not opens(face, peer.token)
    assert opens(face, second)
    assert emsp.token_for_us is not None and opens(face, emsp.token_for_us)
    assert not opens(face, second)
