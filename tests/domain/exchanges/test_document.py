"""What is kept of an exchange: found by its ids, bounded, without anything that nobody may read."""

from __future__ import annotations

import base64

import orjson
import pytest

from domain.exchanges.exchange import Content, Direction, Subject
from domain.exchanges.redaction import NOT_KEPT, secrets_in, shown_url
from tests.domain.exchanges.samples import document, seen

TOKEN = "the-token-of-the-peer-0001"
ENCODED = base64.b64encode(TOKEN.encode()).decode()
CARD = "04A1B2C3D4E5"


def said(kept: object) -> str:
    return orjson.dumps(kept, default=str).decode()


def test_a_page_is_kept_up_to_its_bound_and_says_what_came_of_it() -> None:
    body = b'{"data":[' + b'{"id":"S1"},' * 500 + b'],"status_code":1000,"timestamp":"T"}'
    kept = document(response=Content(body[:100], len(body), body[-400:]), is_page=True, page=100)
    assert (kept["ocpi_status"], kept["outcome"]) == (1000, "ok")
    assert kept["response"]["size"] == len(body)
    assert kept["response"]["cut"]
    assert kept["response"]["body"] == body[:100].decode()
    assert kept["took_ms"] == 12.5


def test_an_exchange_is_found_by_peer_module_and_its_ids() -> None:
    kept = document(
        method="PATCH",
        url="/ocpi/cpo/2.2.1/sessions/Session-7/charging_preferences",
        request={"id": "Session-7", "location_id": "LOC1"},
    )
    assert kept["objects"] == ["Session-7", "LOC1"]
    assert kept["keys"] == [
        "in peer-1 sessions",
        "in * sessions",
        "correlation-1",
        "request-1",
        "session-7",
        "loc1",
    ]


def test_what_was_no_success_is_found_by_its_status_too() -> None:
    answer = {"status_code": 2003, "status_message": "Unknown Location"}
    kept = document(url="/ocpi/cpo/2.2.1/locations/L9", status=404, response=answer)
    assert kept["outcome"] == "refused"
    assert "in peer-1 locations 404" in kept["keys"]
    assert "in * locations 2003" in kept["keys"]
    assert "in * locations refused" in kept["keys"]
    failed = document(direction=Direction.OUT, status=None, response=b"", error="no answer")
    assert failed["outcome"] == "failed"
    assert failed["ocpi_status"] is None
    assert "out * sessions failed" in failed["keys"]


def test_no_token_is_kept_however_it_is_written_or_repeated() -> None:
    header = f"Token {ENCODED}"
    kept = document(
        method="POST",
        url=f"/ocpi/cpo/2.2.1/credentials?token={TOKEN}&next={ENCODED}",
        request_headers=[(b"Authorization", header.encode()), (b"user-agent", TOKEN.encode())],
        request={"token": "another-secret-01", "url": "https://peer.example/another-secret-01"},
        response={"data": TOKEN, "status_code": 2000, "status_message": f"no {TOKEN} {ENCODED}"},
        response_headers=[(b"Set-Cookie", b"one"), (b"Location", b"https://u:pw@h/x?key=two")],
        secrets=secrets_in(header),
    )
    for secret in (TOKEN, ENCODED, "another-secret-01", "one", "pw", "two"):
        assert secret not in said([kept["url"], kept["request"], kept["response"]]), secret
    assert "Authorization: Token (redacted)" in kept["request"]["head"]
    assert f"Set-Cookie: {NOT_KEPT}" in kept["response"]["head"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"token": "a-secret-of-theirs", "broken',
        b'[{"api_key":"a-secret-of-theirs"}',
        b'{"\\u0074oken": "a-secret-of-theirs"',
        b'{"a": {"to\\u006ben" : "a-secret-of-theirs',
        b'{"url": "https://x:a-secret-of-theirs@peer.example/"',
    ],
)
def test_what_is_no_json_is_redacted_as_text(body: bytes) -> None:
    kept = document(method="POST", url="/ocpi/cpo/2.2.1/commands/START_SESSION", request=body)
    assert kept["request"]["body"]
    assert "a-secret-of-theirs" not in kept["request"]["body"]


def test_of_credentials_nothing_is_kept_that_has_no_names_to_judge_by() -> None:
    for body in (b'"a-secret-of-theirs"', b"a-secret-of-theirs", b'{"x": "a-secret-of-theirs"'):
        kept = document(method="POST", url="/ocpi/cpo/2.2.1/credentials", request=body)
        assert "a-secret-of-theirs" not in kept["request"]["body"]


def test_of_cards_the_last_characters_are_kept_and_their_hash_is_found() -> None:
    start = document(
        method="POST",
        url="/ocpi/cpo/2.2.1/commands/START_SESSION",
        request={
            "response_url": "https://peer.example/back/1?secret=x",
            "token": {"uid": CARD, "type": "RFID", "contract_id": "NL-TNM-C12345678-X"},
            "location_id": "LOC1",
            "evse_uid": "EVSE-12345678",
        },
    )
    put = document(method="PUT", url=f"/ocpi/cpo/2.2.1/tokens/NL/TNM/{CARD}?type=RFID")
    pulled = document(
        direction=Direction.OUT,
        url=f"https://peer.example/ocpi/t/{CARD}/authorize",
        subject=Subject("peer-1", "tokens", "2.2.1", (CARD,)),
    )
    for kept in (start, put, pulled):
        assert CARD.lower() not in said(kept).lower()
        assert "card digest-of-5" in kept["keys"]
        assert "…D4E5" in said(kept) or "…d4e5" in said(kept) or "%E2%80%A6D4E5" in kept["url"]
    assert "NL-TNM-C12345678" not in said(start)
    assert "https://peer.example/back/1" in start["request"]["body"]
    assert "secret=x" not in said(start)
    assert "evse-12345678" in start["keys"]


def test_the_uid_of_an_evse_is_no_card() -> None:
    location = {"id": "L1", "evses": [{"uid": "EVSE-000001", "status": "AVAILABLE"}]}
    kept = document(
        url="/ocpi/cpo/2.2.1/locations/L1", response={"data": location, "status_code": 1000}
    )
    assert "EVSE-000001" in kept["response"]["body"]


def test_signed_meter_data_names_the_card_and_is_not_kept() -> None:
    cdr = {
        "id": "C1",
        "cdr_token": {"uid": CARD},
        "signed_data": {"signed_values": [{"nature": "End", "signed_data": f"OCMF|{CARD}"}]},
    }
    page = orjson.dumps({"data": [cdr], "status_code": 1000})
    for kept in (
        document(direction=Direction.OUT, method="POST", url="https://p/cdrs", request=cdr),
        document(url="/ocpi/cpo/2.2.1/cdrs", response=page, is_page=True),
    ):
        assert CARD not in said(kept)


def test_a_long_body_is_cut_and_says_so() -> None:
    kept = document(
        method="PUT", url="/ocpi/cpo/2.2.1/sessions/S", request={"note": "x" * 50_000}, body=1000
    )
    assert len(kept["request"]["body"]) == 1000
    assert kept["request"]["cut"]
    assert kept["request"]["size"] > 50_000


def test_an_id_that_is_called_as_a_module_is_no_module() -> None:
    kept = document(url="/ocpi/cpo/2.2.1/locations/tokens")
    assert kept["module"] == "locations"
    assert kept["objects"] == ["tokens"]


def test_anything_may_be_sent() -> None:
    for body in (b"\xff\xfe", b"{}", b"[]", b"1", b'{"id": 7}', b"null", b'{"a":' * 3000):
        for path in ("", "/", "/ocpi", "/ocpi/cpo", "/ocpi/cpo/2.2.1/%ff/%00", "/ocpi//x?%"):
            document(method="POST", url=path, request=body, response=body, status=400)


def test_urls_show_what_ocpi_has_in_them_and_nothing_else() -> None:
    shown = shown_url("https://u:p@h.example/x?offset=5&date_from=2025-05-01T12:00:00Z&k=v")
    assert shown == ("https://h.example/x?offset=5&date_from=2025-05-01T12:00:00Z&k=(redacted)")


def test_what_waits_is_weighed() -> None:
    assert seen(request=b"x" * 5000).weight > 5000
