"""Guessing at each of the four doors: 429 before anything is looked up, in the door's own words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest

from auth.credentials_header import encoded
from auth.operator_access import OperatorAccess
from cpo_app.central import router as central_router
from cpo_app.registry.context import Registry
from db_interface.database import Database
from domain.charge_points import registrations
from domain.peers.terms import ANY_PARTY
from domain.secrets import new_token
from tests.conftest import Loop
from tests.cpo_app.central.conftest import token
from tests.cpo_app.doors import ADMIN_KEY, PASSWORD, Doors, ask, basic

MAX_FAILURES = 4
HERE, ELSEWHERE = "203.0.113.9", "198.51.100.7"
OF_OURS = {"error", "detail", "timestamp"}
OF_OCPI = {"status_code", "status_message", "timestamp"}


@dataclass
class Door:
    """How one knocks at it with a secret, from an address."""

    knock: Callable[[str, str], httpx.Response]
    right: str
    wrong: str
    look_up: tuple[object, str]
    """What must not be called once the door is shut."""
    let_in: int = 200
    shape: frozenset[str] | None = frozenset(OF_OURS)
    """The fields of its refusals; None: a text or a page."""


DOORS = ["OCPI", "operator", "console", "metrics", "EV_Central", "EV_Registry", "credentials"]


@pytest.fixture
def door(request: pytest.FixtureRequest, db: Database, loop: Loop) -> Door:
    doors = Doors.on(db, CPO_MAX_FAILURES_PER_MINUTE=MAX_FAILURES)
    main, registry, peers = doors.main, doors.registry, doors.backend.peers

    def ocpi(secret: str, client: str) -> httpx.Response:
        headers = {"Authorization": encoded(secret), "X-Request-ID": "r-1"}
        return ask(loop, main, "GET", "/ocpi/versions", client, headers=headers)

    def operator(path: str) -> Callable[[str, str], httpx.Response]:
        return lambda secret, client: ask(loop, main, "GET", path, client, headers=basic(secret))

    def central(secret: str, client: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {secret}"}
        return ask(loop, main, "POST", "/cp/heartbeat", client, headers=headers, json={})

    def listing(secret: str, client: str) -> httpx.Response:
        headers = {"X-Registry-API-Key": secret}
        return ask(loop, registry, "GET", "/cp", client, headers=headers)

    def authenticate(secret: str, client: str) -> httpx.Response:
        body = {"cp_id": "CP-001", "credentials": secret}
        return ask(loop, registry, "POST", "/cp/authenticate", client, json=body)

    match request.param:
        case "OCPI":
            invitation = peers.invite("eMSP", db.now(), ANY_PARTY)
            looked_up = (doors.backend.authenticator, "caller")
            right = loop.run(invitation)[1]
            return Door(ocpi, right, new_token(), looked_up, shape=frozenset(OF_OCPI))
        case "operator":
            return Door(operator("/cp"), PASSWORD, "guessed", (OperatorAccess, "_is_admins"))
        case "console" | "metrics" as page:
            knock = operator("/metrics" if page == "metrics" else "/console/peers")
            return Door(knock, PASSWORD, "guessed", (OperatorAccess, "_is_admins"), shape=None)
        case "EV_Central":
            good, forged = token("CP-001"), token("CP-001", secret="x" * 40)
            # Let in, its body is read, and lacks a field.
            return Door(central, good, forged, (central_router, "look_at_token"), let_in=400)
        case "EV_Registry":
            return Door(listing, ADMIN_KEY, "guessed", (Registry, "is_admin"))
        case _:
            registered = ask(
                loop,
                registry,
                "POST",
                "/cp/register",
                headers={"X-Registry-API-Key": ADMIN_KEY},
                json={"cp_id": "CP-001", "location": "Berlin"},
            )
            right = registered.json()["credentials"]
            return Door(authenticate, right, new_token(), (registrations, "authenticate"))


@pytest.mark.parametrize("door", DOORS, indirect=True)
def test_after_too_many_guesses_nothing_is_looked_up_any_more(
    door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    guesses = [door.knock(door.wrong, HERE).status_code for _ in range(MAX_FAILURES)]
    assert guesses == [401] * MAX_FAILURES

    def looked_up(*_: object, **__: object) -> None:
        raise AssertionError("it was looked up")

    with monkeypatch.context() as shut:
        shut.setattr(*door.look_up, looked_up)
        for _ in range(3):
            refused = door.knock(door.wrong, HERE)
            assert refused.status_code == 429, refused.text
            assert 1 <= int(refused.headers["retry-after"]) <= 61
            if door.shape is not None:
                assert set(refused.json()) == door.shape
    told = [record for record in caplog.records if "too many failed" in record.getMessage()]
    assert len(told) == 1
    assert door.knock(door.right, ELSEWHERE).status_code == door.let_in


@pytest.mark.parametrize("door", DOORS, indirect=True)
def test_who_came_in_from_there_still_does_and_lends_nobody_his_name(door: Door) -> None:
    assert door.knock(door.right, HERE).status_code == door.let_in
    guesses = [door.knock(door.wrong, HERE).status_code for _ in range(MAX_FAILURES + 1)]
    assert guesses == [401] * MAX_FAILURES + [429]
    assert door.knock(door.right, HERE).status_code == door.let_in


def test_a_token_that_is_known_elsewhere_opens_no_address_that_is_shut(
    db: Database, loop: Loop
) -> None:
    doors = Doors.on(db, CPO_MAX_FAILURES_PER_MINUTE=MAX_FAILURES)
    right = new_token()
    peer, _ = loop.run(doors.backend.peers.invite("eMSP", db.now(), ANY_PARTY))
    connect = doors.backend.peers.connect(
        peer.peer_id, our_token=right, their_token=new_token(), now=db.now(), roles=[], endpoints=[]
    )
    loop.run(connect)

    def knock(secret: str, client: str) -> int:
        headers = {"Authorization": encoded(secret)}
        return ask(loop, doors.main, "GET", "/ocpi/versions", client, headers=headers).status_code

    assert [knock(right, HERE) for _ in range(2)] == [200, 200]
    assert [knock(new_token(), ELSEWHERE) for _ in range(MAX_FAILURES)] == [401] * MAX_FAILURES
    assert [knock(right, ELSEWHERE), knock(right, HERE)] == [429, 200]
    assert [knock(new_token(), HERE) for _ in range(MAX_FAILURES)] == [401] * MAX_FAILURES
    assert [knock(new_token(), HERE), knock(right, HERE)] == [429, 200]
