"""Several gateways on one store: a station is where it connected last, and answered there alone."""

from __future__ import annotations

import asyncio

import pytest
from websockets.exceptions import InvalidStatus

from db_interface.database import Database
from domain.ocpp import connections, questions
from domain.ocpp.connections import CONNECTIONS, GATEWAYS
from tests.conftest import Loop
from tests.cpo_app.ocpp.conftest import PASSWORD, World
from tests.peers.ocpp_box import Box16

HERE = "gateway-of-the-test"


async def asked_of(world: World, question_id: str) -> str:
    said = await questions.ask(
        world.store,
        station="CP-007",
        evse=0,
        op="call",
        fields={"action": "ClearCache", "payload": {}},
        question_id=question_id,
        timeout_s=20,
    )
    return str(said["result"])


def test_a_station_that_connects_elsewhere_is_asked_and_answered_there(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        first, second = await world.gateway(), await world.gateway()
        async with Box16(world.url(first), "CP-007", PASSWORD) as before:
            await before.boot()
            assert await asked_of(world, "one") == "ACCEPTED"
            async with Box16(world.url(second), "CP-007", PASSWORD) as after:
                await after.boot()
                assert await asked_of(world, "two") == "ACCEPTED"
                assert [one.action for one in before.asked] == ["ClearCache"]
                assert [one.action for one in after.asked] == ["ClearCache"]
                # What it says by its first connection is neither done nor answered any more.
                with pytest.raises(ConnectionResetError):
                    await before.boot(firmware_version="of the first")
                assert (await before.closed())[1] == "connected elsewhere"
                assert (await world.station("CP-007"))["firmware"] == ""
                await after.heartbeat()

    world.run(story())


def test_the_first_connection_is_closed_without_being_spoken_to(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        first, second = await world.gateway(), await world.gateway()
        async with Box16(world.url(first), "CP-007", PASSWORD) as before:
            await before.boot()
            async with Box16(world.url(second), "CP-007", PASSWORD) as after:
                await after.boot()
                assert (await before.closed())[0] == 1001
                assert list(first.gateway.held) == []
                assert list(second.gateway.held) == ["CP-007"]

    world.run(story())


def test_without_its_lease_a_process_answers_nothing(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        process = await world.gateway()
        async with world.box16() as box:
            await box.boot()
            # As after having slept: it could not renew for too long.
            await process.gateway._renewing.stop()
            process.gateway._lease_until = 0.0
            with pytest.raises(ConnectionResetError):
                await box.boot(firmware_version="later")
            assert (await world.station("CP-007"))["firmware"] == ""

        async with world.box16() as box:
            with pytest.raises(ConnectionResetError):
                await box.heartbeat()

    world.run(story())


def test_a_question_to_a_station_of_a_dead_process_fails_once_its_lease_is_over(
    db: Database, loop: Loop
) -> None:
    async def story() -> None:
        await connections.renew(db, HERE, "host", 1)
        await connections.take(
            db,
            {
                "_id": "CP-007",
                "connection": "c1",
                "holder": HERE,
                "protocol": "ocpp1.6",
                "address": "192.0.2.1",
                "since": db.now(),
            },
        )
        assert await connections.of_station(db, "CP-007") is not None
        assert set(await connections.some(db, ["CP-007", "CP-008"])) == {"CP-007"}
        long_ago = {"$set": {"until": db.now().replace(year=2000)}}
        await GATEWAYS.of(db).update_one({"_id": HERE}, long_ago)
        assert await connections.of_station(db, "CP-007") is None
        assert await connections.some(db, ["CP-007"]) == {}
        # Another process removes what it held.
        assert await connections.sweep(db) == 1
        assert await CONNECTIONS.of(db).find({}) == []

    loop.run(story())


def test_what_ends_in_order_leaves_nothing_behind(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        process = await world.gateway()
        async with world.box16() as box:
            await box.boot()
            world.gateways.remove(process)
            await process.stop()
            assert (await box.closed())[0] == 1001
        assert await CONNECTIONS.of(world.db).find({}) == []
        assert await GATEWAYS.of(world.db).find({}) == []

    world.run(story())


def test_a_box_that_is_refused_for_long_is_not_looked_up(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        await world.gateway(CPO_MAX_FAILURES_PER_MINUTE=2)
        statuses = []
        for password in ("wrong", "wrong", "wrong", PASSWORD):
            with pytest.raises(InvalidStatus) as refused:
                await Box16(world.url(), "CP-007", password).connect()
            statuses.append(refused.value.response.status_code)
        assert statuses == [401, 401, 429, 429]
        assert int(refused.value.response.headers["Retry-After"]) >= 1

    world.run(story())


def test_many_stations_at_once_are_all_held(world: World) -> None:
    async def story() -> None:
        names = [f"CP-{number:03}" for number in range(20)]
        await asyncio.gather(*(world.add(name) for name in names))
        process = await world.gateway()
        boxes = [Box16(world.url(), name, PASSWORD) for name in names]
        await asyncio.gather(*(box.connect() for box in boxes))
        await asyncio.gather(*(box.boot() for box in boxes))
        assert sorted(process.gateway.held) == names
        assert set(await connections.some(world.db, names)) == set(names)
        await asyncio.gather(*(box.close() for box in boxes))

        async def gone() -> bool:
            return await CONNECTIONS.of(world.db).count({}) == 0

        await world.until(gone)

    world.run(story())
