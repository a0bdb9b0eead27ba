"""A station of OCPP 2.1 over a socket and a store: what it has from 2.0.1, and what 2.1 adds."""

from __future__ import annotations

from typing import Any

import pytest

from cpo_app.actions import commands, ocpp
from cpo_app.ocpp import schemas
from cpo_app.ocpp.v21 import HANDLERS
from domain.sessions.session_records import SESSIONS
from tests.cpo_app.ocpp.conftest import World
from tests.cpo_app.ocpp.walking import CARD, STATION, Cases, Walk, documented, walk21
from tests.peers.ocpp_box import Box21, RawBox, Transaction, at
from tests.peers.ocpp_wire import Refused

case: Cases[Box21] = Cases()
W = Walk[Box21]


async def charging(walk: W, **given: Any) -> Transaction:
    one = walk.box.new_transaction()
    info = {"chargingState": "Charging", "operationMode": "ChargingOnly", **given.pop("info", {})}
    answer = await walk.box.transaction("Started", one, register_wh=1000, info=info, **given)
    if "id_token" in given:
        assert answer["idTokenInfo"]["status"] == "Accepted"
    await walk.session("ACTIVE")
    return one


async def ends(walk: W, one: Transaction, trigger: str, reason: str, wh: float) -> None:
    told = {"stoppedReason": reason}
    await walk.box.transaction("Ended", one, trigger=trigger, register_wh=wh, info=told)
    await walk.session("COMPLETED")


@case("cold boot, heartbeat, states by the device model")
async def _boot(walk: W) -> None:
    assert walk.box.protocol == "ocpp2.1"
    answer = await walk.box.boot("RemoteReset", firmwareVersion="7.1", serialNumber="SN-1")
    assert (answer["status"], answer["interval"]) == ("Accepted", 60)
    assert (await walk.box.heartbeat())["currentTime"].endswith("Z")
    for status, shown in (("Occupied", "BLOCKED"), ("Faulted", "OUTOFORDER")):
        await walk.box.status(status)
        await walk.is_shown(shown)
    station = await walk.world.station(STATION)
    assert (station["protocol"], station["serial"]) == ("ocpp2.1", "SN-1")


@case("cards: accepted, unknown")
async def _cards(walk: W) -> None:
    assert await walk.box.authorize(CARD) == "Accepted"
    assert await walk.box.authorize("NOBODY") == "Invalid"


@case("charging with meter values, card to bill")
async def _charging(walk: W) -> None:
    one = await charging(walk, id_token=CARD)
    for wh in (1050, 1100):
        told = await walk.box.transaction(
            "Updated",
            one,
            trigger="MeterValuePeriodic",
            register_wh=wh,
            info={"chargingState": "Charging"},
        )
        assert told == {}
    await ends(walk, one, "StopAuthorized", "Local", 1250)
    assert await walk.billed_kwh() == [0.25]


@case("started and ended by command")
async def _remote(walk: W) -> None:
    command = await walk.start()
    told = (await walk.box.next("RequestStartTransaction")).payload
    started = {"remoteStartId": told["remoteStartId"]}
    one = await charging(walk, trigger="RemoteStart", info=started)
    assert (await walk.session("ACTIVE"))["_id"] == command["session_id"]
    assert await walk.commanded(commands.STOP) == "ACCEPTED"
    told = (await walk.box.next("RequestStopTransaction")).payload
    assert told == {"transactionId": one.transaction_id}
    await ends(walk, one, "RemoteStop", "Remote", 1250)
    assert await walk.billed_kwh() == [0.25]


@case("a limit of a session is set and taken away")
async def _limit(walk: W) -> None:
    one = await charging(walk, id_token=CARD)
    session_id = (await walk.session("ACTIVE"))["_id"]
    link = walk.world.gateways[0].central.link
    periods = [{"start_period": 0, "limit": 16.3}]
    limit = {"charging_rate_unit": "A", "charging_profile_period": periods}
    said = await link.set_limit(STATION, "c-1", session_id=session_id, limit=limit)
    assert said.accepted
    profile = (await walk.box.next("SetChargingProfile")).payload["chargingProfile"]
    assert profile["transactionId"] == one.transaction_id
    assert profile["chargingSchedule"][0]["chargingSchedulePeriod"][0]["limit"] == 16.3
    assert (await link.clear_limit(STATION, "c-2", session_id=session_id)).accepted


@case("what an EV needs: refused without a schedule, else it is given the one that stands")
async def _needs(walk: W) -> None:
    ac = {"energyAmount": 20000, "evMinCurrent": 6, "evMaxCurrent": 32, "evMaxVoltage": 400}
    needs = {"requestedEnergyTransfer": "AC_three_phase", "acChargingParameters": ac}
    told = {"evseId": 1, "chargingNeeds": needs}
    asked = "NotifyEVChargingNeeds"
    assert (await walk.box.call(asked, told))["status"] == "Rejected"
    await charging(walk, id_token=CARD)
    assert (await walk.box.call(asked, told))["status"] == "NoChargingProfile"
    session_id = (await walk.session("ACTIVE"))["_id"]
    periods = [{"start_period": 0, "limit": 10}]
    stands = {
        "charging_profile": {"charging_rate_unit": "A", "charging_profile_period": periods},
        "peer_id": "p",
    }
    await SESSIONS.of(walk.world.db).update_one({"_id": session_id}, {"$set": {"profile": stands}})
    assert (await walk.box.call(asked, told))["status"] == "Accepted"
    given = (await walk.box.next("SetChargingProfile")).payload["chargingProfile"]
    assert given["chargingSchedule"][0]["chargingSchedulePeriod"][0]["limit"] == 10
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [
        {"startPeriod": 0, "limit": 10}]}  # fmt: skip
    chosen = {"timeBase": at(), "evseId": 1, "chargingSchedule": schedule}
    assert (await walk.box.call("NotifyEVChargingSchedule", chosen))["status"] == "Accepted"


@case("variables are read and set")
async def _variables(walk: W) -> None:
    where = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
    told = {**where, "attributeStatus": "Accepted", "attributeValue": "60"}
    walk.box.answers["GetVariables"] = {"getVariableResult": [told]}
    name = "OCPPCommCtrlr.HeartbeatInterval"
    assert "60" in str(await walk.do(ocpp.CONFIGURATION, keys=[name]))
    walk.box.answers["SetVariables"] = {
        "setVariableResult": [{**where, "attributeStatus": "Accepted"}]
    }
    done = await walk.do(ocpp.CONFIGURE, config_key=name, config_value="30")
    assert done["outcome"] == "taken"


@case("a reservation that the station holds no longer")
async def _reservation(walk: W) -> None:
    for status in ("Removed", "NoTransaction"):
        assert await walk.commanded(commands.RESERVE, card=CARD) == "ACCEPTED"
        number = (await walk.box.next("ReserveNow")).payload["id"]
        await walk.is_shown("RESERVED")
        other = {"reservationId": number % 1000, "reservationUpdateStatus": status}
        assert await walk.box.call("ReservationStatusUpdate", other) == {}
        await walk.is_shown("RESERVED")
        told = {"reservationId": number, "reservationUpdateStatus": status}
        assert await walk.box.call("ReservationStatusUpdate", told) == {}
        await walk.is_shown("AVAILABLE")


@case("notices of the grid and of priority; what is not handled here is said to be so")
async def _notices(walk: W) -> None:
    box = walk.box
    alarm = {"controlType": "FreqDroop", "timestamp": at(), "gridEventFault": "OverVoltage"}
    assert await box.call("NotifyDERAlarm", alarm) == {}
    began = {"controlId": "c-1", "started": True, "timestamp": at()}
    assert await box.call("NotifyDERStartStop", began) == {}
    priority = {"transactionId": "t-1", "activated": True}
    assert await box.call("NotifyPriorityCharging", priority) == {}
    with pytest.raises(Refused, match="NotSupported"):
        await RawBox.call(box, "VatNumberValidation", {"vatNumber": "NL1"})
    assert (await box.heartbeat())["currentTime"]


@pytest.mark.parametrize("name", case.stories)
def test_use_case(name: str, world: World) -> None:
    pytest.importorskip("ocpp.v21")

    async def story() -> None:
        async with walk21(world) as walk:
            await case.stories[name](walk)

    world.run(story())


def test_the_documented_use_cases_are_these() -> None:
    assert documented("2.1") == list(case.stories)


def test_every_handler_is_of_a_message_that_there_is() -> None:
    pytest.importorskip("ocpp.v21")
    assert HANDLERS.keys() <= schemas.actions_of("ocpp2.1")
