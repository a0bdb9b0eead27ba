"""Several parties on one platform, several on the peer's side, and hubs between them."""

from __future__ import annotations

from typing import Any

import pytest

from db_interface.owned_objects import OwnedObject
from domain.peers import client_switches
from domain.peers.switches import NotPossible
from domain.schemas import parse_datetime
from domain.visibility import audience_of_token_holder
from tests.cpo_app.ocpi.audit.test_objects import session
from tests.cpo_app.ocpi.conftest import Face, MakeFace, PeerSide
from tests.domain.schemas.samples import cdr, location, token
from tests.peers.subjects import assert_refused, data_of

ALL = "?date_from=2020-01-01T00:00:00Z"


def to(country_code: str, party_id: str) -> dict[str, str]:
    return {"OCPI-to-country-code": country_code, "OCPI-to-party-id": party_id}


def from_(country_code: str, party_id: str) -> dict[str, str]:
    return {"OCPI-from-country-code": country_code, "OCPI-from-party-id": party_id}


@pytest.fixture
def platform(make_face: MakeFace) -> Face:
    """Hosts NL*EVC and DE*ABC; each has a location S1, and one of its own."""
    face = make_face(CPO_PARTIES="NL/EVC=First, DE/ABC=Second")
    for country_code, party_id in (("NL", "EVC"), ("DE", "ABC")):
        owner = {"country_code": country_code, "party_id": party_id}
        face.keep_locations(
            location(id="S1", city=party_id, **owner), location(id=party_id, **owner)
        )
    return face


def listed(peer: PeerSide, headers: dict[str, str]) -> tuple[list[str], str]:
    page = peer.get("locations", headers=headers)
    cities = [f"{row['party_id']}/{row['id']}" for row in data_of(page)]
    return cities, page.headers["x-total-count"]


def test_lists_follow_the_party_addressed(platform: Face) -> None:
    peer = platform.connected("DE*TNM")
    assert listed(peer, {}) == (["EVC/S1", "EVC/EVC", "ABC/S1", "ABC/ABC"], "4")
    assert listed(peer, to("NL", "EVC")) == (["EVC/S1", "EVC/EVC"], "2")
    assert listed(peer, to("de", "abc")) == (["ABC/S1", "ABC/ABC"], "2")


def test_single_objects_follow_the_party_addressed(platform: Face) -> None:
    peer = platform.connected("DE*TNM")
    for country_code, party_id in (("NL", "EVC"), ("DE", "ABC")):
        headers = to(country_code, party_id)
        assert data_of(peer.get("locations/S1", headers=headers))["city"] == party_id
    assert_refused(peer.get("locations/ABC", headers=to("NL", "EVC")), 2003, 404)


def test_another_party_is_not_here(platform: Face) -> None:
    peer = platform.connected("DE*TNM")
    refused = peer.get("locations", headers=to("FR", "XXX"))
    assert_refused(refused, 2001, 404)
    assert "FR/XXX" in refused.json()["status_message"]


@pytest.mark.parametrize(
    "headers",
    [
        {"OCPI-to-party-id": "EVC"},
        {"OCPI-to-country-code": "NL"},
        to("NLD", "EVC"),
        to("NL", "EV"),
        {"OCPI-from-country-code": "DE", "OCPI-from-party-id": ""},
    ],
)
def test_half_a_party_is_none(platform: Face, headers: dict[str, str]) -> None:
    assert_refused(platform.connected("DE*TNM").get("locations", headers=headers), 2001)


def test_configuration_modules_are_not_routed(platform: Face) -> None:
    peer = platform.connected("DE*TNM")
    headers = {**to("FR", "XXX"), **from_("DE", "TNM")}
    for url in (f"{platform.ocpi}/versions", "credentials"):
        answer = peer.get(url, headers=headers)
        assert answer.status_code == 200
        assert not [name for name in answer.headers if name.startswith("ocpi-")]


def test_credentials_name_all_parties(platform: Face) -> None:
    roles = data_of(platform.connected("DE*TNM").get("credentials"))["roles"]
    assert [(role["country_code"], role["party_id"], role["business_details"]["name"])
            for role in roles] == [("NL", "EVC", "First"), ("DE", "ABC", "Second")]  # fmt: skip
    assert {role["role"] for role in roles} == {"CPO"}


def of(holder: str, **fields: Any) -> dict[str, Any]:
    cdr_token = {**cdr()["cdr_token"], "country_code": holder[:2], "party_id": holder[3:]}
    return session(cdr_token=cdr_token, **fields)


def keep_sessions(face: Face, *sessions: dict[str, Any]) -> None:
    for row in sessions:
        face.keep(
            "sessions",
            OwnedObject(
                "BE",
                "BEC",
                (row["id"],),
                row,
                parse_datetime(row["last_updated"]),
                audience_of_token_holder(row["cdr_token"]),
            ),
        )


def session_ids(peer: PeerSide, **headers: str) -> list[str]:
    return [row["id"] for row in data_of(peer.get(f"sessions{ALL}", headers=headers))]


def test_sessions_go_to_the_party_whose_token_was_used(face: Face) -> None:
    keep_sessions(face, of("DE*TNM", id="a"), of("DE*OTH", id="b"), of("de*tnm", id="c"))
    both = face.connected("DE*TNM", "DE*OTH")
    assert session_ids(both) == ["a", "b", "c"]
    assert session_ids(both, **from_("DE", "TNM")) == ["a", "c"]
    assert session_ids(both, **from_("DE", "OTH")) == ["b"]
    assert session_ids(face.connected("FR*XXX")) == []


def test_a_peer_speaks_only_for_its_own_parties(face: Face, peer: PeerSide) -> None:
    refused = peer.get("locations", headers=from_("FR", "XXX"))
    assert_refused(refused, 2001, 404)


def test_a_hub_speaks_for_its_clients_but_not_for_other_peers(face: Face, peer: PeerSide) -> None:
    keep_sessions(face, of("DE*TNM", id="a"), of("FR*CLI", id="b"))
    hub = face.connected("NL*HUB", role="HUB")
    for client in ("CLI", "OTH"):
        assert_refused(hub.get(f"sessions{ALL}", headers=from_("FR", client)), 2001, 404)
    assert session_ids(hub) == []
    face.approve(hub, "FR*CLI")
    assert session_ids(hub) == ["b"]
    assert session_ids(hub, **from_("FR", "CLI")) == ["b"]
    assert session_ids(hub, **from_("NL", "HUB")) == []
    assert_refused(hub.get(f"sessions{ALL}", headers=from_("DE", "TNM")), 2001, 404)
    client = token(country_code="FR", party_id="CLI")  # type: ignore[assignment]
    assert hub.put("tokens/FR/CLI/AbC-1", json=client).status_code == 201
    assert peer.put("tokens/DE/TNM/AbC-1", json=token()).status_code == 201
    for foreign in (hub.put("tokens/DE/TNM/AbC-1", json=token()), hub.get("tokens/DE/TNM/AbC-1")):
        assert_refused(foreign, 2001, 404)


@pytest.mark.parametrize("status", ["connected", "suspended", "blocked"])
def test_a_party_with_a_connection_of_its_own_is_no_hubs_in_any_status(
    face: Face, peer: PeerSide, status: str
) -> None:
    """Not when it registers later either: the hub loses it in that moment."""
    hub = face.connected("NL*HUB", role="HUB")
    face.approve(hub, "FR*CLI")
    keep_sessions(face, of("FR*CLI", id="b"), of("DE*TNM", id="a"))
    client = face.connected("FR*CLI")
    for side in (peer, client):
        face.loop.run(face.peers.set(side.peer_id, face.peers.now(), status=status))
    with pytest.raises(NotPossible, match="connection of its own"):
        face.approve(hub, "DE*TNM")
    info = {"country_code": "DE", "party_id": "TNM", "role": "EMSP", "status": "CONNECTED"}
    info["last_updated"] = "2025-05-01T12:00:00Z"
    assert hub.put("hubclientinfo/DE/TNM", json=info).status_code == 201
    face.loop.run(client_switches.decide_all(face.store, hub.peer_id, approved=True))
    face.authenticator.forget()
    assert session_ids(hub) == []
    for party in (from_("DE", "TNM"), from_("FR", "CLI")):
        assert_refused(hub.get(f"sessions{ALL}", headers=party), 2001, 404)


def test_answers_name_the_parties_swapped_even_when_they_are_errors(
    face: Face, peer: PeerSide
) -> None:
    headers = {**from_("DE", "TNM"), **to("DE", "CPO")}
    answer = peer.get("locations/NOPE", headers=headers)
    assert answer.headers["ocpi-to-party-id"] == "TNM"
    assert answer.headers["ocpi-from-party-id"] == "CPO"
