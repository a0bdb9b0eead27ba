"""Tokens that a peer pushes in its version: kept as one inner Token, given back in any version."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from db_interface.json_data import JsonObject
from domain.versions import INNER_VERSION, VERSIONS, ObjectKind, OcpiVersion
from tests.cpo_app.ocpi.conftest import PeerSide
from tests.domain.schemas.samples import token
from tests.peers.subjects import assert_refused, data_of

PATH = "tokens/DE/TNM/AbC-1"
LATER = "2026-06-01T10:00:00Z"
PLAIN = [number for number, each in VERSIONS.items() if each.description.has_parties]
BARE = [number for number, each in VERSIONS.items() if not each.description.has_parties]


def theirs(version: OcpiVersion, **fields: Any) -> JsonObject:
    return version.render(ObjectKind.TOKEN, token(**fields)).object


def test_a_token_is_kept_changed_and_given_back(peer: PeerSide) -> None:
    given = theirs(peer.version)
    assert peer.put(PATH, json=given).status_code == 201
    assert data_of(peer.get(PATH)) == given
    changed = theirs(peer.version, valid=False)
    assert peer.put(PATH, json=changed).status_code == 200
    patch = {"issuer": "New", "last_updated": LATER}
    assert peer.patch(PATH, json=patch).status_code == 200
    assert data_of(peer.get("tokens/de/tnm/abc-1")) == {**changed, **patch}


def test_it_is_the_same_token_in_every_version(peer: PeerSide) -> None:
    peer.put(PATH, json=theirs(peer.version))
    for version in VERSIONS.values():
        other = replace(peer, version=version)
        assert data_of(other.get(PATH)) == theirs(version)


def test_a_patch_needs_last_updated_where_the_text_says_so(peer: PeerSide) -> None:
    peer.put(PATH, json=theirs(peer.version))
    answer = peer.patch(PATH, json={"issuer": "New"})
    if peer.version.description.patches_need_last_updated:
        assert_refused(answer, 2001)
    else:
        assert data_of(peer.get(PATH))["issuer"] == "New"


def test_a_wrong_token_is_refused_with_the_versions_own_words(peer: PeerSide) -> None:
    name = "contract_id" if peer.version.description.has_parties else "auth_id"
    wrong = {**theirs(peer.version), name: None}
    assert_refused(peer.put(PATH, json=wrong), 2001)
    assert name in peer.put(PATH, json=wrong).json()["status_message"]
    assert_refused(peer.put("tokens/DE/TNM/OTHER", json=theirs(peer.version)), 2001)


def test_another_partys_tokens_are_not_there(peer: PeerSide) -> None:
    path = "tokens/NL/OTH/AbC-1"
    for method in ("GET", "PUT", "PATCH"):
        answer = peer.request(method, path, json=theirs(peer.version))
        assert_refused(answer, 2001, 404)


@pytest.mark.parametrize("number", BARE)
def test_a_version_without_types_in_urls_means_the_rfid_token_first(
    peer: PeerSide, number: str
) -> None:
    bare = replace(peer, version=VERSIONS[number])
    inner = replace(peer, version=INNER_VERSION)
    inner.put(f"{PATH}?type=APP_USER", json=token(type="APP_USER", issuer="App"))
    assert data_of(bare.get(PATH))["issuer"] == "App"
    inner.put(PATH, json=token(issuer="Card"))
    assert data_of(bare.get(PATH))["issuer"] == "Card"
    assert bare.patch(PATH, json={"issuer": "Patched"}).status_code == 200
    assert data_of(inner.get(PATH))["issuer"] == "Patched"
    assert data_of(inner.get(f"{PATH}?type=APP_USER"))["issuer"] == "App"


@pytest.mark.parametrize("number", BARE)
def test_a_patch_keeps_what_the_version_cannot_say(peer: PeerSide, number: str) -> None:
    bare = replace(peer, version=VERSIONS[number])
    inner = replace(peer, version=INNER_VERSION)
    inner.put(PATH, json=token(group_id="G-1"))
    bare.patch(PATH, json={"auth_id": "NEW-1"})
    kept = data_of(inner.get(PATH))
    assert (kept["group_id"], kept["contract_id"]) == ("G-1", "NEW-1")


@pytest.mark.parametrize("number", VERSIONS)
def test_the_cars_own_contract_is_the_same_token_where_a_version_has_no_name_for_it(
    peer: PeerSide, number: str
) -> None:
    """2.3.0's EMAID is an OTHER in 2.2.1: found, written and changed as that, and still EMAID."""
    *_, newest = VERSIONS.values()
    modern, other = replace(peer, version=newest), replace(peer, version=VERSIONS[number])
    assert modern.put(f"{PATH}?type=EMAID", json=token(type="EMAID")).status_code == 201
    said = other.version.token_type("EMAID")
    query = f"?type={said}" if other.version.description.tokens_have_types_in_urls else ""
    assert data_of(other.get(PATH + query))["type"] == said
    changed = theirs(other.version, type="EMAID", issuer="New")
    assert other.put(PATH + query, json=changed).status_code == 200
    assert (
        other.patch(PATH + query, json={"valid": False, "last_updated": LATER}).status_code == 200
    )
    kept = data_of(modern.get(f"{PATH}?type=EMAID"))
    assert (kept["type"], kept["issuer"], kept["valid"]) == ("EMAID", "New", False)
    if said != "EMAID":
        assert_refused(modern.get(f"{PATH}?type={said}"), 2004, 404)
