"""Hubs that name the parties behind them in their credentials, as OCPI 2.3.0 wants it."""

from __future__ import annotations

from typing import Any

import pytest

from domain.peers import hub_clients
from domain.versions import VERSIONS, ObjectKind, OcpiVersion
from tests.cpo_app.ocpi.conftest import Face, PeerSide
from tests.cpo_app.ocpi.versions.test_registering import asked, stored
from tests.peers.emsp import Emsp
from tests.peers.subjects import data_of

NAMING = [
    version
    for version in VERSIONS.values()
    if "hub_party_id" in version.models[ObjectKind.CREDENTIALS].__fields__
]


@pytest.fixture(params=NAMING, ids=lambda version: version.number)
def version(request: pytest.FixtureRequest) -> OcpiVersion:
    found: OcpiVersion = request.param
    return found


def role(party: str, name: str = "EMSP") -> dict[str, Any]:
    return {
        "role": name,
        "country_code": party[:2],
        "party_id": party[3:],
        "business_details": {"name": party},
    }


def credentials(emsp: Emsp, *roles: dict[str, Any]) -> dict[str, Any]:
    return {**emsp.credentials(roles=list(roles)), "hub_party_id": "NLHUB"}


def clients(peer: PeerSide) -> dict[str, str]:
    found = peer.face.loop.run(hub_clients.of_hub(peer.face.store.db, peer.peer_id))
    return {client["party"]: client["status"] for client in found}


@pytest.mark.parametrize("own", [[role("NL*HUB", "OTHER")], []], ids=["named", "not named"])
def test_a_hubs_roles_are_its_own_and_the_others_its_clients(
    face: Face, emsp: Emsp, version: OcpiVersion, own: list[dict[str, Any]]
) -> None:
    emsp.version = version.number
    peer_id, token_a = face.invite()
    body = credentials(emsp, role("DE*ONE"), *own, role("FR*TWO"), role("DE*CPO", "CPO"))
    token = data_of(asked(face, version, token_a, "POST", body))["token"]
    hub = PeerSide(face, peer_id, token, version)
    kept = stored(hub)
    assert (kept.is_hub, kept.parties) == (True, ["nl*hub"])
    assert clients(hub) == {"de*one": "CONNECTED", "fr*two": "CONNECTED"}
    face.approve(hub, "DE*ONE")
    assert stored(hub).clients == ["de*one"]

    body = credentials(emsp, *own, role("DE*ONE"))
    answer = asked(face, version, token, "PUT", body)
    hub = PeerSide(face, peer_id, data_of(answer)["token"], version)
    assert clients(hub) == {"de*one": "CONNECTED", "fr*two": "OFFLINE"}
    assert stored(hub).clients == ["de*one"]
