"""Commands over OCPP from the queue to a box on a real socket, and its sessions back."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cpo_app.actions import commands as actions
from cpo_app.actions.action import Action, P, perform
from cpo_app.central.commands import command_parts
from cpo_app.house import house_of
from domain.commands import command_queue
from domain.commands.command_delivery import Delivery
from domain.commands.command_queue import Command
from domain.ocpp import ids, stations
from domain.operator.commands import is_open, said_of
from domain.operators.actor import Actor, ActorKind, Role, acting_as
from domain.sessions.session_document import ChargingSession
from domain.sessions.session_records import SESSIONS
from tests.cpo_app.ocpp.conftest import World
from tests.peers.ocpp_box import Box201

INES = Actor(ActorKind.PERSON, "ines", Role.ADMIN)
METADATA = {
    "power_rating": "22kW",
    "type": "AC",
    "city": "Utrecht",
    "address": "Stationsplein 1",
    "capabilities": ["REMOTE_START_STOP_CAPABLE", "UNLOCK_CAPABLE", "RESERVABLE"],
}
PROFILE = {
    "charging_rate_unit": "A",
    "charging_profile_period": [{"start_period": 0, "limit": 10.3}],
}


async def _nobody(delivery: Delivery) -> None:
    raise AssertionError(f"nobody waits for {delivery}")


@contextlib.asynccontextmanager
async def working(world: World) -> AsyncIterator[None]:
    """A worker, as `cpo serve` has one."""
    parts = command_parts.build(world.gateways[0].central, _nobody, pause_s=0.05)
    parts.worker.start()
    try:
        yield
    finally:
        await parts.worker.stop()


async def asked(world: World, action: Action[P], **given: object) -> Command:
    """An operator's command, once it has ended."""
    house = house_of(world.gateways[0]._backend)
    with acting_as(INES):
        command = await perform(house, action, action.parameters.parse_obj(given))

    async def over() -> Command | None:
        found = await command_queue.get(world.db, command["command_id"])
        return None if found is None or is_open(found) else found

    ended: Command = await world.until(over)
    return ended


async def session(world: World, status: str) -> ChargingSession:
    async def found() -> ChargingSession | None:
        return await SESSIONS.of(world.db).find_one({"status": status})

    there: ChargingSession = await world.until(found)
    return there


async def limited(world: World, session_id: str) -> None:
    link = world.gateways[0].central.link
    [station] = await stations.page(world.db)
    said = await link.set_limit(station["_id"], "c-limit", session_id=session_id, limit=PROFILE)
    assert said.accepted


def test_1_6_is_started_limited_and_stopped(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007", metadata=METADATA)
        async with world.box16() as box, working(world):
            await box.boot()
            await box.status("Available")
            command = await asked(world, actions.START, cp_id="CP-007")
            assert said_of(command) == "ACCEPTED"
            told = await box.next("RemoteStartTransaction")
            begun = await box.start(told.payload["idTag"], meter_wh=1000)
            assert begun["idTagInfo"]["status"] == "Accepted"
            active = await session(world, "ACTIVE")
            assert active["_id"] == command["session_id"]

            await limited(world, active["_id"])
            profile = (await box.next("SetChargingProfile")).payload["csChargingProfiles"]
            assert profile["transactionId"] == begun["transactionId"]
            [period] = profile["chargingSchedule"]["chargingSchedulePeriod"]
            assert period["limit"] == 10.3

            assert said_of(await asked(world, actions.STOP, cp_id="CP-007")) == "ACCEPTED"
            told = await box.next("RemoteStopTransaction")
            assert told.payload == {"transactionId": begun["transactionId"]}
            await box.stop(begun["transactionId"], meter_wh=1500, reason="Remote")
            completed = await session(world, "COMPLETED")
            assert (completed["_id"], completed["energy_wh"]) == (active["_id"], 500)

    world.run(story())


def test_2_0_1_is_started_limited_and_stopped(world: World) -> None:
    async def story() -> None:
        await world.add("CP-201", metadata=METADATA)
        async with world.box201() as box, working(world):
            await box.boot()
            await box.status("Available")
            command = await asked(world, actions.START, cp_id="CP-201")
            assert said_of(command) == "ACCEPTED"
            told = (await box.next("RequestStartTransaction")).payload
            assert told["remoteStartId"] == ids.remote_start_id(command["session_id"] or "")
            begun = box.new_transaction()
            await box.transaction(
                "Started",
                begun,
                trigger="RemoteStart",
                id_token=told["idToken"]["idToken"],
                register_wh=1000,
                info={"remoteStartId": told["remoteStartId"]},
            )
            active = await session(world, "ACTIVE")
            assert active["_id"] == command["session_id"]
            await limited(world, active["_id"])
            profile = (await box.next("SetChargingProfile")).payload["chargingProfile"]
            assert profile["transactionId"] == begun.transaction_id

            assert said_of(await asked(world, actions.STOP, cp_id="CP-201")) == "ACCEPTED"
            assert (await box.next("RequestStopTransaction")).payload == {
                "transactionId": begun.transaction_id
            }
            await _ended(box, begun)
            completed = await session(world, "COMPLETED")
            assert (completed["_id"], completed["energy_wh"]) == (active["_id"], 500)

    world.run(story())


async def _ended(box: Box201, transaction: Any) -> None:
    await box.transaction(
        "Ended",
        transaction,
        trigger="RemoteStop",
        register_wh=1500,
        info={"stoppedReason": "Remote"},
    )


@pytest.mark.parametrize(
    ("answer", "result"), [("Accepted", "ACCEPTED"), ("Occupied", "EVSE_OCCUPIED")]
)
def test_a_reservation_ends_definitely(world: World, answer: str, result: str) -> None:
    async def story() -> None:
        await world.add("CP-007", metadata=METADATA)
        async with world.box16() as box, working(world):
            await box.boot()
            await box.status("Available")
            box.answers["ReserveNow"] = {"status": answer}
            command = await asked(world, actions.RESERVE, cp_id="CP-007")
            assert said_of(command) == result
            if answer == "Accepted":
                number = (await box.next("ReserveNow")).payload["reservationId"]
                canceled = await asked(world, actions.CANCEL_RESERVATION, cp_id="CP-007")
                assert said_of(canceled) == "ACCEPTED"
                told = await box.next("CancelReservation")
                assert told.payload == {"reservationId": number}

    world.run(story())


def test_a_plug_is_let_go(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007", metadata=METADATA)
        async with world.box16() as box, working(world):
            await box.boot()
            await box.status("Available")
            assert said_of(await asked(world, actions.UNLOCK, cp_id="CP-007")) == "ACCEPTED"
            box.answers["UnlockConnector"] = {"status": "NotSupported"}
            said = said_of(await asked(world, actions.UNLOCK, cp_id="CP-007"))
            assert said == "NOT_SUPPORTED"

    world.run(story())


def test_a_box_that_refuses_leaves_no_session(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007", metadata=METADATA)
        async with world.box16() as box, working(world):
            await box.boot()
            await box.status("Available")
            box.answers["RemoteStartTransaction"] = {"status": "Rejected"}
            command = await asked(world, actions.START, cp_id="CP-007")
            assert said_of(command) == "REJECTED"
            await session(world, "INVALID")

    world.run(story())
