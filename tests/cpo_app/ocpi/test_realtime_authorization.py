"""Real-time authorization on the wire: what an eMSP gets, and what becomes of its faults."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.responses import Response

from cpo_app.ocpi.peer_services.realtime_authorization import authorize_url
from db_interface.database import Database
from domain.authorization.authorization import Authorizer, Decision
from domain.authorization.authorization_answer import Question
from domain.authorization.unknown_cards import PER_CARD, PER_EVSE, UNKNOWN_CARDS
from domain.objects.tokens import owned_token
from domain.versions import INNER_VERSION
from tests.conftest import Loop
from tests.cpo_app.ocpi.raw_peer import RawPeer, http
from tests.cpo_app.ocpi.token_worlds import TokenWorld, token_world
from tests.domain.authorization.test_authorization import CARD, EVSE, LOCATION, NOW, token
from tests.peers.emsp import envelope


@pytest.fixture
def world(db: Database, loop: Loop) -> Iterator[TokenWorld]:
    with token_world(db, loop) as world:
        yield world


def know(world: TokenWorld, *tokens: dict[str, Any]) -> None:
    for one in tokens:
        world.loop.run(world.store.create("tokens", owned_token(one)))


def swipe(world: TokenWorld, uid: str = CARD, timeout_s: float = 5.0) -> Decision:
    authorizer = Authorizer(world.store, world.realtime(), timeout_s=timeout_s)
    return world.loop.run(authorizer.at_reader(uid, "RFID", LOCATION, EVSE, NOW))


def test_the_request_is_as_the_text_says(world: TokenWorld) -> None:
    emsp, peer_id = world.emsp()
    know(world, token())
    emsp.words[CARD] = {
        "allowed": "ALLOWED",
        "token": token(),
        "authorization_reference": "REF-1",
        "location": {"location_id": "LOC1", "evse_uids": ["CP-001"]},
    }
    decision = swipe(world)
    assert (decision.charges, decision.authorization_reference) == (True, "REF-1")
    assert decision.peer_id == peer_id
    (asked,) = emsp.requests
    assert (asked.method, asked.path) == ("POST", f"/tokens/{CARD}/authorize")
    assert asked.query == {"type": "RFID"}
    assert json.loads(asked.body) == {"location_id": "LOC1", "evse_uids": ["CP-001"]}
    routing = {name: value for name, value in asked.headers.items() if name.startswith("ocpi-")}
    assert routing == {
        "ocpi-from-country-code": "NL",
        "ocpi-from-party-id": "EVC",
        "ocpi-to-country-code": "DE",
        "ocpi-to-party-id": "TNM",
    }
    assert asked.headers["authorization"].startswith("Token ")
    assert emsp.token not in asked.headers["authorization"]
    assert asked.headers["x-request-id"] and asked.headers["x-correlation-id"]


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("https://e.example/tokens", "https://e.example/tokens/A%2FB%20%3F/authorize?type=RFID"),
        ("https://e.example/tokens/", "https://e.example/tokens/A%2FB%20%3F/authorize?type=RFID"),
        ("https://e.example/t?k=1", "https://e.example/t/A%2FB%20%3F/authorize?k=1&type=RFID"),
    ],
)
def test_a_uid_stands_in_the_url_however_the_endpoint_ends(endpoint: str, url: str) -> None:
    question = Question("A/B ?", "RFID", "LOC1", "CP-001", "NL", "EVC")
    assert authorize_url(endpoint, question, INNER_VERSION) == url


@pytest.mark.parametrize(
    "fault",
    [
        Response("down", 503),
        Response("<html>", 200),
        envelope(status_code=3000),
        envelope(status_code=2002),
        envelope(http_status=401),
        envelope({"allowed": "PERHAPS"}),
    ],
)
def test_a_faulty_emsp_is_an_emsp_that_is_offline(world: TokenWorld, fault: Response) -> None:
    emsp, _ = world.emsp()
    know(world, token(whitelist="ALLOWED_OFFLINE"), token("SECOND"))
    emsp.words = {CARD: fault, "SECOND": fault}
    assert (swipe(world).allowed, swipe(world).auth_method) == ("ALLOWED", "WHITELIST")
    assert swipe(world, "SECOND").allowed == "NOT_ALLOWED"


@pytest.mark.parametrize(
    "unknown", [envelope(status_code=2004), envelope(status_code=2004, http_status=404)]
)
def test_an_emsp_that_does_not_know_the_token_has_answered(
    world: TokenWorld, unknown: Response
) -> None:
    emsp, peer_id = world.emsp()
    know(world, token(whitelist="ALLOWED_OFFLINE"))
    emsp.words[CARD] = unknown
    assert swipe(world).allowed == "NOT_ALLOWED"
    assert world.last_error(peer_id) == ""


def test_a_single_answer_in_a_list_is_understood(world: TokenWorld) -> None:
    """As extrawest-ocpi's own eMSP side sends it, nulls and all."""
    emsp, peer_id = world.emsp()
    world.ask_unknown(peer_id)
    location = {"location_id": "LOC1", "evse_uids": []}
    emsp.words[CARD] = [
        {"allowed": "ALLOWED", "token": token(), "location": location, "info": None}
    ]
    assert swipe(world).charges
    emsp.words[CARD] = [{"allowed": "BLOCKED", "token": token(), "authorization_reference": None}]
    assert swipe(world).allowed == "BLOCKED"


def test_a_slow_emsp_is_not_waited_for(world: TokenWorld) -> None:
    emsp, _ = world.emsp()
    know(world, token(whitelist="ALLOWED_OFFLINE"))
    emsp.words[CARD] = None
    began = time.monotonic()
    decision = swipe(world, timeout_s=0.3)
    assert (decision.allowed, decision.auth_method) == ("ALLOWED", "WHITELIST")
    assert 0.25 < time.monotonic() - began < 8


def test_a_dead_emsp_is_noted_for_the_operator(world: TokenWorld) -> None:
    emsp, _ = world.emsp()
    emsp.parties = ("NL*ABC",)
    peer_id = world.connect(emsp, url="http://127.0.0.1:9/tokens")
    know(world, token(party="NL*ABC"))
    assert swipe(world).allowed == "NOT_ALLOWED"
    assert world.last_error(peer_id) == "authorize: the peer cannot be reached"


def test_a_connection_that_died_while_idle_is_not_the_drivers_problem(world: TokenWorld) -> None:
    know(world, token(whitelist="ALLOWED_OFFLINE"))
    body = json.dumps(
        {
            "data": {"allowed": "ALLOWED", "token": token()},
            "status_code": 1000,
            "timestamp": "2025-01-01T00:00:00Z",
        }
    ).encode()

    async def hang_up_when_reused(received: Any, writer: Any) -> None:
        earlier = [one for one in peer.requests if one.connection == received.connection]
        if len(earlier) > 1:
            writer.close()
        else:
            writer.write(http(200, body))

    peer = RawPeer(hang_up_when_reused)
    world.loop.run(peer.__aenter__())
    try:
        emsp, _ = world.emsp("NL*XYZ")
        emsp.parties = ("DE*TNM",)
        world.connect(emsp, url=peer.url("/tokens"))
        assert [swipe(world).auth_method for _ in range(2)] == ["AUTH_REQUEST", "AUTH_REQUEST"]
        assert len(peer.requests) == 3
    finally:
        world.loop.run(peer.__aexit__(None, None, None))


def test_an_unknown_card_is_asked_for_at_emsps_and_hubs_alone(world: TokenWorld) -> None:
    dead, dead_id = world.emsp("DE*AAA")
    slow, slow_id = world.emsp("DE*BBB")
    cpo, cpo_id = world.emsp("DE*CCC", role="CPO")
    unmarked, _ = world.emsp("DE*EEE")
    hub, hub_id = world.emsp("DE*HUB", role="HUB")
    world.approve(hub_id, "SE*FAR")
    suspended, suspended_id = world.emsp("DE*DDD")
    world.ask_unknown(dead_id, slow_id, cpo_id, hub_id, suspended_id)
    world.set_peer(suspended_id, status="suspended")
    dead.words[CARD] = Response("down", 503)
    slow.words[CARD] = None
    hub.words[CARD] = {"allowed": "ALLOWED", "token": token(party="SE*FAR")}
    hub.answers_when = lambda: dead.requests and slow.requests
    decision = swipe(world)
    assert decision.charges and decision.token == token(party="SE*FAR")
    assert [len(one.requests) for one in (dead, slow, hub)] == [1, 1, 1]
    assert (cpo.requests, suspended.requests, unmarked.requests) == ([], [], [])
    # An Open Routing Request: the hub finds the party.
    assert not any(name.startswith("ocpi-to") for name in hub.requests[0].headers)
    assert slow.requests[0].headers["ocpi-to-party-id"] == "BBB"
    assert "SE*FAR" in world.tokens().values()


def test_a_hub_does_not_speak_for_a_party_that_has_a_peer(world: TokenWorld) -> None:
    world.emsp("DE*TNM")
    hub, hub_id = world.emsp("DE*HUB", role="HUB")
    world.ask_unknown(hub_id)
    hub.words[CARD] = {"allowed": "ALLOWED", "token": token()}
    assert not swipe(world).charges
    assert len(hub.requests) == 1
    assert world.tokens() == {}


def test_tokens_of_a_blocked_or_gone_peer_are_good_for_nothing(world: TokenWorld) -> None:
    _, peer_id = world.emsp()
    know(world, token(whitelist="ALWAYS"))
    assert swipe(world).charges
    world.set_peer(peer_id, status="blocked")
    assert not swipe(world).charges
    world.set_peer(peer_id, status="suspended")
    assert swipe(world).charges
    world.loop.run(world.peers.disconnect(peer_id, world.now))
    assert not swipe(world).charges


def test_an_unknown_card_is_shown_to_nobody_by_default(world: TokenWorld) -> None:
    emsp, _ = world.emsp()
    emsp.words[CARD] = {"allowed": "ALLOWED", "token": token()}
    assert not swipe(world).charges
    assert emsp.requests == []


def test_a_no_to_an_unknown_card_holds_for_a_while(world: TokenWorld) -> None:
    emsp, peer_id = world.emsp()
    world.ask_unknown(peer_id)
    emsp.words[CARD] = envelope(status_code=2004, http_status=404)
    assert [swipe(world).charges for _ in range(3)] == [False] * 3
    assert len(emsp.requests) == 1
    # Another card is another question, and a card that becomes known is no longer one.
    emsp.words["OTHER"] = {"allowed": "ALLOWED", "token": token("OTHER")}
    assert swipe(world, "OTHER").charges
    know(world, token(whitelist="ALWAYS"))
    assert swipe(world).charges

    async def time_passes() -> None:
        await UNKNOWN_CARDS.of(world.db).update_many({}, {"$set": {"until": world.db.now()}})

    gone = {**token("GONE"), "uid": "GONE"}
    emsp.words["GONE"] = envelope(status_code=2004, http_status=404)
    assert not swipe(world, "GONE").charges
    emsp.words["GONE"] = {"allowed": "ALLOWED", "token": gone}
    assert not swipe(world, "GONE").charges
    world.loop.run(time_passes())
    assert swipe(world, "GONE").charges


def test_a_silence_is_no_no_but_a_card_is_not_asked_about_without_end(world: TokenWorld) -> None:
    emsp, peer_id = world.emsp()
    world.ask_unknown(peer_id)
    emsp.words[CARD] = Response("down", 503)
    for _ in range(2 * PER_CARD):
        assert not swipe(world).charges
    # Where a minute ends meanwhile it is counted anew.
    assert PER_CARD <= len(emsp.requests) < 2 * PER_CARD


def test_an_evse_does_not_ask_about_any_number_of_cards(world: TokenWorld) -> None:
    emsp, peer_id = world.emsp()
    world.ask_unknown(peer_id)
    for number in range(2 * PER_EVSE):
        assert not swipe(world, f"NUMBER-{number}").charges
    assert PER_EVSE <= len(emsp.requests) < 2 * PER_EVSE
    assert not any(
        "NUMBER-1" in row["_id"] for row in world.loop.run(UNKNOWN_CARDS.of(world.db).find({}))
    )
