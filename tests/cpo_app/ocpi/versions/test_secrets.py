"""No token of either side reaches a log or an error text, in whatever version and form it comes."""

from __future__ import annotations

import base64
import logging

import httpx
import pytest
from starlette.responses import Response

from auth.credentials_header import encoded
from domain.versions import OcpiVersion
from tests.cpo_app.ocpi.conftest import Face, PeerSide
from tests.cpo_app.ocpi.versions.test_registering import asked, credentials
from tests.peers.emsp import Emsp, envelope
from tests.peers.subjects import data_of


def test_a_registrations_life_shows_no_token(
    face: Face, emsp: Emsp, version: OcpiVersion, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # the test's own client
    emsp.version = version.number
    emsp.token = f"token-of-theirs-{version.key}-{'x' * 20}"
    secrets = {"unknown-token-of-a-stranger-001", emsp.token}
    refusals: list[str] = []

    def refused(answer: httpx.Response) -> None:
        assert answer.json()["status_code"] != 1000
        refusals.append(answer.text)

    peer_id, token_a = face.invite()
    secrets.add(token_a)
    url = face.module("credentials", version)
    for header in (encoded(token_a), f"Token {token_a}", "Token unknown-token-of-a-stranger-001"):
        answer = httpx.get(url, headers={"Authorization": header})
        if answer.status_code == 401:
            refusals.append(answer.text)
    for broken in (Response(emsp.token), envelope(emsp.token), envelope([], 3000)):
        emsp.answers["GET", "/versions"] = broken
        refused(asked(face, version, token_a, "POST", credentials(emsp, version)))
    emsp.answers.clear()
    wrong = {**credentials(emsp, version), "url": f"http://127.0.0.1:9/{emsp.token}"}
    refused(asked(face, version, token_a, "POST", wrong))
    body = credentials(emsp, version)
    for method in ("POST", "PUT"):
        token_a = data_of(asked(face, version, token_a, method, body))["token"]
        secrets.add(token_a)
    peer = PeerSide(face, peer_id, token_a, version)
    refused(asked(face, version, peer.token, "POST", body))
    assert peer.request("DELETE", "credentials").status_code == 200
    refused(peer.get("locations"))

    shown = "\n".join([caplog.text, *refusals])
    assert len(secrets) == 5 and len(refusals) >= 8
    leaked = [
        secret[:20]
        for secret in secrets
        if secret in shown or base64.b64encode(secret.encode()).decode() in shown
    ]
    assert leaked == []
