"""Charging profiles on a running session: obeyed, shown, cleared, and told of when they change."""

from __future__ import annotations

from typing import Any

import pytest
from py_ocpi.core.enums import Action

from crud.charging_profiles import ChargingProfiles
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.sessions.charging_profiles import active_profile_changed
from tests.conftest import Loop
from tests.cpo_app.central.command_world import CommandWorld

SET = Action.send_update_charging_profile
GET = Action.send_get_chargingprofile
CLEAR = Action.send_delete_chargingprofile
HALF = {
    "charging_rate_unit": "W",
    "charging_profile_period": [{"start_period": 0, "limit": 11000}],
}


@pytest.fixture
def world(db: Database, loop: Loop) -> CommandWorld:
    return CommandWorld(db, loop)


@pytest.fixture
def session_id(world: CommandWorld) -> str:
    """A session of de*tnm that charges."""
    world.asker().start(evse_uid="CP-001")
    world.settle()
    session_id = world.link.engine("CP-001").session_id
    assert session_id is not None
    world.began(session_id)
    world.peers.got.clear()
    return session_id


def bodies(world: CommandWorld) -> list[dict[str, Any]]:
    return [dict(delivery.body) for delivery in world.peers.got]


def test_a_profile_is_set_shown_and_cleared(world: CommandWorld, session_id: str) -> None:
    emsp = world.asker()
    accepted = {"result": "ACCEPTED", "timeout": 30}
    assert emsp.profile(SET, session_id, charging_profile=HALF) == accepted
    world.settle()
    assert world.link.engine("CP-001").profile == HALF
    assert emsp.profile(GET, session_id, duration=900) == accepted
    world.settle()
    assert emsp.profile(CLEAR, session_id) == accepted
    world.settle()
    assert world.link.engine("CP-001").profile is None
    assert emsp.profile(CLEAR, session_id) == accepted
    world.settle()
    assert bodies(world) == [
        {"result": "ACCEPTED"},
        {
            "result": "ACCEPTED",
            "profile": {"start_date_time": "2025-05-01T12:00:00Z", "charging_profile": HALF},
        },
        {"result": "ACCEPTED"},
        {"result": "UNKNOWN"},
    ]
    assert {delivery.method for delivery in world.peers.got} == {"POST"}


def test_a_charge_point_that_tells_no_profile_is_asked_once(
    world: CommandWorld, session_id: str
) -> None:
    """Its word is the result; and a profile that it obeys is none the less accepted."""
    world.link.tells_no_profile = True
    emsp = world.asker()
    emsp.profile(GET, session_id, duration=900)
    world.settle()
    emsp.profile(SET, session_id, charging_profile=HALF)
    world.settle()
    emsp.profile(CLEAR, session_id)
    world.settle()
    assert bodies(world) == [{"result": "REJECTED"}, {"result": "ACCEPTED"}, {"result": "ACCEPTED"}]


def test_the_asked_duration_reaches_the_charge_point(world: CommandWorld, session_id: str) -> None:
    world.asker().profile(GET, session_id, duration=900)
    world.settle()
    assert bodies(world)[0]["profile"]["charging_profile"]["duration"] == 900


def test_only_the_tokens_party_may_see_or_steer(world: CommandWorld, session_id: str) -> None:
    other = world.asker("nl*abc")
    unknown = {"result": "UNKNOWN_SESSION", "timeout": 0}
    assert other.profile(SET, session_id, charging_profile=HALF) == unknown
    assert other.profile(GET, session_id, duration=60) == unknown
    assert other.profile(CLEAR, session_id) == unknown
    assert world.asker().profile(GET, "nowhere", duration=60) == unknown
    world.settle()
    assert world.peers.got == [] and world.link.engine("CP-001").profile is None


def test_an_ended_session_is_steered_no_more(world: CommandWorld, session_id: str) -> None:
    world.stopped(session_id)
    answer = world.asker().profile(SET, session_id, charging_profile=HALF)
    assert answer == {"result": "REJECTED", "timeout": 0}


def test_a_session_that_ended_meanwhile_at_the_charge_point(
    world: CommandWorld, session_id: str
) -> None:
    world.link.engine("CP-001").session_id = None
    world.asker().profile(SET, session_id, charging_profile=HALF)
    world.asker().profile(GET, session_id, duration=60)
    world.settle()
    assert bodies(world) == [{"result": "REJECTED"}, {"result": "UNKNOWN"}]
    assert "profile" not in world.sessions()[0]


def test_too_often_by_setting(world: CommandWorld, session_id: str) -> None:
    world.profiles = ChargingProfiles(world.intake, max_per_minute=2)
    emsp = world.asker()
    answers = [emsp.profile(GET, session_id, duration=60)["result"] for _ in range(3)]
    assert answers == ["ACCEPTED", "ACCEPTED", "TOO_OFTEN"]
    world.clock.advance(61)
    assert emsp.profile(GET, session_id, duration=60)["result"] == "ACCEPTED"


def test_a_profile_that_timed_out_is_undone(world: CommandWorld, session_id: str) -> None:
    emsp = world.asker()
    world.link.deaf["CP-001"] = "mute"
    emsp.profile(SET, session_id, charging_profile=HALF)
    world.settle()
    assert world.link.engine("CP-001").profile == HALF
    world.clock.advance(30)
    world.settle()
    assert bodies(world) == [{"result": "REJECTED"}]
    world.link.deaf.clear()
    world.clock.advance(6)
    world.settle()
    assert world.link.engine("CP-001").profile is None


def test_who_has_set_a_profile_hears_that_it_ended_with_its_session(
    world: CommandWorld, session_id: str
) -> None:
    world.asker().profile(SET, session_id, charging_profile=HALF)
    world.settle()
    world.peers.got.clear()
    world.stopped(session_id)
    world.settle()
    [update] = world.peers.got
    assert (update.method, update.url, update.module, update.path) == (
        "PUT",
        None,
        "chargingprofiles",
        session_id,
    )
    profile = update.body["charging_profile"]
    assert profile["charging_rate_unit"] == "W"
    assert profile["charging_profile_period"] == [{"start_period": 0, "limit": 22000}]
    world.stopped(session_id)
    world.settle()
    assert len(world.peers.got) == 1


def test_who_never_set_a_profile_hears_nothing(world: CommandWorld, session_id: str) -> None:
    world.asker().profile(GET, session_id, duration=60)
    world.settle()
    world.stopped(session_id)
    world.settle()
    assert [delivery.method for delivery in world.peers.got] == ["POST"]


def test_a_change_by_somebody_else_is_told(world: CommandWorld, session_id: str) -> None:
    world.asker().profile(SET, session_id, charging_profile=HALF)
    world.settle()
    world.peers.got.clear()
    active = {"start_date_time": "2025-05-01T12:00:00Z", "charging_profile": HALF}

    row = world.sessions()[0]

    async def change(asked_by: str | None) -> int:
        async def work(tx: Tx) -> int:
            return await active_profile_changed(tx, row, active, asked_by=asked_by)  # type: ignore[arg-type]

        return await DbInterface(world.db).transact(work)

    assert world.run(change(world.asker().peer_id)) == 0
    assert world.run(change(None)) == 1
    world.settle()
    assert bodies(world) == [active]
