"""Payment terminals at their provider (mod_payments): fetched, assigned, activated, ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cpo_app.ocpi.peer_services.payment_terminals import PaymentTerminals
from db_interface.database import Database
from db_interface.json_data import JsonObject
from domain.errors import InvalidParameters, UnableToUseClientApi
from domain.payments import payments
from domain.versions import VERSIONS, ObjectKind
from tests.conftest import Loop
from tests.cpo_app.ocpi.token_worlds import TokenWorld, token_world
from tests.cpo_app.ocpi.versions.test_payments import CONFIRMATION, TERMINAL
from tests.peers.emsp import Emsp, envelope
from tests.settings_of import settings_of

*_, NEWEST = VERSIONS.values()
TERMINALS = "/payments/terminals"
CONFIRMATIONS = "/payments/financial-advice-confirmations"
OLDER, NEWER = "2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z"


@pytest.fixture
def world(db: Database, loop: Loop) -> Iterator[TokenWorld]:
    with token_world(db, loop) as world:
        yield world


@pytest.fixture
def provider(world: TokenWorld, emsp: Emsp) -> Emsp:
    emsp.endpoints["payments"] = "SENDER"
    emsp.answers["GET", TERMINALS] = envelope([TERMINAL, {**TERMINAL, "terminal_id": "T-2"}, {}])
    emsp.answers["GET", CONFIRMATIONS] = envelope([CONFIRMATION])
    world.connect(emsp, version=NEWEST.number)
    return emsp


def done(world: TokenWorld, name: str, *told: Any) -> Any:
    ours = PaymentTerminals(world.store, settings_of(), world.peers, world.client)
    return world.loop.run(getattr(ours, name)(peer_id(world), *told))


def peer_id(world: TokenWorld) -> str:
    (peer,) = world.loop.run(world.peers.all())
    return peer.peer_id


def kept(world: TokenWorld, kind: ObjectKind) -> dict[str, JsonObject]:
    rows = world.loop.run(payments.listed(world.store.db, kind, limit=10))
    return {row["object"][payments.IDS[kind]]: row["object"] for row in rows}


def test_all_that_it_has_is_fetched_and_what_is_newer_here_stays(
    world: TokenWorld, provider: Emsp
) -> None:
    assert done(world, "pull") == {"created": 3, "bad": 1}
    assert kept(world, ObjectKind.TERMINAL).keys() == {"T-1", "T-2"}
    assert kept(world, ObjectKind.FINANCIAL_ADVICE_CONFIRMATION).keys() == {"F-1"}
    (asked, *_) = provider.asked("GET", TERMINALS)
    assert asked.token == provider.token
    assert asked.headers["ocpi-to-party-id"] == "TNM"
    changed = {**TERMINAL, "city": "Brugge"}
    rows = [{**changed, "last_updated": OLDER}, {**changed, "terminal_id": "T-2"}]
    provider.answers["GET", TERMINALS] = envelope(rows)
    assert done(world, "pull") == {"older": 1, "updated": 2}
    cities = {id_: one["city"] for id_, one in kept(world, ObjectKind.TERMINAL).items()}
    assert cities == {"T-1": "Gent", "T-2": "Brugge"}


def test_a_terminal_is_assigned_to_places(world: TokenWorld, provider: Emsp) -> None:
    assigned = {**TERMINAL, "location_ids": ["LOC1"], "evse_uids": ["E1"], "last_updated": NEWER}
    provider.answers["PATCH", f"{TERMINALS}/T-1"] = envelope()
    provider.answers["GET", f"{TERMINALS}/T-1"] = envelope(assigned)
    assert done(world, "assign", "T-1", ["LOC1"], ["E1"]) == assigned
    (asked,) = provider.asked("PATCH", f"{TERMINALS}/T-1")
    body = asked.json()
    assert body.pop("last_updated")
    assert body == {"location_ids": ["LOC1"], "evse_uids": ["E1"]}
    assert kept(world, ObjectKind.TERMINAL)["T-1"]["location_ids"] == ["LOC1"]


def test_a_terminal_is_activated_and_ended(world: TokenWorld, provider: Emsp) -> None:
    provider.answers["POST", f"{TERMINALS}/activate"] = envelope()
    provider.answers["POST", f"{TERMINALS}/T-1/deactivate"] = envelope()
    done(world, "activate", {"reference": "SN-1", "location_ids": ["LOC1"]})
    (asked,) = provider.asked("POST", f"{TERMINALS}/activate")
    assert {**asked.json(), "last_updated": ""} == {
        "reference": "SN-1",
        "location_ids": ["LOC1"],
        "last_updated": "",
    }
    done(world, "deactivate", "T-1")
    assert len(provider.asked("POST", f"{TERMINALS}/T-1/deactivate")) == 1


def test_a_provider_that_will_not_is_quoted(world: TokenWorld, provider: Emsp) -> None:
    provider.answers["PATCH", f"{TERMINALS}/T-9"] = envelope(None, 2000)
    with pytest.raises(UnableToUseClientApi, match="PATCH terminals"):
        done(world, "assign", "T-9", [], [])
    assert kept(world, ObjectKind.TERMINAL) == {}


def test_who_offers_no_terminals_is_not_asked(world: TokenWorld, emsp: Emsp) -> None:
    world.connect(emsp, version=NEWEST.number)
    with pytest.raises(InvalidParameters, match="offers no terminals"):
        done(world, "pull")
    assert emsp.requests == []
