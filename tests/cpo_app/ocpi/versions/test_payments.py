"""Payment terminals and captures, as a payment terminal provider sends them (mod_payments)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.payments.payments import PAYMENTS
from domain.versions import VERSIONS, ObjectKind, OcpiVersion
from tests.cpo_app.ocpi.conftest import Face, PeerSide
from tests.domain.schemas.samples import AT
from tests.peers.subjects import assert_refused, data_of

HAVING = [version for version in VERSIONS.values() if version.has(ObjectKind.TERMINAL)]
TERMINALS, CONFIRMATIONS = "payments/terminals", "payments/financial-advice-confirmations"
TERMINAL = {
    "terminal_id": "T-1",
    "city": "Gent",
    "country": "BEL",
    "coordinates": {"latitude": "51.047599", "longitude": "3.729944"},
    "invoice_creator": "CPO",
    "location_ids": [],
    "last_updated": AT,
}
CONFIRMATION: dict[str, Any] = {
    "id": "F-1",
    "authorization_reference": "A-1",
    "total_costs": {"before_taxes": 4.0, "taxes": [{"name": "VAT", "amount": 0.84}]},
    "currency": "EUR",
    "eft_data": ["Card **** 1234", "Amount EUR 4.84"],
    "capture_status_code": "SUCCESS",
    "last_updated": AT,
}


@pytest.fixture(params=HAVING, ids=lambda version: version.number)
def version(request: pytest.FixtureRequest) -> OcpiVersion:
    found: OcpiVersion = request.param
    return found


@pytest.mark.parametrize(("path", "sent"), [(TERMINALS, TERMINAL), (CONFIRMATIONS, CONFIRMATION)])
def test_what_is_sent_is_kept_and_shown(peer: PeerSide, path: str, sent: dict[str, Any]) -> None:
    object_id = sent.get("terminal_id", sent.get("id"))
    assert peer.post(path, json=sent).status_code == 201
    assert data_of(peer.get(f"{path}/{object_id}")) == sent
    changed = {**sent, "last_updated": "2026-01-01T00:00:00Z"}
    assert peer.post(path, json=changed).status_code == 200
    assert data_of(peer.get(f"{path}/{str(object_id).lower()}")) == changed


def test_a_terminal_may_be_no_more_than_its_id(peer: PeerSide) -> None:
    assert peer.post(TERMINALS, json={"terminal_id": "T-2"}).status_code == 201
    kept = data_of(peer.get(f"{TERMINALS}/T-2"))
    assert kept.keys() == {"terminal_id", "last_updated"}


def test_the_price_of_the_texts_own_example_is_taken(peer: PeerSide) -> None:
    sent = {**CONFIRMATION, "total_costs": {"excl_vat": 4.0, "incl_vat": 4.84}}
    assert peer.post(CONFIRMATIONS, json=sent).status_code == 201
    assert data_of(peer.get(f"{CONFIRMATIONS}/F-1")) == CONFIRMATION


@pytest.mark.parametrize(
    ("path", "wrong", "field"),
    [
        (TERMINALS, {**TERMINAL, "terminal_id": None}, "terminal_id"),
        (TERMINALS, {**TERMINAL, "invoice_creator": "BANK"}, "invoice_creator"),
        (CONFIRMATIONS, {**CONFIRMATION, "eft_data": []}, "eft_data"),
        (CONFIRMATIONS, {**CONFIRMATION, "total_costs": {"incl_vat": 4}}, "total_costs"),
        (CONFIRMATIONS, {**CONFIRMATION, "last_updated": None}, "last_updated"),
        (CONFIRMATIONS, [], ""),
    ],
)
def test_what_is_wrong_is_refused(peer: PeerSide, path: str, wrong: Any, field: str) -> None:
    answer = peer.post(path, json=wrong)
    assert_refused(answer, 2001)
    assert answer.json()["status_message"].startswith(field)


def test_another_peers_are_not_there(peer: PeerSide, face: Face) -> None:
    peer.post(TERMINALS, json=TERMINAL)
    side = face.connected("NL*OTH")
    other = replace(side, version=peer.version)
    assert_refused(other.get(f"{TERMINALS}/T-1"), 2000, 404)
    assert other.post(TERMINALS, json={**TERMINAL, "city": "Lille"}).status_code == 201
    assert data_of(peer.get(f"{TERMINALS}/T-1"))["city"] == "Gent"


def test_they_go_with_the_peer(peer: PeerSide, face: Face) -> None:
    peer.post(TERMINALS, json=TERMINAL)
    face.loop.run(face.peers.remove(peer.peer_id))
    assert face.loop.run(PAYMENTS.of(face.store.db).count({})) == 0


@pytest.mark.parametrize("number", [n for n, each in VERSIONS.items() if each not in HAVING])
def test_a_version_without_payments_has_no_such_path(peer: PeerSide, number: str) -> None:
    other = replace(peer, version=VERSIONS[number])
    assert_refused(other.get(f"{TERMINALS}/T-1"), 2000, 404)
    assert_refused(other.post(TERMINALS, json=TERMINAL), 2000, 404)
