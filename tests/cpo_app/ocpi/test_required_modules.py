"""What the operator demands of a peer's own interfaces beyond the specification: 3003 without."""

from __future__ import annotations

import pytest

from domain.errors import NoMatchingEndpoints
from domain.operator import peers as shown
from domain.peers.required_modules import SETTING, modules_of_words, require_modules
from domain.peers.statuses import CONNECTED, INVITED
from domain.peers.switches import NotPossible
from tests.cpo_app.ocpi.conftest import Face
from tests.cpo_app.ocpi.test_connecting import TOKEN_A
from tests.cpo_app.ocpi.test_registration import post, registered
from tests.peers.emsp import Emsp
from tests.peers.subjects import assert_refused, data_of

NEEDED = ("tokens:SENDER", "cdrs:RECEIVER")


def demand(face: Face, peer_id: str, *modules: str) -> list[str]:
    lacking = face.loop.run(require_modules(face.store, peer_id, modules))
    face.authenticator.forget()
    return lacking


def test_a_registration_without_them_is_refused_and_may_be_tried_again(
    face: Face, emsp: Emsp
) -> None:
    peer_id, token_a = face.invite()
    assert demand(face, peer_id, *NEEDED) == []
    emsp.endpoints["tokens"] = "RECEIVER"
    del emsp.endpoints["cdrs"]

    refused = post(face, token_a, emsp.credentials())
    assert_refused(refused, 3003)
    assert "cdrs:RECEIVER, tokens:SENDER" in refused.json()["status_message"]
    assert face.loop.run(face.peers.get(peer_id)).status == INVITED

    emsp.endpoints |= {"tokens": "SENDER", "cdrs": "RECEIVER"}
    data_of(post(face, token_a, emsp.credentials()))
    assert face.loop.run(face.peers.get(peer_id)).status == CONNECTED


def test_one_that_is_connected_stays_so_until_its_next_handshake(face: Face, emsp: Emsp) -> None:
    del emsp.endpoints["cdrs"]
    peer = registered(face, emsp)
    assert demand(face, peer.peer_id, *NEEDED) == ["cdrs:RECEIVER"]
    assert peer.get("locations").status_code == 200
    found = face.loop.run(shown.one(face.store.db, peer.peer_id, face.peers.now()))
    assert found is not None
    assert "does not offer cdrs:RECEIVER, which you require" in found[0].trouble

    assert_refused(post(face, peer.token, emsp.credentials(), "PUT"), 3003)
    before = face.loop.run(face.peers.get(peer.peer_id))
    del emsp.endpoints["locations"]
    with pytest.raises(NoMatchingEndpoints, match="cdrs:RECEIVER"):
        face.loop.run(face.renewal.refresh(peer.peer_id))
    after = face.loop.run(face.peers.get(peer.peer_id))
    assert after.endpoints == before.endpoints
    assert after.last_error is not None and "cdrs:RECEIVER" in after.last_error["text"]

    # A rotation is about tokens: it goes on, and nobody is locked out.
    assert face.loop.run(face.renewal.rotate(peer.peer_id)).status == CONNECTED
    assert demand(face, peer.peer_id) == []
    assert face.loop.run(face.renewal.refresh(peer.peer_id)).last_error is None


def test_we_do_not_register_with_a_platform_that_lacks_them(face: Face, emsp: Emsp) -> None:
    def connect(*modules: str) -> dict[str, object]:
        peer = face.joining.connect(emsp.versions_url, TOKEN_A, modules=modules)
        return dict(face.loop.run(peer).settings)

    with pytest.raises(NoMatchingEndpoints, match="hubclientinfo"):
        connect("hubclientinfo", "tokens")
    assert emsp.asked("POST", "/credentials") == []
    assert face.loop.run(face.peers.all()) == []
    assert connect("tokens")[SETTING] == ["tokens"]


def test_only_modules_that_there_are_can_be_required(face: Face) -> None:
    assert modules_of_words(["Tokens:sender", "tokens:SENDER", "cdrs"]) == ["cdrs", "tokens:SENDER"]
    for bad, said in (("toknes", "toknes is not a module"), ("tokens:BOTH", "tokens:SENDER or")):
        with pytest.raises(NotPossible, match=said):
            modules_of_words([bad])
