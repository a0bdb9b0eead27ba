"""Who a peer is, is given by the operator: parties have one holder, what is not named waits, HUB is
his word alone, and a new platform of a party inherits nothing."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from starlette.responses import Response

from auth.credentials_header import encoded
from domain.errors import InvalidParameters
from domain.peers import parties, switches
from domain.peers.peer import Peer
from domain.peers.statuses import BLOCKED, DISCONNECTED, SUSPENDED
from domain.peers.switches import NotPossible
from domain.peers.terms import ANY_PARTY, Terms
from tests.conftest import Loop
from tests.cpo_app.ocpi.command_face import token
from tests.cpo_app.ocpi.conftest import Face, MakeFace, PeerSide
from tests.cpo_app.ocpi.push.objects import cdr, session
from tests.peers.emsp import Emsp, envelope
from tests.peers.subjects import data_of

SESSIONS, CDRS = ("sessions?date_from=2020-01-01T00:00:00Z", "cdrs?date_from=2020-01-01T00:00:00Z")
TNM = {"country_code": "DE", "party_id": "TNM", "uid": "X", "type": "RFID", "contract_id": "C"}


@pytest.fixture
def strict(make_face: MakeFace) -> Face:
    """As `cpo serve` is by default: what an invitation does not name waits."""
    return make_face(CPO_APPROVE_PEERS=False)


def shake(face: Face, emsp: Emsp, terms: Terms, **changed: Any) -> PeerSide:
    peer_id, token_a = face.invite("eMSP", terms)
    answer = post(face, token_a, emsp.credentials(**changed))
    return PeerSide(face, peer_id, data_of(answer)["token"])


def post(face: Face, token: str, body: Any, method: str = "POST") -> httpx.Response:
    headers = {"Authorization": encoded(token)}
    return httpx.request(method, face.module("credentials"), json=body, headers=headers, timeout=20)


def now(face: Face, peer: PeerSide) -> Peer:
    face.authenticator.forget()
    return face.loop.run(face.peers.get(peer.peer_id))


def do(face: Face, action: str, peer: PeerSide) -> int:
    face.authenticator.forget()
    return face.loop.run(getattr(switches, action)(face.store, peer.peer_id))


def role(emsp: Emsp, name: str, party: str | None = None) -> dict[str, Any]:
    first: dict[str, Any] = emsp.credentials()["roles"][0]
    where = {} if party is None else {"country_code": party[:2], "party_id": party[3:]}
    return {**first, "role": name, **where}


def test_what_an_invitation_does_not_name_waits_for_the_operators_yes(
    strict: Face, emsp: Emsp
) -> None:
    strict.keep("sessions", session("S1", token=TNM))
    peer = shake(strict, emsp, Terms())
    assert (now(strict, peer).parties, len(now(strict, peer).waiting)) == ([], 1)
    assert data_of(peer.get("locations")) == []
    assert data_of(peer.get(SESSIONS)) == []
    assert peer.put("tokens/DE/TNM/CARD-1", json=token()).status_code == 404
    named = {"OCPI-from-country-code": "DE", "OCPI-from-party-id": "TNM"}
    assert data_of(peer.get("locations")) == []
    assert peer.get(SESSIONS, headers=named).json()["status_code"] == 2001

    assert do(strict, "approve", peer) == 1

    strict.authenticator.forget()
    assert [one["id"] for one in data_of(peer.get(SESSIONS))] == ["S1"]
    assert peer.put("tokens/DE/TNM/CARD-1", json=token()).status_code == 201


def test_a_named_party_is_itself_at_once_and_no_other(strict: Face, emsp: Emsp) -> None:
    roles = [role(emsp, "EMSP"), role(emsp, "EMSP", "NL*ABC"), role(emsp, "CPO")]
    peer = shake(strict, emsp, Terms(parties=("de*tnm",), roles=("EMSP",)), roles=roles)
    is_now = now(strict, peer)
    assert is_now.parties == ["de*tnm"]
    assert [(one["role"], one["party_id"]) for one in is_now.waiting] == [
        ("EMSP", "ABC"),
        ("CPO", "TNM"),
    ]


@pytest.mark.parametrize("terms", [Terms(), ANY_PARTY, Terms(parties=("de*tnm",))])
def test_a_hub_is_one_by_the_operators_word_alone(
    make_face: MakeFace, emsp: Emsp, terms: Terms
) -> None:
    face = make_face(CPO_APPROVE_PEERS=True)
    peer = shake(face, emsp, terms, roles=[role(emsp, "HUB")])
    assert not now(face, peer).is_hub
    assert peer.put("tokens/SE/FAR/CARD-1", json=token("SE*FAR")).status_code == 404
    do(face, "approve", peer)
    assert now(face, peer).is_hub


@pytest.mark.parametrize("status", [SUSPENDED, BLOCKED, DISCONNECTED])
def test_a_party_stays_its_holders_whatever_becomes_of_it(
    face: Face, emsp: Emsp, status: str
) -> None:
    holder = face.connected("DE*TNM")
    holder.put("tokens/DE/TNM/CARD-1", json=token())
    leave = {SUSPENDED: "suspend", BLOCKED: "block"}.get(status)
    if leave:
        do(face, leave, holder)
    else:
        holder.request("DELETE", "credentials")
    _, token_a = face.invite("Impostor")
    refused = post(face, token_a, emsp.credentials())
    assert refused.json()["status_code"] == 2001

    hub = face.connected("NL*HUB", role="HUB")
    named = {"OCPI-from-country-code": "DE", "OCPI-from-party-id": "TNM"}
    assert hub.get("tokens/DE/TNM/CARD-1").status_code == 404
    assert hub.get(SESSIONS, headers=named).json()["status_code"] == 2001
    assert hub.put("tokens/DE/TNM/CARD-1", json=token(valid=False)).status_code == 404


def test_a_peer_cannot_put_itself_into_anothers_place(face: Face, emsp: Emsp) -> None:
    holder = face.connected("DE*VIC")
    peer = shake(face, emsp, ANY_PARTY)
    refused = peer.put("credentials", json=emsp.credentials(roles=[role(emsp, "EMSP", "DE*VIC")]))
    assert refused.json()["status_code"] == 2001
    assert now(face, peer).parties == ["de*tnm"]
    assert now(face, holder).parties == ["de*vic"]


def test_of_two_that_register_one_party_at_once_one_wins(face: Face, emsp: Emsp) -> None:
    invitations = [face.invite()[1] for _ in range(2)]
    both_arrived = asyncio.Event()

    async def details() -> Response:
        if len(emsp.asked("GET", "/details")) == 2:
            both_arrived.set()
        await both_arrived.wait()
        rows = [{"identifier": "credentials", "role": "SENDER", "url": f"{emsp.base_url}/c"}]
        return envelope({"version": "2.2.1", "endpoints": rows})

    emsp.answers["GET", "/details"] = details
    with ThreadPoolExecutor(2) as pool:
        tries = [pool.submit(post, face, token, emsp.credentials()) for token in invitations]
        codes = sorted(one.result().json()["status_code"] for one in tries)
    assert codes == [1000, 2001]
    holders = [peer for peer in face.loop.run(face.peers.all()) if peer.parties]
    assert [peer.status for peer in holders] == ["connected"]


def test_a_platform_that_we_connect_to_cannot_be_another(face: Face, emsp: Emsp) -> None:
    face.connected("DE*TNM")
    with pytest.raises(InvalidParameters, match="registered by another platform"):
        face.loop.run(face.joining.connect(emsp.versions_url, "token-a-of-theirs-0001"))
    assert len(emsp.asked("DELETE", "/credentials")) == 1
    assert len(face.loop.run(face.peers.all())) == 1


@pytest.mark.parametrize("party", ["DE*VIC", "DE*CPO"])
def test_a_rotation_brings_no_party_that_is_anothers_or_ours(
    face: Face, emsp: Emsp, party: str
) -> None:
    face.connected("DE*VIC")
    peer = shake(face, emsp, ANY_PARTY)
    name = "CPO" if party == "DE*CPO" else "EMSP"
    emsp.answers["PUT", "/credentials"] = envelope(
        emsp.credentials(token="next-token-of-theirs-001", roles=[role(emsp, name, party)])
    )
    with pytest.raises(InvalidParameters, match="roles: "):
        face.loop.run(face.renewal.rotate(peer.peer_id))
    after = now(face, peer)
    assert after.parties == ["de*tnm"]
    assert face.peers.their_token(after) == "next-token-of-theirs-001"
    assert after.last_error is not None and "rotation" in after.last_error["text"]


def test_a_new_platform_of_a_party_inherits_nothing(face: Face, loop: Loop) -> None:
    first = face.connected("DE*TNM")
    first.put("tokens/DE/TNM/CARD-1", json=token())
    face.keep("sessions", session("S1", token=TNM))
    face.keep("cdrs", cdr("C1", "S1", token=TNM))
    face.loop.run(parties.release(face.store, "de*tnm"))
    assert data_of(now_of(face, first).get(SESSIONS)) == []

    second = face.connected("DE*TNM")
    assert data_of(second.get(SESSIONS)) == data_of(second.get(CDRS)) == []
    assert second.get("tokens/DE/TNM/CARD-1").status_code == 404
    patched = second.patch(
        "tokens/DE/TNM/CARD-1", json={"valid": False, "last_updated": "2026-06-01T10:00:00Z"}
    )
    assert patched.status_code == 404
    # Its own card of that number is a new one.
    assert second.put("tokens/DE/TNM/CARD-1", json=token()).status_code == 201
    assert second.get("tokens/DE/TNM/CARD-1").status_code == 200


def test_the_operator_moves_a_party_with_all_that_was_made_for_it(face: Face) -> None:
    first = face.connected("DE*TNM", "DE*OLD")
    first.put("tokens/DE/TNM/CARD-1", json=token())
    face.keep("sessions", session("S1", token=TNM))
    second = face.connected("DE*NEW")

    face.loop.run(parties.move(face.store, "de*tnm", second.peer_id))

    assert now(face, first).parties == ["de*old"]
    assert data_of(first.get(SESSIONS)) == []
    # It says so in its credentials, and is it.
    roles = [
        {"role": "EMSP", "country_code": "DE", "party_id": name, "business_details": {"name": name}}
        for name in ("NEW", "TNM")
    ]
    moment = face.peers.now()
    face.loop.run(
        face.peers.connect(
            second.peer_id, our_token=second.token, their_token="x" * 20, now=moment, roles=roles
        )
    )
    face.authenticator.forget()
    assert [one["id"] for one in data_of(second.get(SESSIONS))] == ["S1"]
    assert second.get("tokens/DE/TNM/CARD-1").status_code == 200


def test_resume_looks_at_the_claims(face: Face, emsp: Emsp) -> None:
    holder = face.connected("DE*TNM")
    do(face, "suspend", holder)

    async def lost() -> None:
        claims = face.store.db["party_claims"]
        await claims.update_one({"_id": "de*tnm"}, {"$set": {"peer_id": "peer-other"}})

    face.loop.run(lost())
    with pytest.raises(NotPossible, match="DE/TNM is another peer's"):
        do(face, "resume", holder)


def now_of(face: Face, peer: PeerSide) -> PeerSide:
    face.authenticator.forget()
    return peer
