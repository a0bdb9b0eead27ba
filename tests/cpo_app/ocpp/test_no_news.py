"""What stations tell whenever they come back costs no transaction, and hides nothing."""

from __future__ import annotations

import pytest

from db_interface.database import Database
from db_interface.json_data import JsonObject
from domain.charge_points import charge_points
from domain.charge_points.charge_point_documents import ChargePoint
from tests.conftest import Loop
from tests.cpo_app.ocpp.charging_world import ChargingWorld


def status(world: ChargingWorld, word: str) -> JsonObject:
    if world.protocol == "ocpp1.6":
        return {"connectorId": 1, "errorCode": "NoError", "status": word, "timestamp": world.at()}
    told = {"connectorStatus": word, "timestamp": world.at()}
    return {"evseId": 1, "connectorId": 1, **told}


@pytest.mark.parametrize(
    ("protocol", "taken"), [("ocpp1.6", "Preparing"), ("ocpp2.0.1", "Occupied")]
)
def test_a_free_connector_that_is_told_again_is_not_written_again(
    protocol: str, taken: str, db: Database, loop: Loop
) -> None:
    world = ChargingWorld(db, loop, protocol)

    async def kept() -> ChargePoint:
        known = await charge_points.get(db, "CP-007")
        assert known is not None
        return known

    async def says(word: str) -> ChargePoint:
        world.passes(1)
        await world.connect()
        assert await world.say("StatusNotification", status(world, word)) == {}
        return await kept()

    async def story() -> None:
        free = await says("Available")
        assert await says("Available") == free
        occupied = await says(taken)
        assert occupied["connectors"][0]["state"] == "PREPARING"
        freed = await says("Available")
        assert freed["connectors"][0]["state"] == "AVAILABLE"
        assert freed["connectors"][0]["at"] > free["connectors"][0]["at"]

    world.run(story())


def test_a_free_connector_is_told_where_a_transaction_runs(db: Database, loop: Loop) -> None:
    world = ChargingWorld(db, loop)

    async def story() -> None:
        await world.knows()
        await world.say("StatusNotification", status(world, "Available"))
        await world.connect()
        await world.start()
        world.passes(1)
        await world.say("StatusNotification", status(world, "Charging"))
        world.passes(1)
        await world.say("StatusNotification", status(world, "Available"))
        known = await charge_points.get(db, "CP-007")
        assert known is not None
        assert known["connectors"][0]["state"] == "AVAILABLE"

    world.run(story())


def test_a_station_without_a_fault_says_so_for_nothing(db: Database, loop: Loop) -> None:
    world = ChargingWorld(db, loop)

    async def story() -> None:
        whole = {**status(world, "Available"), "connectorId": 0}
        world.connection.id = "of another gateway by now"
        # Nothing is written, so whose the connection is does not matter: the answer's guard asks.
        assert await world.say("StatusNotification", whole) == {}

    world.run(story())
