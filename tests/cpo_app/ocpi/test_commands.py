"""Commands on the wire: what peers send, what they are answered, where results go."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from db_interface.database import Database
from domain.operator import peers
from domain.operator.snapshot import snapshot
from tests.conftest import Loop
from tests.cpo_app.ocpi.command_face import CommandFace, token


@pytest.fixture
def world(db: Database, loop: Loop) -> Iterator[CommandFace]:
    world = CommandFace(db, loop)
    yield world
    world.close()


def data(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    envelope = answer.json()
    assert envelope["status_code"] == 1000, envelope
    return envelope["data"]


def test_a_start_and_its_result_on_the_wire(world: CommandFace) -> None:
    emsp = world.emsp()
    correlation_id = str(uuid.uuid4())
    body = {
        "response_url": f"{emsp.url}/results/77?x=1",
        "token": token(),
        "location_id": "site-1",
        "evse_uid": "CP-001",
    }
    answer = emsp.side.post(
        "commands/START_SESSION", json=body, headers={"X-Correlation-ID": correlation_id}
    )
    assert data(answer) == {"result": "ACCEPTED", "timeout": 30}
    world.settle()
    [told] = emsp.told
    assert (told.method, told.path, told.body) == ("POST", "/results/77", {"result": "ACCEPTED"})
    expected = base64.b64encode(world.token_b(emsp).encode()).decode()
    assert told.headers["authorization"] == f"Token {expected}"
    assert told.headers["x-correlation-id"] == correlation_id
    assert told.headers["x-request-id"]
    routing = {name: value for name, value in told.headers.items() if name.startswith("ocpi-")}
    assert routing == {
        "ocpi-from-country-code": "DE",
        "ocpi-from-party-id": "CPO",
        "ocpi-to-country-code": "DE",
        "ocpi-to-party-id": "TNM",
    }


def test_a_result_that_the_peer_did_not_take_comes_again(world: CommandFace) -> None:
    emsp = world.emsp()
    emsp.status[0] = 503
    data(emsp.start(token=token()))
    world.settle()
    emsp.status[0] = 200
    world.central.clock.advance(2)
    world.settle()
    assert emsp.results() == ["ACCEPTED", "ACCEPTED"]
    first, second = (told.headers for told in emsp.told)
    assert first["x-request-id"] == second["x-request-id"], "the peer can tell that it is the same"
    assert world.central.documents("START_SESSION")[0]["state"] == "DELIVERED"


def test_a_peer_that_knows_no_such_url_is_asked_once(world: CommandFace) -> None:
    emsp = world.emsp()
    emsp.status[0] = 404
    data(emsp.start(token=token()))
    world.settle()
    world.central.clock.advance(10)
    world.settle()
    assert len(emsp.told) == 1
    assert world.central.documents("START_SESSION")[0]["state"] == "UNDELIVERED"


def test_a_result_that_is_given_up_is_shown_to_the_operator_for_a_day(world: CommandFace) -> None:
    emsp = world.emsp()
    emsp.status[0] = 404
    data(emsp.start(token=token()))
    world.settle()

    def shown() -> list[str]:
        found = world.central.run(peers.one(db, emsp.side.peer_id, db.now()))
        return found[0].trouble

    db = world.central.db
    assert shown() == ["1 result of its commands not delivered in the last 24 hours"]
    assert world.central.run(snapshot(db)).lost_results == {emsp.side.peer_id: 1}
    world.central.clock.advance(25 * 3600)
    assert shown() == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/results",
        "http://localhost:80/results",
        "https://elsewhere.example/results",
        "http://user:secret@127.0.0.1:1/results",
        "ftp://127.0.0.1/results",
        "http://169.254.169.254/latest",
    ],
)
def test_results_go_to_the_peers_own_host_alone(world: CommandFace, url: str) -> None:
    answer = world.emsp().start(url, token=token())
    assert (answer.status_code, answer.json()["status_code"]) == (200, 2001)
    assert "secret" not in answer.text
    assert world.central.documents("START_SESSION") == []


def test_another_peers_host_is_no_place_for_results(world: CommandFace) -> None:
    emsp, other = world.emsp(), world.emsp("NL*ABC")
    answer = emsp.start(f"{other.url}/results", token=token())
    assert answer.json()["status_code"] == 2001
    world.settle()
    assert other.told == []


def test_a_peer_that_moved_meanwhile_gets_no_token_at_its_old_place(world: CommandFace) -> None:
    emsp = world.emsp()
    data(emsp.start(token=token()))
    moved = {"endpoints": [], "versions_url": "https://new.example/versions"}
    world.central.run(world.peers.set(emsp.side.peer_id, world.central.clock.at, **moved))
    world.settle()
    assert emsp.told == []


@pytest.mark.parametrize(
    ("command", "fields", "code"),
    [
        ("START_SESSION", {"token": token(), "location_id": "NOWHERE"}, 2003),
        ("START_SESSION", {"token": token(), "location_id": "SITE-1", "evse_uid": "X"}, 2003),
        ("START_SESSION", {"token": token(), "location_id": "SITE-1", "connector_id": "1"}, 2001),
        ("START_SESSION", {"location_id": "SITE-1"}, 2001),
        ("STOP_SESSION", {}, 2001),
        (
            "UNLOCK_CONNECTOR",
            {"location_id": "NOWHERE", "evse_uid": "CP-001", "connector_id": "1"},
            2003,
        ),
        (
            "UNLOCK_CONNECTOR",
            {"location_id": "SITE-1", "evse_uid": "CP-001", "connector_id": "9"},
            2003,
        ),
        (
            "RESERVE_NOW",
            {
                "token": token(),
                "location_id": "NOWHERE",
                "reservation_id": "R",
                "expiry_date": "2099-01-01T00:00:00Z",
            },
            2003,
        ),
    ],
)
def test_what_is_not_understood(
    world: CommandFace, command: str, fields: dict[str, Any], code: int
) -> None:
    answer = world.emsp().command(command, **fields)
    assert (answer.status_code, answer.json()["status_code"]) == (200, code)


@pytest.mark.parametrize(
    ("command", "fields", "result"),
    [
        ("STOP_SESSION", {"session_id": "nowhere"}, "UNKNOWN_SESSION"),
        ("START_SESSION", {"token": token("NL*ABC"), "location_id": "SITE-1"}, "REJECTED"),
        ("START_SESSION", {"token": token(valid=False), "location_id": "SITE-1"}, "REJECTED"),
    ],
)
def test_what_is_refused(
    world: CommandFace, command: str, fields: dict[str, Any], result: str
) -> None:
    answer = data(world.emsp().command(command, **fields))
    assert (answer["result"], answer["timeout"]) == (result, 0)
    assert answer["message"][0]["language"] == "en"


def test_an_unknown_command_and_a_wrong_method(world: CommandFace) -> None:
    emsp = world.emsp()
    assert emsp.command("FOO").status_code == 404
    assert emsp.side.get("commands/START_SESSION").status_code == 405


def test_a_start_of_a_known_session_seen_and_stopped(world: CommandFace) -> None:
    emsp, other = world.emsp(), world.emsp("NL*ABC")
    data(emsp.start(token=token(), evse_uid="CP-001"))
    world.settle()
    listing = "sessions?date_from=2020-01-01T00:00:00Z"
    [session] = emsp.side.get(listing).json()["data"]
    assert session["auth_method"] == "COMMAND" and session["status"] == "PENDING"
    assert other.side.get(listing).json()["data"] == []
    world.central.began(session["id"])
    stop = {"session_id": session["id"]}
    assert data(other.command("STOP_SESSION", **stop))["result"] == "UNKNOWN_SESSION"
    assert data(emsp.command("STOP_SESSION", **stop))["result"] == "ACCEPTED"
    world.settle()
    world.central.stopped(session["id"])
    world.moments_pass()
    [session] = emsp.side.get(listing).json()["data"]
    assert session["status"] == "COMPLETED" and session["kwh"] == 0.5
    assert emsp.results() == ["ACCEPTED", "ACCEPTED"] and other.told == []


def test_only_the_party_that_is_addressed_is_meant(world: CommandFace) -> None:
    emsp = world.emsp()
    to_us = {"OCPI-to-country-code": "DE", "OCPI-to-party-id": "CPO"}
    body = {"response_url": f"{emsp.url}/r", "token": token(), "location_id": "SITE-1"}
    assert data(emsp.side.post("commands/START_SESSION", json=body, headers=to_us))
    strange = {"OCPI-to-country-code": "FR", "OCPI-to-party-id": "XYZ"}
    answer = emsp.side.post("commands/START_SESSION", json=body, headers=strange)
    assert answer.status_code == 404
