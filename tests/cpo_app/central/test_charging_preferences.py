"""A driver prefers CHEAP: what is accepted is obeyed by the charge point, until it is told else."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from py_ocpi.core.enums import Action

from cpo_app.central.link.link import LinkResult
from crud.sessions import Sessions
from db_interface.database import Database
from domain.sessions import session_records
from domain.sessions.session_document import ChargingSession
from domain.times import format_datetime
from tests.conftest import Loop
from tests.cpo_app.central.command_world import CommandWorld, Engine
from tests.domain.sessions.worlds import element, tariff

SET = Action.send_update_charging_profile
CLEAR = Action.send_delete_chargingprofile
HALF = {
    "charging_rate_unit": "W",
    "charging_profile_period": [{"start_period": 0, "limit": 11000}],
}
TARIFFS = [
    tariff(
        "CHEAP",
        element("ENERGY", 0.2, start_time="18:00", end_time="04:00"),
        element("ENERGY", 0.5),
        type="PROFILE_CHEAP",
    ),
    tariff("FAST", element("ENERGY", 0.9), type="PROFILE_FAST"),
]
NOON = datetime.now(timezone.utc).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(
    days=1
)
WISH = {
    "profile_type": "CHEAP",
    "departure_time": format_datetime(NOON + timedelta(hours=15)),
    "energy_need": 20,
}
FAST, REGULAR = {"profile_type": "FAST"}, {"profile_type": "REGULAR"}


class Preferring(CommandWorld):
    """A session of de*tnm charges at CP-001; its car draws 10 kW."""

    def __init__(self, db: Database, loop: Loop) -> None:
        super().__init__(db, loop)
        self.clock.at = NOON
        self.asker().start(evse_uid="CP-001")
        self.settle()
        self.session_id = str(self.engine.session_id)
        self.began(self.session_id)
        self.alter(
            tariffs=TARIFFS,
            time_zone="Etc/UTC",
            max_power_w=22_000,
            power_w=10_000.0,
            capabilities=["CHARGING_PREFERENCES_CAPABLE", "CHARGING_PROFILE_CAPABLE"],
        )
        self.sessions_module = Sessions(self.store, self.intake.wake, obeyed_within_s=0.2)

    @property
    def engine(self) -> Engine:
        return self.link.engine("CP-001")

    @property
    def limits(self) -> list[tuple[int, float]]:
        """(seconds, W) that the charge point was told last."""
        profile = self.engine.profile or {}
        rows = profile.get("charging_profile_period", ())
        return [(row["start_period"], row["limit"]) for row in rows]

    def alter(self, **changes: Any) -> None:
        self.run(
            self.db["charging_sessions"].update_one({"_id": self.session_id}, {"$set": changes})
        )

    def inner(self) -> ChargingSession:
        found = self.run(session_records.get(self.db, self.session_id))
        assert found is not None
        return found

    def prefer(self, wish: dict[str, Any]) -> str | None:
        """The answer, with a worker beside it."""

        async def put() -> str | None:
            asking = asyncio.ensure_future(
                self.sessions_module.update(wish, self.session_id, reader=self.asker().reader)
            )
            while not asking.done():
                await self.parts.worker.round()
                await asyncio.sleep(0.01)
            return await asking

        return self.loop.run(put())

    def sweep(self) -> None:
        self.run(self.parts.plans.round())
        self.settle()


@pytest.fixture
def world(db: Database, loop: Loop) -> Preferring:
    return Preferring(db, loop)


def test_cheap_is_a_profile_that_the_charge_point_obeys(world: Preferring) -> None:
    assert world.prefer(WISH) == "ACCEPTED"
    # From 18:00, 20 kWh at 10 kW and a tenth of it in reserve.
    assert world.limits == [(0, 0), (6 * 3600, 22_000), (29_520, 0)]
    assert world.engine.profile is not None
    assert world.engine.profile["start_date_time"] == format_datetime(world.clock.at)
    assert world.inner()["preferences"] == WISH
    assert world.inner()["plan"]["charging_profile"] == world.engine.profile


@pytest.mark.parametrize("wish", [FAST, REGULAR])
def test_another_preference_takes_the_plan_away(world: Preferring, wish: dict[str, Any]) -> None:
    world.prefer(WISH)
    assert world.prefer(wish) == "ACCEPTED"
    assert world.engine.profile is None
    assert world.inner()["preferences"] == wish and "plan" not in world.inner()


def test_what_the_charge_point_refuses_is_not_possible(world: Preferring) -> None:
    world.link.says["CP-001"] = LinkResult.REJECTED
    assert world.prefer(WISH) == "NOT_POSSIBLE"
    assert "preferences" not in world.inner() and "plan" not in world.inner()


def test_what_it_may_have_heard_and_did_not_answer_is_not_possible_and_undone(
    world: Preferring,
) -> None:
    world.link.deaf["CP-001"] = "mute"
    answered: list[str | None] = []

    async def put() -> None:
        asking = asyncio.ensure_future(
            world.sessions_module.update(WISH, world.session_id, reader=world.asker().reader)
        )
        while not asking.done():
            await world.parts.worker.round()
            world.clock.advance(0.02)
            await asyncio.sleep(0.01)
        answered.append(await asking)

    world.loop.run(put())
    assert answered == ["NOT_POSSIBLE"] and "preferences" not in world.inner()
    world.link.deaf.clear()
    world.clock.advance(10)
    world.settle()
    assert world.link.kinds()[-2:] == ["set_limit", "clear_limit"] and world.engine.profile is None


def test_a_profile_that_a_peer_sets_outranks_it_while_it_stands(world: Preferring) -> None:
    world.prefer(WISH)
    asker = world.asker()
    asker.profile(SET, world.session_id, charging_profile=HALF)
    world.settle()
    assert world.engine.profile == HALF
    world.clock.advance(400)
    world.sweep()
    assert world.engine.profile == HALF
    assert [world.prefer(wish) for wish in (WISH, FAST, REGULAR)] == [
        "NOT_POSSIBLE",
        "NOT_POSSIBLE",
        "ACCEPTED",
    ]
    assert world.engine.profile == HALF


def test_the_plan_is_back_when_the_peer_has_cleared_its_profile(world: Preferring) -> None:
    world.prefer(WISH)
    planned = world.engine.profile
    asker = world.asker()
    asker.profile(SET, world.session_id, charging_profile=HALF)
    asker.profile(CLEAR, world.session_id)
    world.settle()
    assert world.engine.profile == planned
    asker.profile(CLEAR, world.session_id)
    world.settle()
    assert world.engine.profile == planned
    results = [dict(delivery.body)["result"] for delivery in world.peers.got[-3:]]
    assert results == ["ACCEPTED", "ACCEPTED", "UNKNOWN"]


def test_a_car_that_draws_less_is_let_charge_longer(world: Preferring) -> None:
    world.prefer(WISH)
    world.clock.advance(6.5 * 3600)
    plan = world.inner()["plan"]
    # It drew 5 kW for half an hour.
    world.alter(plan={**plan, "drawn_w": 5_000.0}, power_w=5_000.0, energy_wh=2_500.0)
    world.sweep()
    assert world.limits == [(0, 22_000), (int(3.5 * 1.1 * 3600), 0)]
    assert world.inner()["plan"]["charging_profile"] == world.engine.profile


def test_a_car_that_has_its_energy_charges_no_more(world: Preferring) -> None:
    world.prefer(WISH)
    world.clock.advance(8 * 3600)
    world.alter(energy_wh=20_000.0)
    world.sweep()
    assert world.limits == [(0, 0)]
    world.clock.advance(7 * 3600)
    world.sweep()
    assert "plan" not in world.inner()


def test_a_plan_that_is_kept_is_not_told_again(world: Preferring) -> None:
    world.prefer(WISH)
    told = len(world.link.done)
    world.clock.advance(6.5 * 3600)
    world.alter(energy_wh=5_000.0)
    world.sweep()
    assert len(world.link.done) == told
    assert world.inner()["plan"]["look_at"] > world.clock.at


def test_a_charge_point_that_takes_a_part_of_its_plan_is_told_the_rest_in_time(
    world: Preferring,
) -> None:
    begins = world.clock.at
    world.link.limit_until = begins + timedelta(hours=2)
    assert world.prefer(WISH) == "ACCEPTED"
    told = len(world.link.done)
    world.clock.advance(2 * 3600 - 61)
    world.sweep()
    assert len(world.link.done) == told
    world.clock.advance(1)
    world.link.limit_until = begins + timedelta(hours=4)
    world.sweep()
    assert world.link.kinds()[told:] == ["set_limit"]
    assert world.inner()["plan"]["charging_profile"] == world.engine.profile
    # The last part, of which nobody could be told at first.
    world.clock.advance(2 * 3600)
    world.link.deaf["CP-001"], world.link.limit_until = "gone", None
    world.sweep()
    del world.link.deaf["CP-001"]
    world.clock.advance(180)
    world.sweep()
    assert world.link.kinds()[told:] == ["set_limit", "set_limit"]
    assert "limit_due" not in world.inner()


def test_who_is_asked_for_nothing_more_is_told_nothing_more(world: Preferring) -> None:
    world.link.limit_until = world.clock.at + timedelta(hours=2)
    world.prefer(WISH)
    world.link.limit_until = None
    assert world.prefer(REGULAR) == "ACCEPTED"
    told = len(world.link.done)
    world.clock.advance(2 * 3600)
    world.sweep()
    assert len(world.link.done) == told
    assert "limit_due" not in world.inner()


def test_before_anything_charges_nothing_can_be_planned(world: Preferring) -> None:
    world.alter(started=None)
    assert world.prefer(WISH) == "NOT_POSSIBLE"
    assert world.engine.profile is None


@pytest.mark.parametrize(
    ("is_green", "answer"), [(True, "ACCEPTED"), (False, "PROFILE_TYPE_NOT_SUPPORTED")]
)
def test_green_is_what_all_energy_of_the_location_is(
    world: Preferring, monkeypatch: pytest.MonkeyPatch, is_green: bool, answer: str
) -> None:
    """By the hour nobody knows."""

    there = SimpleNamespace(location={"energy_mix": {"is_green_energy": is_green}})

    async def place(*_: object) -> SimpleNamespace:
        return there

    monkeypatch.setattr("crud.sessions.place_of", place)
    world.alter(tariffs=[tariff("GREEN", element("ENERGY", 0.5), type="PROFILE_GREEN")])
    assert world.prefer({**WISH, "profile_type": "GREEN"}) == answer
