"""Money that needs a look, as the console shows it and lets it be settled."""

from __future__ import annotations

import pytest

from db_interface.database import Database
from domain.operator import money
from domain.sessions.session_rules import Rules
from tests.conftest import Loop
from tests.cpo_app.console.worlds import Night
from tests.domain.sessions.worlds import World, reading, tariff


@pytest.fixture
def world(db: Database, loop: Loop) -> World:
    return World(db, loop, tariff(), rules=Rules())


@pytest.fixture
def night(db: Database, loop: Loop, world: World) -> Night:
    return Night(db, loop)


def held(world: World) -> str:
    session_id = world.open()
    world.begin(session_id)
    world.end(session_id, 60, 900_000.0)
    return session_id


def test_every_kind_is_counted_and_listed_with_what_to_do(world: World, loop: Loop) -> None:
    first = held(world)
    silent = world.open(100)
    world.begin(silent, 100)
    world.meter(silent, reading(160, 100.0))
    world.fall_silent(silent, 900, "nothing is heard of it any more")
    guessed = world.open(1000)
    world.fall_silent(guessed, 1300)
    world.give_up(guessed, 900_000)
    late = world.open(900_100)
    world.begin(late, 900_100)
    world.end(late, 900_160, 100.0)
    world.meter(late, reading(900_200, 350.0))
    counts = loop.run(money.counts(world.db))
    assert {kind: number for kind, number in counts.by_kind.items() if number} == {
        "held": 1,
        "suspect": 1,
        "estimated": 1,
        "unbilled": 1,
    }
    assert counts.unbilled_wh == 900_250.0
    entries = {entry.kind: entry for entry in loop.run(money.entries(world.db, 10))}
    assert entries["held"].session_id == first
    assert f"cpo sessions release {first}" in entries["held"].do
    assert entries["suspect"].why == "nothing is heard of it any more"


def test_what_the_list_asks_of_the_store_finds_its_index(world: World, loop: Loop) -> None:
    async def plan(query: dict[str, object]) -> str:
        found = await world.db["charging_sessions"].find(query).explain()
        return str(found["queryPlanner"]["winningPlan"])

    for kind, query in money.QUERIES.items():
        assert "COLLSCAN" not in loop.run(plan(query)), kind


def test_a_held_session_is_shown_and_released_on_the_console(night: Night, world: World) -> None:
    session_id = held(world)
    visit = night.visit()
    assert "session is held: nobody is billed" in visit.get("/").text
    page = visit.get("/console/money").text
    assert session_id in page and "more than its connector can give" in page
    token = visit.form_token()
    path = f"/console/sessions/{session_id}"
    refused = visit.post(f"{path}/end", {"form_token": token, "energy_kwh": "a lot"})
    assert refused.status_code == 400
    ended = visit.post(f"{path}/end", {"form_token": token, "energy_kwh": "0,25"})
    assert (ended.status_code, ended.headers["location"]) == (
        303,
        "/console/money?done=sessions.end",
    )
    assert [cdr["total_energy"] for cdr in world.cdrs()] == [0.25]
    assert world.inner(session_id)["by_hand"][0]["by"] == "admin"
    again = visit.post(f"{path}/release", {"form_token": token})
    assert again.status_code == 409
    assert session_id not in visit.get("/console/money").text
