"""The library audit's rows about transport: authorization, envelopes, ids, routing, paths."""

from __future__ import annotations

import base64

import httpx
import pytest

from tests.domain.schemas.samples import evse, location, token
from tests.peers.audit import audit
from tests.peers.subjects import PeerOf, Subject, assert_refused, data_of


def with_header(subject: Subject, url: str, authorization: str | None) -> httpx.Response:
    headers = {} if authorization is None else {"Authorization": authorization}
    return httpx.get(url, headers=headers, timeout=10)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@audit("F017", "F031")
@pytest.mark.parametrize("authorization", [None, "", "Token", "Token dW5rbm93bg=="])
def test_without_a_known_token_it_is_401(subject: Subject, authorization: str | None) -> None:
    url = subject.peer().endpoint("locations")
    answer = with_header(subject, url, authorization)
    assert answer.status_code == 401
    assert answer.json()["status_code"] == 2000


@audit("F017")
def test_token_a_is_401_on_functional_modules(subject: Subject) -> None:
    url = subject.peer().endpoint("locations")
    assert with_header(subject, url, f"Token {encoded(subject.invite())}").status_code == 401


@audit("F018")
@pytest.mark.parametrize("authorization", ["Token abcde", "Token ÿ", "Token gICA"])
def test_a_token_that_cannot_be_decoded_is_401(subject: Subject, authorization: str) -> None:
    url = subject.peer().endpoint("locations")
    header = {b"Authorization": authorization.encode("latin-1")}
    assert httpx.get(url, headers=header).status_code == 401
    assert httpx.get(subject.versions_url, headers=header).status_code == 401


@audit("F086")
@pytest.mark.parametrize("form", ["Bearer {}", "Basic {}", "Token {} more", "{}"])
def test_only_the_scheme_token_is_let_in(subject: Subject, form: str) -> None:
    peer = subject.peer()
    url = peer.endpoint("locations")
    assert with_header(subject, url, f"token {encoded(peer.token)}").status_code == 200
    assert with_header(subject, url, form.format(encoded(peer.token))).status_code == 401


@audit("F087")
def test_base64_is_read_strictly(subject: Subject) -> None:
    peer = subject.peer()
    url = peer.endpoint("locations")
    right = encoded(peer.token)
    for wrong in (f"!!{right}!!", right[:8] + "-" + right[8:], right.rstrip("=") + "===="):
        assert with_header(subject, url, f"Token {wrong}").status_code == 401


@audit("F108")
def test_a_line_feed_inside_the_base64_is_tolerated(subject: Subject) -> None:
    peer = subject.peer()
    answer = with_header(
        subject, peer.endpoint("locations"), f"Token {encoded(peer.token + chr(10))}"
    )
    assert answer.status_code == 200


@audit("F031")
def test_a_missing_object_is_404_in_an_envelope(subject: Subject) -> None:
    peer = subject.peer()
    subject.keep("locations", location(evses=[evse()]))
    for parts in (("NOPE",), ("LOC1", "NOPE"), ("LOC1", "Evse-1", "NOPE")):
        assert_refused(peer.get("locations", *parts), 2003, 404)
    assert_refused(peer.get("tokens", "DE", "TNM", "NOPE"), 2004, 404)
    assert_refused(peer.get("hubclientinfo", "DE", "TNM"), 2000, 404)


@audit("F031")
def test_unknown_paths_and_wrong_methods_are_in_an_envelope(subject: Subject) -> None:
    peer = subject.peer()
    assert_refused(peer.request("GET", f"{subject.base_url}/ocpi/cpo/2.2.1/nope"), 2000, 404)
    assert_refused(peer.request("DELETE", peer.endpoint("locations")), 2000, 405)


@audit("F019")
def test_a_wrong_body_is_an_ocpi_error_not_an_http_error(subject: Subject) -> None:
    body = token()
    del body["issuer"]
    answer = subject.peer().put("tokens", "DE", "TNM", "AbC-1", json=body)
    assert_refused(answer, 2001)
    assert "issuer" in answer.json()["status_message"]


@audit("F032")
@pytest.mark.parametrize("body", [b"{bad", b"", b"\xff\xfe{}", b"[" * 100_000])
def test_malformed_json_is_400(subject: Subject, body: bytes) -> None:
    answer = subject.peer().put(
        "tokens", "DE", "TNM", "X", content=body, headers={"Content-Type": "application/json"}
    )
    assert_refused(answer, 2001, 400)


@audit("F033")
def test_message_ids_are_echoed(subject: Subject) -> None:
    peer = subject.peer()
    given = {"X-Request-ID": "12345", "X-Correlation-ID": "abcde"}
    for url in (subject.versions_url, peer.endpoint("locations"), peer.url("locations", "NOPE")):
        answer = peer.request("GET", url, headers=given)
        assert answer.headers["x-request-id"] == "12345"
        assert answer.headers["x-correlation-id"] == "abcde"


@audit("F034")
def test_routing_headers_are_answered_swapped(subject: Subject) -> None:
    peer = subject.peer()
    answer = peer.request(
        "GET",
        peer.endpoint("locations"),
        headers={
            "OCPI-from-country-code": "DE",
            "OCPI-from-party-id": "TNM",
            "OCPI-to-country-code": "BE",
            "OCPI-to-party-id": "BEC",
        },
    )
    routed = {name: value for name, value in answer.headers.items() if name.startswith("ocpi-")}
    assert routed == {
        "ocpi-to-country-code": "DE",
        "ocpi-to-party-id": "TNM",
        "ocpi-from-country-code": "BE",
        "ocpi-from-party-id": "BEC",
    }


@audit("F034")
def test_a_request_for_another_party_is_refused(subject: Subject) -> None:
    peer = subject.peer()
    headers = {"OCPI-to-country-code": "FR", "OCPI-to-party-id": "XXX"}
    assert peer.request("GET", peer.endpoint("locations"), headers=headers).status_code == 404


@audit("F029")
def test_doubled_slashes_are_answered(subject: Subject) -> None:
    peer = subject.peer()
    data_of(peer.put("tokens", "DE", "TNM", "AbC-1", json=token()))
    url = peer.endpoint("tokens").rstrip("/") + "//DE/TNM//AbC-1"
    assert data_of(peer.request("GET", url))


@audit("F030")
@pytest.mark.parametrize("end", ["", "/"])
def test_no_path_is_redirected(subject: Subject, end: str) -> None:
    peer = subject.peer()
    for url in (subject.versions_url, peer.endpoint("locations"), peer.endpoint("credentials")):
        answer = peer.request("GET", url.rstrip("/") + end, follow_redirects=False)
        assert answer.status_code == 200, url


@audit("F089")
def test_a_body_is_not_read_without_a_right_token(subject: Subject) -> None:
    peer = subject.peer()
    answer = httpx.put(
        peer.url("tokens", "DE", "TNM", "X"),
        content=b"{bad",
        headers={"Authorization": "Token dW5rbm93bg==", "Content-Type": "application/json"},
    )
    assert answer.status_code == 401


@audit("F089")
def test_a_body_over_a_megabyte_is_refused(subject: Subject) -> None:
    body = token(visual_number="x" * 1_100_000)
    assert_refused(subject.peer().put("tokens", "DE", "TNM", "AbC-1", json=body), 2001, 413)


@audit("F085")
def test_there_is_no_push_on_demand(subject: Subject) -> None:
    peer = subject.peer()
    answer = peer.request("POST", f"{subject.base_url}/push/2.2.1", json={})
    assert answer.status_code == 404


@audit("F010", "F102", "F103")
def test_version_details_name_all_modules_of_a_cpo(subject: Subject) -> None:
    rows = subject.peer().details()["endpoints"]
    assert {row["identifier"]: row["role"] for row in rows} == {
        "credentials": "SENDER",
        "locations": "SENDER",
        "sessions": "SENDER",
        "cdrs": "SENDER",
        "tariffs": "SENDER",
        "tokens": "RECEIVER",
        "commands": "RECEIVER",
        "chargingprofiles": "RECEIVER",
        "hubclientinfo": "RECEIVER",
    }


def test_every_advertised_url_is_reachable(subject: Subject) -> None:
    peer: PeerOf = subject.peer()
    for row in peer.details()["endpoints"]:
        query = {"date_from": "2024-01-01T00:00:00Z"}
        status = peer.request("GET", row["url"], params=query).status_code
        single_only = ("tokens", "commands", "chargingprofiles", "hubclientinfo")
        assert status == (404 if row["identifier"] in single_only else 200), row
