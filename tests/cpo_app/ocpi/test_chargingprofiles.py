"""Charging profiles on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from db_interface.database import Database
from tests.conftest import Loop
from tests.cpo_app.ocpi.command_face import CommandFace, Emsp, token

HALF = {
    "charging_rate_unit": "W",
    "charging_profile_period": [{"start_period": 0, "limit": 11000}],
}


@pytest.fixture
def world(db: Database, loop: Loop) -> Iterator[CommandFace]:
    world = CommandFace(db, loop)
    yield world
    world.close()


@pytest.fixture
def emsp(world: CommandFace) -> Emsp:
    return world.emsp()


@pytest.fixture
def session_id(world: CommandFace, emsp: Emsp) -> str:
    emsp.start(token=token(), evse_uid="CP-001")
    world.settle()
    session_id = world.central.link.engine("CP-001").session_id
    assert session_id is not None
    world.central.began(session_id)
    emsp.told.clear()
    return session_id


def put(emsp: Emsp, session_id: str, path: str = "r/1") -> dict[str, Any]:
    body = {"charging_profile": HALF, "response_url": f"{emsp.url}/{path}"}
    return emsp.side.put(f"chargingprofiles/{session_id}", json=body).json()


def test_put_get_delete_and_their_results(world: CommandFace, emsp: Emsp, session_id: str) -> None:
    assert put(emsp, session_id)["data"] == {"result": "ACCEPTED", "timeout": 30}
    world.settle()
    path = f"chargingprofiles/{session_id}"
    asked = emsp.side.get(path, params={"duration": "900", "response_url": f"{emsp.url}/r/2?a=b"})
    assert asked.json()["data"] == {"result": "ACCEPTED", "timeout": 30}
    world.settle()
    gone = emsp.side.request("DELETE", path, params={"response_url": f"{emsp.url}/r/3"})
    assert gone.json()["data"] == {"result": "ACCEPTED", "timeout": 30}
    world.settle()
    assert [(told.method, told.path, told.body) for told in emsp.told] == [
        ("POST", "/r/1", {"result": "ACCEPTED"}),
        (
            "POST",
            "/r/2",
            {
                "result": "ACCEPTED",
                "profile": {"start_date_time": "2025-05-01T12:00:00Z", "charging_profile": HALF},
            },
        ),
        ("POST", "/r/3", {"result": "ACCEPTED"}),
    ]


def test_an_update_is_put_to_the_peers_own_interface(
    world: CommandFace, emsp: Emsp, session_id: str
) -> None:
    put(emsp, session_id)
    world.settle()
    emsp.told.clear()
    world.central.stopped(session_id)
    world.settle()
    [told] = emsp.told
    assert (told.method, told.path) == ("PUT", f"/emsp/chargingprofiles/{session_id}")
    assert told.body["charging_profile"]["charging_rate_unit"] == "W"
    assert told.headers["ocpi-to-party-id"] == "TNM"


def test_a_strangers_session_is_unknown(world: CommandFace, session_id: str) -> None:
    other = world.emsp("NL*ABC")
    unknown = {"result": "UNKNOWN_SESSION", "timeout": 0}
    assert put(other, session_id)["data"] == unknown
    assert put(other, "nowhere")["data"] == unknown
    query = {"response_url": f"{other.url}/r", "duration": "60"}
    path = f"chargingprofiles/{session_id}"
    assert other.side.get(path, params=query).json()["data"] == unknown
    assert other.side.request("DELETE", path, params=query).json()["data"] == unknown
    world.settle()
    assert other.told == []


@pytest.mark.parametrize(
    "query",
    [
        {"duration": "60"},
        {"response_url": "{url}/r"},
        {"response_url": "{url}/r", "duration": "soon"},
        {"response_url": "https://elsewhere.example/r", "duration": "60"},
        {"response_url": "nonsense", "duration": "60"},
    ],
)
def test_what_is_not_understood(emsp: Emsp, session_id: str, query: dict[str, str]) -> None:
    filled = {name: value.format(url=emsp.url) for name, value in query.items()}
    answer = emsp.side.get(f"chargingprofiles/{session_id}", params=filled)
    assert (answer.status_code, answer.json()["status_code"]) == (200, 2001)
