"""A party has one platform: nobody gets at another's tokens by claiming its name."""

from __future__ import annotations

import httpx

from auth.credentials_header import encoded
from tests.cpo_app.ocpi.conftest import Face
from tests.peers.emsp import Emsp


def post(face: Face, token: str, emsp: Emsp) -> httpx.Response:
    headers = {"Authorization": encoded(token)}
    return httpx.post(face.module("credentials"), json=emsp.credentials(), headers=headers)


def test_a_party_that_is_taken_cannot_be_claimed(face: Face, emsp: Emsp) -> None:
    holder = face.connected("DE*TNM")
    _, token_a = face.invite("Impostor")

    refused = post(face, token_a, emsp)

    assert refused.status_code == 200
    assert refused.json()["status_code"] == 2001
    assert "DE/TNM is registered by another platform" in refused.json()["status_message"]
    assert holder.get("locations").status_code == 200

    # The invitation is still good once the operator has let the party go
    face.loop.run(face.peers.remove(holder.peer_id))
    assert post(face, token_a, emsp).json()["status_code"] == 1000
