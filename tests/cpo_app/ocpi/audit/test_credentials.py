"""The library audit's rows about the credentials module, as receiver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.responses import Response

from tests.conftest import Loop
from tests.peers.audit import audit
from tests.peers.emsp import Emsp, emsp_on, envelope
from tests.peers.subjects import PeerOf, Subject, assert_refused, data_of
from tests.serving import free_port


@pytest.fixture
def emsp(loop: Loop) -> Iterator[Emsp]:
    """Of a party of its own: DE/TNM is the subject's registered peer."""
    with emsp_on(loop, "NL*EMP") as other:
        yield other


@pytest.fixture
def invited(subject: Subject) -> PeerOf:
    """A peer that holds a token A, and nothing else."""
    return PeerOf(subject, subject.invite())


def credentials_url(subject: Subject) -> str:
    return subject.peer().endpoint("credentials")


def register(subject: Subject, invited: PeerOf, body: dict[str, Any]) -> httpx.Response:
    return invited.request("POST", credentials_url(subject), json=body)


def test_a_handshake_gives_a_token_that_opens_the_door(
    subject: Subject, invited: PeerOf, emsp: Emsp
) -> None:
    given = data_of(register(subject, invited, emsp.credentials()))
    assert given["roles"][0]["role"] == "CPO"
    assert PeerOf(subject, given["token"]).list("locations").status_code == 200
    assert {seen.token for seen in emsp.seen} == {emsp.token}


@audit("F069")
@pytest.mark.parametrize(
    "answer",
    [
        Response("<html>", media_type="text/html"),
        Response("{}", media_type="application/json"),
        Response("[]", media_type="application/json"),
        Response(status_code=500),
        envelope(None, 2000),
    ],
)
def test_a_peer_whose_api_cannot_be_used_gets_3001(
    subject: Subject, invited: PeerOf, emsp: Emsp, answer: Response
) -> None:
    emsp.answers["GET", "/versions"] = answer
    assert_refused(register(subject, invited, emsp.credentials()), 3001)


@audit("F069")
def test_a_peer_that_is_not_there_gets_3001(subject: Subject, invited: PeerOf, emsp: Emsp) -> None:
    url = f"http://127.0.0.1:{free_port()}/versions"
    assert_refused(register(subject, invited, emsp.credentials(url=url)), 3001)


def test_no_common_version_is_3002(subject: Subject, invited: PeerOf, emsp: Emsp) -> None:
    emsp.version = "2.1.1"
    assert register(subject, invited, emsp.credentials()).json()["status_code"] == 3002


@audit("F070")
@pytest.mark.parametrize("endpoints", [{}, {"tokens": "SENDER"}])
def test_missing_endpoints_are_3003(
    subject: Subject, invited: PeerOf, emsp: Emsp, endpoints: dict[str, str]
) -> None:
    emsp.endpoints = endpoints
    assert_refused(register(subject, invited, emsp.credentials()), 3003)


@audit("F071")
def test_a_token_a_is_good_for_one_registration(
    subject: Subject, invited: PeerOf, emsp: Emsp
) -> None:
    given = data_of(register(subject, invited, emsp.credentials()))
    again = PeerOf(subject, given["token"])
    assert register(subject, again, emsp.credentials()).status_code == 405
    # Until here its answer might have been lost; now the new token has been used.
    assert register(subject, invited, emsp.credentials()).status_code == 401


@audit("F072", "F090")
@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("body", [{}, None])
def test_an_unknown_token_is_401_whatever_the_body(
    subject: Subject, method: str, body: dict[str, Any] | None, emsp: Emsp
) -> None:
    stranger = PeerOf(subject, "nobody-knows-me")
    body = emsp.credentials() if body is None else body
    assert_refused(stranger.request(method, credentials_url(subject), json=body), 2000, 401)


@audit("F073")
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_before_registration_there_is_nothing_to_change(
    subject: Subject, invited: PeerOf, emsp: Emsp, method: str
) -> None:
    body = {"json": emsp.credentials()} if method == "PUT" else {}
    assert_refused(invited.request(method, credentials_url(subject), **body), 2000, 405)


@audit("F074")
def test_put_gives_a_new_token(subject: Subject, invited: PeerOf, emsp: Emsp) -> None:
    first = PeerOf(subject, data_of(register(subject, invited, emsp.credentials()))["token"])
    emsp.token = "another-token-of-the-emsp-4711"
    given = data_of(first.request("PUT", credentials_url(subject), json=emsp.credentials()))
    assert given["token"] != first.token
    assert PeerOf(subject, given["token"]).list("locations").status_code == 200


@audit("F075")
@pytest.mark.parametrize("wrong", ["tok en\r\n", "", "x" * 65, "ümlaut"])
def test_a_token_that_cannot_stand_in_a_header_is_refused(
    subject: Subject, invited: PeerOf, emsp: Emsp, wrong: str
) -> None:
    answer = register(subject, invited, emsp.credentials(token=wrong))
    assert answer.json()["status_code"] == 2001


@audit("F060")
def test_credentials_need_a_role(subject: Subject, invited: PeerOf, emsp: Emsp) -> None:
    assert register(subject, invited, emsp.credentials(roles=[])).json()["status_code"] == 2001


@audit("F033")
def test_our_requests_carry_message_ids(subject: Subject, invited: PeerOf, emsp: Emsp) -> None:
    data_of(register(subject, invited, emsp.credentials()))
    for seen in emsp.seen:
        assert seen.headers["x-request-id"] and seen.headers["x-correlation-id"]
    assert len({seen.headers["x-request-id"] for seen in emsp.seen}) == len(emsp.seen)
