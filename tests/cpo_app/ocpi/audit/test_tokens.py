"""The library audit's rows about tokens and ClientInfo: what peers write."""

from __future__ import annotations

from typing import Any

import pytest

from tests.domain.schemas.samples import AT, token
from tests.peers.audit import audit
from tests.peers.subjects import PeerOf, Subject, assert_refused, data_of

PATH = ("tokens", "DE", "TNM", "AbC-1")
LATER = "2024-06-01T10:00:00Z"


@pytest.fixture
def peer(subject: Subject) -> PeerOf:
    return subject.peer()


@pytest.fixture
def written(peer: PeerOf) -> PeerOf:
    """A peer that has written one RFID token, group included."""
    data_of(peer.put(*PATH, json=token(group_id="Group-1")))
    return peer


@audit("F003", "F004", "F101")
def test_a_token_is_read_as_it_was_written(written: PeerOf) -> None:
    assert data_of(written.get(*PATH)) == token(group_id="Group-1")


@audit("F009")
def test_one_uid_under_two_types_is_two_tokens(peer: PeerOf) -> None:
    rfid, app = token(issuer="rfid"), token(issuer="app", type="APP_USER")
    data_of(peer.put(*PATH, json=rfid, params={"type": "RFID"}))
    data_of(peer.put(*PATH, json=app, params={"type": "APP_USER"}))
    assert "rfid" in peer.get(*PATH).text
    assert "app" in peer.get(*PATH, params={"type": "APP_USER"}).text


@audit("F026")
def test_a_timestamp_that_is_no_string_is_2001(peer: PeerOf) -> None:
    answer = peer.put(*PATH, json=token(last_updated=123))
    assert answer.json()["status_code"] == 2001


@audit("F036", "F037")
@pytest.mark.parametrize(
    "text", ["2024-W18-3 10", "2024-05-01", "2024-05-01 10:00:00", "1714557600"]
)
def test_other_forms_of_time_are_refused(peer: PeerOf, text: str) -> None:
    assert peer.put(*PATH, json=token(last_updated=text)).json()["status_code"] == 2001


@audit("F055")
@pytest.mark.parametrize(
    "body", [token(uid="Evil-1"), token(country_code="FR"), token(party_id="EVL")]
)
def test_a_body_unlike_its_url_is_refused(peer: PeerOf, body: dict[str, Any]) -> None:
    assert_refused(peer.put(*PATH, json=body), 2001)


@audit("F056")
@pytest.mark.parametrize("patch", [{"valid": False}, {}])
def test_a_patch_needs_last_updated(written: PeerOf, patch: dict[str, Any]) -> None:
    assert_refused(written.patch(*PATH, json=patch), 2001)


@audit("F057")
@pytest.mark.parametrize(
    "key", [{"uid": "hack"}, {"party_id": "ZZZ"}, {"country_code": "FR"}, {"type": "APP_USER"}]
)
def test_a_patch_cannot_change_what_the_token_is_known_by(
    written: PeerOf, key: dict[str, str]
) -> None:
    assert written.patch(*PATH, json={**key, "last_updated": LATER}).json()["status_code"] == 2001


@audit("F058")
def test_a_patch_can_clear_a_field(written: PeerOf) -> None:
    data_of(written.patch(*PATH, json={"group_id": None, "last_updated": LATER}))
    answer = written.get(*PATH)
    assert "Group-1".lower() not in answer.text.lower()
    assert LATER in answer.text


@audit("F059")
def test_created_is_201_and_updated_200(peer: PeerOf) -> None:
    assert peer.put(*PATH, json=token()).status_code == 201
    assert peer.put(*PATH, json=token(valid=False)).status_code == 200


@audit("F105")
def test_a_write_is_answered_without_data(peer: PeerOf) -> None:
    assert "data" not in peer.put(*PATH, json=token()).json()
    patch = {"valid": False, "last_updated": LATER}
    assert "data" not in peer.patch(*PATH, json=patch).json()


@audit("F061")
@pytest.mark.parametrize("fields", [{"issuer": "a\r\nb\u0000"}, {"contract_id": "x\ty"}])
def test_control_characters_are_refused(peer: PeerOf, fields: dict[str, str]) -> None:
    assert peer.put(*PATH, json=token(**fields)).json()["status_code"] == 2001


@audit("F067")
@pytest.mark.parametrize("valid", ["yes", 1])
def test_booleans_are_booleans(peer: PeerOf, valid: object) -> None:
    assert peer.put(*PATH, json=token(valid=valid)).json()["status_code"] == 2001


@audit("F084")
def test_another_partys_token_can_be_neither_written_nor_read(
    subject: Subject, written: PeerOf
) -> None:
    other = subject.peer("FR*XXX")
    assert other.put(*PATH, json=token()).status_code == 404
    assert other.patch(*PATH, json={"valid": False, "last_updated": LATER}).status_code == 404
    assert other.get(*PATH).status_code == 404


@audit("F084", "F110", "F004")
def test_client_info_is_kept_and_not_shown_to_others(subject: Subject) -> None:
    hub = subject.hub()
    info = {
        "party_id": "TNM",
        "country_code": "DE",
        "role": "EMSP",
        "status": "CONNECTED",
        "last_updated": AT,
    }
    assert hub.put("hubclientinfo", "DE", "TNM", json=info).status_code == 201
    assert data_of(hub.get("hubclientinfo", "DE", "TNM")) == info
    assert subject.peer("FR*XXX").get("hubclientinfo", "DE", "TNM").status_code == 404
