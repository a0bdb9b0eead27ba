"""What we ask peers of each version for: tokens, authorizations; and the results we bring them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cpo_app.ocpi.peer_services.result_sender import ResultSender
from db_interface.database import Database
from domain.authorization.authorization import Authorizer, Decision
from domain.commands.command_delivery import Delivery
from domain.objects.tokens import owned_token
from domain.versions import VERSIONS, Context, ObjectKind, OcpiVersion, Party
from tests.conftest import Loop
from tests.cpo_app.ocpi.conftest import shown
from tests.cpo_app.ocpi.token_worlds import TokenWorld, token_world
from tests.domain.authorization.test_authorization import CARD, EVSE, LOCATION, NOW, token
from tests.peers.emsp import Emsp

OWNER = Context(party=Party("DE", "TNM"))


@pytest.fixture
def world(db: Database, loop: Loop) -> Iterator[TokenWorld]:
    with token_world(db, loop) as world:
        yield world


@pytest.fixture
def emsp(world: TokenWorld, emsp: Emsp, version: OcpiVersion) -> Emsp:
    """One that speaks the version and is registered with us."""
    world.connect(emsp, version=version.number)
    return emsp


def theirs(version: OcpiVersion, **fields: Any) -> dict[str, Any]:
    return version.render(ObjectKind.TOKEN, token(**fields)).object


def peer_id_of(world: TokenWorld) -> str:
    (peer,) = world.loop.run(world.peers.all())
    return peer.peer_id


def stored(world: TokenWorld) -> dict[str, Any]:
    rows = world.loop.run(world.store.objects("tokens").documents({}, fields={"fields": 1}))
    return {row["fields"]["uid"]: row["fields"] for row in rows}


def routing_of(headers: Any) -> list[str]:
    return sorted(name for name in headers if name.startswith("ocpi-"))


def test_its_tokens_are_pulled_and_kept_as_ours_are(
    world: TokenWorld, emsp: Emsp, version: OcpiVersion
) -> None:
    emsp.tokens = [theirs(version, uid=f"CARD-{number}") for number in range(5)]
    emsp.tokens.insert(2, {"uid": "half a token"})

    report = world.loop.run(world.worker().pull_now(peer_id_of(world)))

    assert report.complete
    assert (report.counts["created"], report.counts["bad"]) == (5, 1)
    assert stored(world) == {
        f"CARD-{number}": version.read(
            ObjectKind.TOKEN, theirs(version, uid=f"CARD-{number}"), OWNER
        ).object
        for number in range(5)
    }
    asked = emsp.requests[0]
    assert asked.headers["authorization"] == shown(emsp.token, version)
    assert bool(routing_of(asked.headers)) is version.description.has_message_routing


def swipe(world: TokenWorld) -> Decision:
    authorizer = Authorizer(world.store, world.realtime(), timeout_s=5)
    return world.loop.run(authorizer.at_reader(CARD, "RFID", LOCATION, EVSE, NOW))


@pytest.mark.parametrize("allowed", ["ALLOWED", "BLOCKED"])
def test_it_decides_on_its_cards(
    world: TokenWorld, emsp: Emsp, version: OcpiVersion, allowed: str
) -> None:
    world.loop.run(world.store.create("tokens", owned_token(token())))
    said = {"allowed": allowed, "token": token(), "location": {"location_id": "LOC1"}}
    emsp.words[CARD] = version.render(ObjectKind.AUTHORIZATION_INFO, said).object

    assert swipe(world).charges is (allowed == "ALLOWED")

    (asked,) = emsp.requests
    assert (asked.method, asked.path) == ("POST", f"/tokens/{CARD}/authorize")
    assert json.loads(asked.body) == {"location_id": "LOC1", "evse_uids": ["CP-001"]}
    assert asked.headers["authorization"] == shown(emsp.token, version)
    assert bool(routing_of(asked.headers)) is version.description.has_message_routing


def test_it_is_asked_for_a_card_by_a_type_that_it_knows(
    world: TokenWorld, emsp: Emsp, version: OcpiVersion
) -> None:
    world.loop.run(world.store.create("tokens", owned_token(token(type="APP_USER"))))
    authorizer = Authorizer(world.store, world.realtime(), timeout_s=5)
    world.loop.run(authorizer.at_reader(CARD, "APP_USER", LOCATION, EVSE, NOW))

    (asked,) = emsp.requests
    assert asked.query == {"type": "OTHER" if version.number == "2.1.1" else "APP_USER"}


EMAID = "DETNMC12345678X"


def test_a_car_that_shows_its_contract_is_asked_for_at_the_issuer(
    world: TokenWorld, emsp: Emsp, version: OcpiVersion
) -> None:
    """Though nobody has told us of the token: an EMAID names its issuer, and an eMSP is not to push
    such (2.3.0, mod_tokens). 2.2.1 calls it OTHER, and so may the answer."""
    its = token(EMAID, type=version.token_type("EMAID"))
    said = {"allowed": "ALLOWED", "token": its}
    emsp.words[EMAID] = version.render(ObjectKind.AUTHORIZATION_INFO, said).object
    authorizer = Authorizer(world.store, world.realtime(), timeout_s=5)
    found = world.loop.run(authorizer.at_reader(EMAID, "EMAID", LOCATION, EVSE, NOW))

    (asked,) = emsp.requests
    assert asked.query == {"type": version.token_type("EMAID")}
    # A version whose answers hold no token lets in only whom it has told us of.
    assert found.charges is version.description.has_parties


@pytest.mark.parametrize("number", VERSIONS)
def test_a_result_goes_out_in_the_version_of_its_command(
    world: TokenWorld, emsp: Emsp, version: OcpiVersion, number: str
) -> None:
    form = VERSIONS[number]
    sender = ResultSender(world.peers, world.client, allow_private=True)
    delivery = Delivery(
        peer_id=peer_id_of(world),
        method="POST",
        body={"result": "EVSE_OCCUPIED", "message": [{"language": "en", "text": "Taken."}]},
        from_party=("NL", "EVC"),
        to_party=("DE", "TNM"),
        within_s=5,
        request_id="1",
        url=f"{emsp.base_url}/results/1",
        version=number,
    )
    world.loop.run(sender.deliver(delivery))

    (seen,) = emsp.asked("POST", "/results/1")
    assert seen.json() == form.render(ObjectKind.COMMAND_RESULT, delivery.body).object
    assert seen.headers["authorization"] == shown(emsp.token, form)
    assert bool(routing_of(seen.headers)) is form.description.has_message_routing
