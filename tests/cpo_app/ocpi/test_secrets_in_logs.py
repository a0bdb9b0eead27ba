"""No token that we issue or receive reaches a log, an error text, or a page of somebody else."""

from __future__ import annotations

import base64
import logging

import httpx
import orjson
import pytest
from starlette.responses import Response

from auth.credentials_header import encoded
from domain.errors import OcpiError
from tests.cpo_app.ocpi.conftest import Face, PeerSide
from tests.peers.emsp import Emsp, envelope
from tests.peers.subjects import data_of


def test_a_whole_life_of_a_registration_logs_no_token(
    face: Face,
    emsp: Emsp,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # the test's own client
    secrets: set[str] = {"unknown-token-of-a-stranger-001"}
    answers: list[str] = []

    def ask(method: str, token: str, body: object = None) -> httpx.Response:
        secrets.add(token)
        headers = {"Authorization": encoded(token)}
        answer = httpx.request(method, face.module("credentials"), headers=headers, json=body)
        if answer.json()["status_code"] != 1000:
            answers.append(answer.text)
        return answer

    def new_token_of_theirs(name: str) -> None:
        emsp.token = f"token-of-theirs-{name}-{'x' * 20}"
        secrets.add(emsp.token)

    # As receiver: refused in every way, registered, rotated, refused again.
    peer_id, token_a = face.invite()
    ask("GET", "unknown-token-of-a-stranger-001")
    new_token_of_theirs("one")
    for broken in (Response(emsp.token), envelope(emsp.token), envelope([], 3000)):
        emsp.answers["GET", "/versions"] = broken
        ask("POST", token_a, emsp.credentials())
    emsp.answers.clear()
    ask("POST", token_a, emsp.credentials(roles=[{"token": emsp.token}]))
    ask("POST", token_a, {**emsp.credentials(), "url": f"http://127.0.0.1:9/{emsp.token}"})
    token_c = data_of(ask("POST", token_a, emsp.credentials()))["token"]
    ask("POST", token_c, emsp.credentials())
    new_token_of_theirs("two")
    token_c = data_of(ask("PUT", token_c, emsp.credentials()))["token"]
    PeerSide(face, peer_id, token_c).get("locations")
    # As sender: rotation that fails with the peer echoing everything, and one that works.
    new_token_of_theirs("three")
    emsp.answers["PUT", "/credentials"] = envelope(emsp.token, 2000)
    with pytest.raises(OcpiError) as refused:
        face.loop.run(face.renewal.rotate(peer_id))
    answers.append(str(refused.value))
    emsp.answers.clear()
    face.loop.run(face.renewal.rotate(peer_id))
    new_token_of_theirs("four")
    emsp.parties = ("NL*FUR",)  # another platform: a party has one holder
    connected = face.loop.run(face.joining.connect(emsp.versions_url, "token-a-of-theirs-00001"))
    answers.append(repr(connected))
    face.loop.run(face.joining.unregister(connected.peer_id))
    secrets |= {"token-a-of-theirs-00001", *(seen.token for seen in emsp.seen)}
    secrets |= {seen.json()["token"] for seen in emsp.seen if seen.body}

    printed = capfd.readouterr()
    exchanges = face.exchanges()
    assert {one["direction"] for one in exchanges} == {"in", "out"}
    assert {one["module"] for one in exchanges} >= {"versions", "credentials", "locations"}
    recorded = orjson.dumps(exchanges, default=str).decode()
    shown = "\n".join([caplog.text, printed.out, printed.err, *answers, recorded])
    assert len(secrets) >= 10
    assert len(answers) >= 8
    leaked = [
        secret[:16]
        for secret in secrets
        if secret in shown or base64.b64encode(secret.encode()).decode() in shown
    ]
    assert leaked == []
