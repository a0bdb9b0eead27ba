"""Transport of our own face: the one envelope, message ids, paths, bugs, and size."""

from __future__ import annotations

import base64
import json
import logging
import socket
import uuid
from typing import Any

import httpx
import pytest

from cpo_app.ocpi.server.app import build_ocpi_app
from cpo_app.settings import SettingsError
from crud.locations import Locations
from db_interface.database import StoreUnavailable
from domain.schemas import parse_datetime
from tests.counting import growth_of
from tests.cpo_app.ocpi.conftest import Face, PeerSide
from tests.domain.schemas.samples import connector, evse, location, token
from tests.peers.subjects import assert_refused, data_of
from tests.settings_of import settings_of


def test_a_success_is_one_whole_envelope(face: Face, peer: PeerSide) -> None:
    given = location(evses=[evse(connectors=[connector()])])
    face.keep_locations(given)
    answer = peer.get("locations/LOC1")
    body = answer.json()
    parse_datetime(body.pop("timestamp"))
    assert body == {"data": given, "status_code": 1000, "status_message": "Success"}
    assert answer.headers["content-type"] == "application/json"


def test_versions_and_details_are_those_of_the_text(face: Face, peer: PeerSide) -> None:
    versions = data_of(peer.get(f"{face.ocpi}/versions"))
    assert versions == [
        {"version": number, "url": f"{face.ocpi}/{number}/details"}
        for number in ("2.1.1", "2.2.1", "2.3.0")
    ]
    details = data_of(peer.get(versions[1]["url"]))
    assert details["version"] == "2.2.1"
    urls = {row["identifier"]: row["url"] for row in details["endpoints"]}
    assert urls["tokens"] == face.module("tokens")
    # "{commands_endpoint_url}{command}": peers append without a slash of their own.
    assert urls["commands"] == f"{face.module('commands')}/"


def test_message_ids_are_made_where_none_or_no_usable_ones_came(peer: PeerSide) -> None:
    for headers in ({}, {"X-Request-ID": "x" * 129, "X-Correlation-ID": "with space"}):
        answer = peer.get("locations", headers=headers)
        made = [answer.headers[name] for name in ("x-request-id", "x-correlation-id")]
        assert all(uuid.UUID(one) for one in made)


def test_errors_before_the_router_carry_ids_too(face: Face) -> None:
    answer = httpx.get(face.module("locations"), headers={"X-Request-ID": "r-1"})
    assert_refused(answer, 2000, 401)
    assert answer.headers["x-request-id"] == "r-1"
    assert answer.headers["www-authenticate"] == "Token"


@pytest.mark.parametrize(
    "path",
    ["locations", "locations/", "/locations", "locations//", "//locations//"],
)
def test_slashes_may_stand_as_they_like(face: Face, peer: PeerSide, path: str) -> None:
    face.keep_locations(location())
    answer = peer.get(f"{face.base_url}//ocpi/cpo//2.2.1/{path}")
    assert [row["id"] for row in data_of(answer)] == ["LOC1"]


@pytest.mark.parametrize("path", ["", "nope", "cpo", "cpo/2.0/locations", "2.0/details", "x/y/z"])
def test_unknown_paths_are_404_in_an_envelope(face: Face, peer: PeerSide, path: str) -> None:
    assert_refused(peer.get(f"{face.ocpi}/{path}"), 2000, 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "locations", "GET"),
        ("DELETE", "tokens/DE/TNM/X", "GET, PATCH, PUT"),
        ("GET", "commands/START_SESSION", "POST"),
        ("PATCH", "credentials", "DELETE, GET, POST, PUT"),
        ("OPTIONS", "locations", "GET"),
    ],
)
def test_a_wrong_method_is_405_and_names_the_right_ones(
    peer: PeerSide, method: str, path: str, allowed: str
) -> None:
    preflight = {"Origin": "https://x.example", "Access-Control-Request-Method": "GET"}
    refused = peer.request(method, path, headers=preflight)
    assert_refused(refused, 2000, 405)
    assert refused.headers["allow"] == allowed


def test_a_bug_is_3000_with_an_id_that_stands_with_the_traceback_in_the_log(
    peer: PeerSide, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("inner detail")

    monkeypatch.setattr(Locations, "get", broken)
    answer = peer.get("locations/LOC1")
    assert_refused(answer, 3000)
    message = answer.json()["status_message"]
    assert "inner detail" not in message
    (record,) = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert message.rsplit(" ", 1)[1] in record.getMessage()
    assert record.exc_info is not None and record.exc_info[0] is ZeroDivisionError


def test_a_store_that_is_down_is_503_in_an_envelope(
    peer: PeerSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("no primary at the moment")

    monkeypatch.setattr(Locations, "list", down)
    answer = peer.get("locations")
    assert_refused(answer, 3000, 503)
    assert answer.headers["retry-after"] == "5"


def test_a_path_makes_no_second_line_in_the_log(
    peer: PeerSide, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = peer.get("locations/a%0aFAKE log line%0d%00")
    assert_refused(answer, 2003, 404)
    assert "FAKE log line" not in [line[:13] for line in caplog.text.splitlines()]
    assert "\n" not in answer.json()["status_message"]


def test_a_wrong_body_names_field_and_reason(peer: PeerSide) -> None:
    refused = peer.put("tokens/DE/TNM/AbC-1", json=token(type="NOPE"))
    assert_refused(refused, 2001)
    assert refused.json()["status_message"] == (
        "type: value is not one of AD_HOC_USER, APP_USER, OTHER, RFID"
    )


@pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b"1"])
def test_json_that_is_no_object_is_2001(peer: PeerSide, body: bytes) -> None:
    assert_refused(peer.put("tokens/DE/TNM/AbC-1", content=body), 2001)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity"])
def test_numbers_that_json_does_not_know_are_400(peer: PeerSide, number: bytes) -> None:
    body = b'{"last_updated": %b}' % number
    assert_refused(peer.patch("tokens/DE/TNM/AbC-1", content=body), 2001, 400)


def half_a_request(face: Face, head: bytes) -> bytes:
    """What comes back for a request whose announced body never follows."""
    port = face.settings.CENTRAL_PORT
    with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        line.sendall(head)
        got = b""
        while b'"timestamp"' not in got:
            more = line.recv(65536)
            assert more, got
            got += more
    return got


@pytest.mark.parametrize("path", ["tokens/DE/TNM/X", "credentials", "commands/START_SESSION"])
def test_401_and_413_come_before_the_body_is_sent(face: Face, peer: PeerSide, path: str) -> None:
    right = base64.b64encode(peer.token.encode()).decode()
    for authorization, size, status in (
        ("Token dW5rbm93bg==", 500, b"401"),
        ("Token dW5rbm93bg==", 10**9, b"401"),
        (f"Token {right}", 10**9, b"413"),
    ):
        method = "PUT" if path.startswith("tokens") else "POST"
        answer = half_a_request(
            face,
            f"{method} /ocpi/cpo/2.2.1/{path} HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: {authorization}\r\nContent-Length: {size}\r\n\r\n".encode(),
        )
        assert answer.split(b" ", 2)[1] == status


def test_a_body_without_length_is_bounded_too(peer: PeerSide) -> None:
    def endless() -> Any:
        for _ in range(2000):
            yield b" " * 1000

    assert_refused(peer.put("tokens/DE/TNM/AbC-1", content=endless()), 2001, 413)


@pytest.mark.parametrize(
    "text", ["2024-05-01T10:00:00.123456Z", "2024-05-01T10:00:00", "2024-05-01T12:00:00+02:00"]
)
def test_timestamps_of_peers_come_back_in_utc_with_their_fraction(
    peer: PeerSide, text: str
) -> None:
    assert peer.put("tokens/DE/TNM/AbC-1", json=token(last_updated=text)).status_code == 201
    kept = data_of(peer.get("tokens/DE/TNM/AbC-1"))["last_updated"]
    assert kept == ("2024-05-01T10:00:00.123456Z" if "." in text else "2024-05-01T10:00:00Z")


def test_no_authentication_is_no_way_to_run(face: Face) -> None:
    settings = settings_of(NO_AUTH=True)
    with pytest.raises(SettingsError, match="NO_AUTH"):
        build_ocpi_app(settings, None, face.authenticator)


def test_the_docs_describe_every_route_and_hold_no_data(face: Face) -> None:
    assert httpx.get(f"{face.ocpi}/docs").status_code == 200
    paths = json.loads(httpx.get(f"{face.ocpi}/openapi.json").text)["paths"]
    assert "/ocpi/cpo/2.2.1/locations/{location_id}/{evse_uid}/{connector_id}" in paths
    assert "/ocpi/cpo/2.2.1/commands/START_SESSION" in paths
    for path in ("docsx", "openapi.jsonx", "redoc"):
        assert_refused(httpx.get(f"{face.ocpi}/{path}"), 2000, 401)


def test_answers_are_counted_by_their_code_and_module(face: Face, peer: PeerSide) -> None:
    name = "cpo_ocpi_answers_total"
    good, unknown, stranger, made_up = (
        growth_of(name, module=module, code=code)
        for module, code in (
            ("locations", "1000"),
            ("locations", "2003"),
            ("versions", "2000"),
            ("other", "2000"),
        )
    )
    face.keep_locations(location())
    peer.get("locations")
    peer.get("locations/LOC1")
    peer.get("locations/NONE")
    httpx.get(f"{face.ocpi}/versions")
    httpx.get(face.module("made-up"))
    assert (good(), unknown(), stranger(), made_up()) == (2, 1, 1, 1)
