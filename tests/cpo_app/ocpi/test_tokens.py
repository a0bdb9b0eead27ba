"""Tokens and ClientInfo as peers keep them with us: what the audit suite does not ask."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest

from tests.cpo_app.ocpi.conftest import Face, PeerSide
from tests.domain.schemas.samples import AT, token
from tests.peers.subjects import assert_refused, data_of

PATH = "tokens/DE/TNM/AbC-1"
LATER = "2024-06-01T10:00:00Z"


def test_ids_are_found_in_any_case_and_keep_their_first(peer: PeerSide) -> None:
    assert peer.put(PATH, json=token()).status_code == 201
    assert peer.put("tokens/de/tnm/ABC-1", json=token(uid="abc-1", valid=False)).status_code == 200
    patch = {"issuer": "New", "last_updated": LATER, "uid": "ABC-1"}
    assert peer.patch("tokens/De/Tnm/abC-1", json=patch).status_code == 200
    kept = data_of(peer.get("tokens/dE/tNm/aBC-1"))
    assert (kept["valid"], kept["issuer"], kept["last_updated"]) == (False, "New", LATER)
    assert kept["uid"].lower() == "abc-1"


def test_a_put_is_the_whole_token(peer: PeerSide) -> None:
    peer.put(PATH, json=token(group_id="G", visual_number="V"))
    peer.put(PATH, json=token())
    assert data_of(peer.get(PATH)) == token()


def test_a_patch_changes_only_what_it_names(peer: PeerSide) -> None:
    peer.put(PATH, json=token(group_id="G", energy_contract={"supplier_name": "S"}))
    patch = {"energy_contract": {"supplier_name": "T"}, "last_updated": LATER}
    assert data_of(peer.patch(PATH, json=patch)) is None
    assert data_of(peer.get(PATH)) == token(
        group_id="G", energy_contract={"supplier_name": "T"}, last_updated=LATER
    )


@pytest.mark.parametrize(
    "patch",
    [
        {"valid": None, "last_updated": LATER},
        {"valid": "yes", "last_updated": LATER},
        {"last_updated": None},
        {"last_updated": "2024-06-01"},
        {"issuer": "x" * 65, "last_updated": LATER},
        [],
    ],
)
def test_a_bad_patch_changes_nothing(peer: PeerSide, patch: Any) -> None:
    peer.put(PATH, json=token())
    assert_refused(peer.patch(PATH, json=patch), 2001)
    assert data_of(peer.get(PATH)) == token()


def test_a_token_that_is_not_there_cannot_be_patched(peer: PeerSide) -> None:
    assert_refused(peer.patch(PATH, json={"last_updated": LATER}), 2004, 404)


def test_an_unknown_type_is_refused(peer: PeerSide) -> None:
    for method in ("GET", "PUT", "PATCH"):
        assert_refused(peer.request(method, f"{PATH}?type=NOPE", json=token()), 2001)


def test_a_type_unlike_the_urls_is_refused(peer: PeerSide) -> None:
    assert_refused(peer.put(PATH, json=token(type="APP_USER")), 2001)
    assert_refused(peer.put(f"{PATH}?type=APP_USER", json=token()), 2001)


def test_unknown_fields_do_no_harm(peer: PeerSide) -> None:
    assert peer.put(PATH, json=token(vendor={"x": 1}, self=1, cls=2)).status_code == 201
    assert data_of(peer.get(PATH)) == token()


@pytest.mark.parametrize("uid", ["a b", "a%b", "a*b", "x" * 36, "ä".encode().decode("latin-1")[:1]])
def test_ids_with_odd_signs_are_found_again(peer: PeerSide, uid: str) -> None:
    written = peer.request("PUT", _encoded(uid), json=token(uid=uid))
    if uid.isascii():
        assert written.status_code == 201
        assert data_of(peer.get(_encoded(uid)))["uid"] == uid
    else:
        assert_refused(written, 2001)


def _encoded(uid: str) -> str:
    return f"tokens/DE/TNM/{quote(uid, safe='')}"


def test_many_writes_of_one_new_token_at_once_are_one_token(face: Face, peer: PeerSide) -> None:
    def write(n: int) -> int:
        return peer.put(PATH, json=token(issuer=f"issuer {n}")).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(write, range(16)))
    assert sorted(statuses) == [200] * 15 + [201]
    found = face.loop.run(face.store.objects("tokens").documents({}))
    assert [document["_id"] for document in found] == ["de/tnm/rfid/abc-1"]


def test_patches_at_once_all_count(peer: PeerSide) -> None:
    peer.put(PATH, json=token())
    patches = [{"group_id": "G"}, {"visual_number": "V"}, {"language": "de"}, {"issuer": "I"}]

    def write(patch: dict[str, str]) -> int:
        return peer.patch(PATH, json={**patch, "last_updated": LATER}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(write, patches)) == [200] * 4
    assert data_of(peer.get(PATH)) == token(
        group_id="G", visual_number="V", language="de", issuer="I", last_updated=LATER
    )


INFO = {
    "party_id": "CLI",
    "country_code": "FR",
    "role": "CPO",
    "status": "CONNECTED",
    "last_updated": AT,
}


def test_client_info_is_a_hubs_to_send(peer: PeerSide) -> None:
    assert_refused(peer.put("hubclientinfo/FR/CLI", json=INFO), 2001)
    assert_refused(peer.get("hubclientinfo/FR/CLI"), 2000, 404)


def test_each_hub_has_its_own_word_on_a_party(face: Face) -> None:
    one, two = face.connected("NL*HB1", role="HUB"), face.connected("NL*HB2", role="HUB")
    path = "hubclientinfo/FR/CLI"
    assert one.put(path, json=INFO).status_code == 201
    assert one.put(path, json=INFO).status_code == 200
    assert two.put("hubclientinfo/fr/cli", json={**INFO, "status": "OFFLINE"}).status_code == 201
    assert data_of(one.get(path)) == INFO
    assert data_of(two.get(path))["status"] == "OFFLINE"


@pytest.mark.parametrize("wrong", [{"party_id": "OTH"}, {"status": "NOPE"}, {"role": None}])
def test_client_info_must_be_right(face: Face, wrong: dict[str, Any]) -> None:
    hub = face.connected("NL*HUB", role="HUB")
    assert_refused(hub.put("hubclientinfo/FR/CLI", json={**INFO, **wrong}), 2001)
    assert_refused(hub.get("hubclientinfo/FR/CLI"), 2000, 404)
