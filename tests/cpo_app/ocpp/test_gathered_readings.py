"""Meter values of many stations together: what comes of each is what comes of it alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cpo_app.ocpp.charging.gathered_readings import GatheredReadings, Readings, Taken
from cpo_app.ocpp.handlers import NotHeld
from db_interface.database import Database
from domain.ocpp import connections
from tests.conftest import Loop
from tests.cpo_app.ocpp.charging_world import CARD, ChargingWorld, wh


class Counted(GatheredReadings):
    """Knows what became of each message."""

    taken: list[Taken | None]

    def __init__(self, world: ChargingWorld) -> None:
        super().__init__(world.store, world.side.rules, world.side.give_way, gather_s=0)
        self.taken = []

    async def take(self, given: Readings) -> Taken | None:
        taken = await super().take(given)
        self.taken.append(taken)
        return taken


@pytest.fixture(params=["ocpp1.6", "ocpp2.0.1"])
def world(db: Database, loop: Loop, request: pytest.FixtureRequest) -> ChargingWorld:
    world = ChargingWorld(db, loop, request.param)
    world.gathered = Counted(world)
    return world


def taken(world: ChargingWorld) -> list[Taken | None]:
    assert isinstance(world.gathered, Counted)
    return world.gathered.taken


class Charging:
    """A session in either version."""

    def __init__(self, world: ChargingWorld) -> None:
        self.world, self.number = world, 0

    async def start(self) -> None:
        await self.world.knows()
        if self.world.protocol == "ocpp1.6":
            self.id: Any = (await self.world.start(0))["transactionId"]
        else:
            await self.world.event("Started", 0, 0, card=CARD)

    async def metered(self, register_wh: float) -> None:
        self.number += 1
        if self.world.protocol == "ocpp1.6":
            await self.world.meter(self.id, wh(register_wh))
        else:
            await self.world.event("Updated", self.number, register_wh)

    async def stop(self, register_wh: int) -> None:
        if self.world.protocol == "ocpp1.6":
            await self.world.stop(self.id, register_wh)
        else:
            await self.world.event("Ended", self.number + 1, register_wh)


def test_readings_with_which_nothing_turns_are_taken_together(world: ChargingWorld) -> None:
    async def story() -> None:
        charging = Charging(world)
        await charging.start()
        for minute in range(1, 5):
            world.passes(1)
            await charging.metered(minute * 100)
        session = await world.session()
        assert (session["energy_wh"], session["last_at"]) == (400, world.clock.at)
        world.passes(1)
        await charging.stop(500)

        assert taken(world)[-2:] == [Taken.YES, Taken.YES]
        assert await world.billed_kwh() == [0.5]

    world.run(story())


def test_a_reading_that_is_not_believed_goes_the_whole_way(world: ChargingWorld) -> None:
    async def story() -> None:
        charging = Charging(world)
        await charging.start()
        world.passes(1)
        await charging.metered(100)
        world.passes(1)
        await charging.metered(900_000)

        assert taken(world)[-1] is None
        assert "more than its connector can give" in (await world.session())["held"]["why"]

    world.run(story())


def test_nothing_is_taken_from_a_connection_that_is_the_stations_no_longer(
    world: ChargingWorld,
) -> None:
    async def story() -> None:
        charging = Charging(world)
        await charging.start()
        world.passes(1)
        await charging.metered(100)
        world.passes(1)
        before = world.connection
        await world.connect()
        world.connection = before
        with pytest.raises(NotHeld):
            await charging.metered(200)

        assert (await world.session())["energy_wh"] == 100

    world.run(story())


def test_one_that_breaks_keeps_nobody_else_from_being_taken(
    world: ChargingWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken alone, it shows whose fault it is."""

    async def broken(*_: object) -> set[str]:
        raise RuntimeError("broken")

    async def story() -> None:
        charging = Charging(world)
        await charging.start()
        world.passes(1)
        await charging.metered(100)
        world.passes(1)
        monkeypatch.setattr(connections, "held_of", broken)
        await charging.metered(200)

        assert taken(world)[-1] is None
        assert (await world.session())["energy_wh"] == 200

    world.run(story())


def test_the_same_readings_of_a_station_at_once_count_once(db: Database, loop: Loop) -> None:
    world = ChargingWorld(db, loop)
    world.gathered = Counted(world)

    async def story() -> None:
        charging = Charging(world)
        await charging.start()
        world.passes(1)
        await charging.metered(100)
        world.passes(1)
        await asyncio.gather(*(charging.metered(200) for _ in range(3)))

        assert taken(world).count(Taken.YES) >= 1
        assert (await world.session())["energy_wh"] == 200

    world.run(story())
