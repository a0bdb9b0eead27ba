"""Registration in each version: its credentials, its way to show tokens, its endpoints; moving."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from db_interface.json_data import JsonObject
from domain.outbox.marks import MARKS
from domain.peers.peer import Peer
from domain.peers.version_moves import Moved, VersionMoves
from domain.schemas import validate
from domain.versions import VERSIONS, ObjectKind, OcpiVersion
from domain.views.making import view_of
from tests.cpo_app.ocpi.conftest import Face, PeerSide, shown
from tests.cpo_app.ocpi.versions.objects import publish_locations
from tests.peers.emsp import Emsp, envelope
from tests.peers.subjects import assert_refused, data_of


@pytest.fixture
def emsp(emsp: Emsp, version: OcpiVersion) -> Emsp:
    """An eMSP whose platform speaks the version."""
    emsp.version = version.number
    return emsp


def credentials(emsp: Emsp, version: OcpiVersion) -> JsonObject:
    """The eMSP's credentials as the version has them."""
    return version.render(ObjectKind.CREDENTIALS, emsp.credentials()).object


def asked(
    face: Face, version: OcpiVersion, token: str, method: str, body: Any = None
) -> httpx.Response:
    return httpx.request(
        method,
        face.module("credentials", version),
        json=body,
        headers={"Authorization": shown(token, version)},
        timeout=20,
    )


def registered(face: Face, emsp: Emsp, version: OcpiVersion) -> PeerSide:
    peer_id, token_a = face.invite()
    answer = asked(face, version, token_a, "POST", credentials(emsp, version))
    return PeerSide(face, peer_id, data_of(answer)["token"], version)


def stored(peer: PeerSide) -> Peer:
    return peer.face.loop.run(peer.face.peers.get(peer.peer_id))


def test_a_peer_registers_in_its_version(face: Face, emsp: Emsp, version: OcpiVersion) -> None:
    peer_id, token_a = face.invite()
    answer = asked(face, version, token_a, "POST", credentials(emsp, version))
    ours = data_of(answer)
    assert validate(version.models[ObjectKind.CREDENTIALS], ours) == ours
    assert ours["url"] == f"{face.ocpi}/versions"
    peer = PeerSide(face, peer_id, ours["token"], version)
    kept = stored(peer)
    assert (kept.version, kept.status) == (version.number, "connected")
    assert kept.parties == ["de*tnm"]
    assert kept.endpoint("locations", "RECEIVER") == f"{emsp.base_url}/locations"
    assert kept.endpoint("tokens", "SENDER") == f"{emsp.base_url}/tokens"
    assert data_of(peer.get("credentials")) == ours
    assert peer.get("locations").status_code == 200


def test_the_peers_platform_is_shown_its_token_as_the_version_wants(
    face: Face, emsp: Emsp, version: OcpiVersion
) -> None:
    registered(face, emsp, version)
    (seen,) = emsp.asked("GET", "/versions")
    assert seen.headers["authorization"] == shown(emsp.token, version)
    (seen,) = emsp.asked("GET", "/details")
    assert seen.headers["authorization"] == shown(emsp.token, version)


def test_endpoints_without_roles_are_the_other_sides(
    face: Face, emsp: Emsp, version: OcpiVersion
) -> None:
    rows = [
        {"identifier": name, "url": f"{emsp.base_url}/{name}"}
        for name in ("credentials", "locations", "tokens", "commands")
    ]
    emsp.answers["GET", "/details"] = envelope({"version": version.number, "endpoints": rows})
    kept = stored(registered(face, emsp, version))
    roles = {row["identifier"]: row["role"] for row in kept.endpoints}
    assert roles == {
        "credentials": "RECEIVER",
        "locations": "RECEIVER",
        "tokens": "SENDER",
        "commands": "SENDER",
    }


def test_a_platform_that_does_not_speak_the_urls_version_is_refused(
    face: Face, emsp: Emsp, version: OcpiVersion
) -> None:
    emsp.version = "2.0"
    _, token_a = face.invite()
    answer = asked(face, version, token_a, "POST", credentials(emsp, version))
    assert_refused(answer, 3002)
    assert version.number in answer.json()["status_message"]


def test_wrong_credentials_are_refused_in_the_versions_words(
    face: Face, emsp: Emsp, version: OcpiVersion
) -> None:
    _, token_a = face.invite()
    for name in credentials(emsp, version):
        wrong = {**credentials(emsp, version), name: None}
        answer = asked(face, version, token_a, "POST", wrong)
        assert_refused(answer, 2001)
        assert answer.json()["status_message"].startswith(name)


def test_registered_or_not_the_methods_are_the_texts(
    face: Face, emsp: Emsp, version: OcpiVersion
) -> None:
    _, token_a = face.invite()
    body = credentials(emsp, version)
    for method in ("PUT", "DELETE"):
        assert_refused(asked(face, version, token_a, method, body), 2000, 405)
    peer = registered(face, replace(emsp, parties=("DE*TN2",)), version)
    assert_refused(asked(face, version, peer.token, "POST", body), 2000, 405)
    assert asked(face, version, peer.token, "DELETE").status_code == 200
    assert_refused(peer.get("locations"), 2000, 401)


@pytest.mark.parametrize("number", VERSIONS)
def test_a_put_at_another_versions_endpoint_moves_the_peer(
    face: Face, emsp: Emsp, version: OcpiVersion, number: str
) -> None:
    peer, other = registered(face, emsp, version), VERSIONS[number]
    emsp.version = number
    before = replace(peer, version=other).get("locations")
    assert before.status_code == 200, "both answer before the change"
    answer = asked(face, other, peer.token, "PUT", credentials(emsp, other))
    moved = PeerSide(face, peer.peer_id, data_of(answer)["token"], other)
    assert peer.get("locations").status_code == 200, (
        "the old one may read until the new one is used"
    )
    assert stored(moved).version == number
    assert moved.get("locations").status_code == 200
    assert replace(moved, version=version).get("locations").status_code == 200


@pytest.mark.parametrize("number", VERSIONS)
def test_what_only_one_of_both_versions_can_say_is_sent_or_taken_away(
    face: Face, emsp: Emsp, version: OcpiVersion, number: str
) -> None:
    publish_locations(face, 1, publish=False)
    peer, other = registered(face, emsp, version), VERSIONS[number]
    assert marked(face, peer) == []
    emsp.version = number
    data_of(asked(face, other, peer.token, "PUT", credentials(emsp, other)))
    # The process may die here: whoever comes next sees to it.
    moves = VersionMoves(face.store)
    done = face.loop.run(moves.round())
    hides, hid = other.description.shows_only_published, version.description.shows_only_published
    moved = Moved(opened=int(hid and not hides), closed=int(hides and not hid))
    assert done == ([] if other is version else [moved])
    assert marked(face, peer) == (["de/cpo/loc0"] if hides is not hid else [])
    assert face.loop.run(moves.round()) == []


def marked(face: Face, peer: PeerSide) -> list[str]:
    found = face.loop.run(MARKS.of(face.store.db).find({"peer_id": peer.peer_id}))
    return [mark["key"] for mark in found]


def test_our_party_is_the_platforms_own_where_there_is_room_for_one(
    face: Face, version: OcpiVersion, peer: PeerSide
) -> None:
    ours = data_of(peer.get("credentials"))
    role = ours if not version.description.has_parties else ours["roles"][0]
    assert (role["country_code"], role["party_id"]) == ("DE", "CPO")
    assert role["business_details"]["name"] == "OCPI CPO backend"


def test_what_is_written_after_a_registration_is_kept_in_its_version(
    face: Face, emsp: Emsp, version: OcpiVersion
) -> None:
    """At once, by the process that it came to: nobody need make it for it to read."""
    publish_locations(face, 1)  # what is in use is looked up by now
    registered(face, emsp, version)
    publish_locations(face, 1, name="Changed")
    (row,) = face.loop.run(face.store.objects("locations").documents({}))
    view = view_of(version)
    assert view.same_if_absent or view.name in row["views"]
