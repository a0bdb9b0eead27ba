"""The OCA's use cases of OCPP 2.0.1, case by case, over a socket and a store."""

from __future__ import annotations

from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from cpo_app.actions import charge_points as charge_point_actions
from cpo_app.actions import commands, ocpp, ocpp_files, stations
from tests.cpo_app.ocpp.conftest import World
from tests.cpo_app.ocpp.walking import CARD, FRIEND, STATION, Cases, Walk, documented, walk201
from tests.peers.ocpp_box import Box201, RawBox, Transaction, at
from tests.peers.ocpp_wire import Payload, Refused

case: Cases[Box201] = Cases()
W = Walk[Box201]


async def charging(walk: W, card: str = CARD, **fields: Any) -> Transaction:
    """A session that a card has started."""
    one = walk.box.new_transaction()
    answer = await walk.box.transaction(
        "Started",
        one,
        id_token=card,
        register_wh=1000,
        info={"chargingState": "Charging"},
        **fields,
    )
    assert answer["idTokenInfo"]["status"] == "Accepted"
    await walk.session("ACTIVE")
    return one


async def ends(
    walk: W, one: Transaction, wh: float = 1200, why: str = "Local", **more: Any
) -> None:
    trigger = {"Local": "StopAuthorized", "Remote": "RemoteStop", "EVDisconnected": "EVDeparted"}
    await walk.box.transaction(
        "Ended",
        one,
        trigger=trigger.get(why, "AbnormalCondition"),
        register_wh=wh,
        info={"stoppedReason": why},
        **more,
    )
    await walk.session("COMPLETED")


def variable(component: str, name: str) -> Payload:
    return {"component": {"name": component}, "variable": {"name": name}}


# --- A: security ----------------------------------------------------------------------------------


@case("A: who does not show the password is not let in")
async def _basic(walk: W) -> None:
    for password in (None, "not-the-password-of-it"):
        with pytest.raises(InvalidStatus) as refused:
            await RawBox(walk.url, STATION, password, protocols=("ocpp2.0.1",)).connect()
        assert refused.value.response.status_code == 401


@case("A: another password from now on")
async def _password(walk: W) -> None:
    made = await walk.do(stations.OCPP_PASSWORD)
    box = await RawBox(walk.url, STATION, made["password"], protocols=("ocpp2.0.1",)).connect()
    assert box.protocol == "ocpp2.0.1"
    await box.close()


@case("A: events of security, certificates by hand")
async def _security(walk: W) -> None:
    event = {"type": "SettingSystemTime", "timestamp": at()}
    assert await walk.box.call("SecurityEventNotification", event) == {}
    walk.box.answers["GetInstalledCertificateIds"] = {"status": "NotFound"}
    assert (await walk.call("GetInstalledCertificateIds"))["status"] == "NotFound"
    certificate = {"certificateType": "CSMSRootCertificate", "certificate": "PEM"}
    assert (await walk.call("InstallCertificate", **certificate))["status"] == "Accepted"


# --- B: provisioning ------------------------------------------------------------------------------


@case("B: cold boot, again after a reset")
async def _boot(walk: W) -> None:
    answer = await walk.box.boot("RemoteReset", firmwareVersion="7.1")
    assert (answer["status"], answer["interval"]) == ("Accepted", 60)
    assert (await walk.box.heartbeat())["currentTime"].endswith("Z")
    await walk.is_shown("AVAILABLE")


@case("B: variables are read and set, each with its own answer")
async def _variables(walk: W) -> None:
    known = {
        **variable("OCPPCommCtrlr", "HeartbeatInterval"),
        "attributeStatus": "Accepted",
        "attributeValue": "60",
    }
    walk.box.answers["GetVariables"] = {"getVariableResult": [known]}
    name = "OCPPCommCtrlr.HeartbeatInterval"
    assert "60" in str(await walk.do(ocpp.CONFIGURATION, keys=[name]))
    given = {"config_key": name, "config_value": "30"}
    for answer, outcome in (("Accepted", "taken"), ("RebootRequired", "reboot")):
        row = {**variable("OCPPCommCtrlr", "HeartbeatInterval"), "attributeStatus": answer}
        walk.box.answers["SetVariables"] = {"setVariableResult": [row]}
        assert (await walk.do(ocpp.CONFIGURE, **given))["outcome"] == outcome
    row = {**variable("OCPPCommCtrlr", "HeartbeatInterval"), "attributeStatus": "Rejected"}
    walk.box.answers["SetVariables"] = {"setVariableResult": [row]}
    assert "Rejected" in await walk.refusal(ocpp.CONFIGURE, **given)


@case("B: the device model is reported in parts")
async def _report(walk: W) -> None:
    assert (await walk.do(ocpp.CONFIGURATION))["outcome"] == "later"
    asked = (await walk.box.next("GetBaseReport")).payload
    for number in (0, 1):
        row = {
            **variable("OCPPCommCtrlr", f"Part{number}"),
            "variableAttribute": [{"value": str(number)}],
        }
        page = {
            "requestId": asked["requestId"],
            "generatedAt": at(),
            "seqNo": number,
            "tbc": number == 0,
            "reportData": [row],
        }
        assert await walk.box.call("NotifyReport", page) == {}


@case("B: a reset: at once, when idle, refused")
async def _reset(walk: W) -> None:
    one = await charging(walk)
    walk.box.answers["Reset"] = {"status": "Scheduled"}
    assert (await walk.do(ocpp.RESET))["said"] == "Scheduled"
    assert (await walk.box.next("Reset")).payload == {"type": "OnIdle"}
    walk.box.answers["Reset"] = {"status": "Accepted"}
    assert (await walk.do(ocpp.RESET, hard=True))["said"] == "Accepted"
    await ends(walk, one, why="ImmediateReset")
    box = await walk.again()
    assert (await box.boot("RemoteReset"))["status"] == "Accepted"
    walk.box.answers["Reset"] = {"status": "Rejected"}
    assert "Rejected" in await walk.refusal(ocpp.RESET)


# --- C, D: authorization, local list --------------------------------------------------------------


@case("C: cards: accepted, unknown, of a group")
async def _cards(walk: W) -> None:
    told = {"idToken": {"idToken": CARD, "type": "ISO14443"}}
    info = (await walk.box.call("Authorize", told))["idTokenInfo"]
    assert info["status"] == "Accepted"
    told = {"idToken": {"idToken": FRIEND, "type": "ISO14443"}}
    friend = (await walk.box.call("Authorize", told))["idTokenInfo"]
    assert info["groupIdToken"] == friend["groupIdToken"]
    assert await walk.box.authorize("NOBODY") != "Accepted"


@case("C: the cache of cards is cleared")
async def _cache(walk: W) -> None:
    assert (await walk.do(ocpp.CLEAR_CACHE))["said"] == "Accepted"


@case("D: the local list: version, whole, differences")
async def _local_list(walk: W) -> None:
    walk.box.answers["GetLocalListVersion"] = {"versionNumber": 3}
    assert (await walk.call("GetLocalListVersion"))["versionNumber"] == 3
    card = {"idToken": CARD, "type": "ISO14443"}
    entry = {"idToken": card, "idTokenInfo": {"status": "Accepted"}}
    for kind in ("Full", "Differential"):
        for answer in ("Accepted", "Failed", "VersionMismatch"):
            walk.box.answers["SendLocalList"] = {"status": answer}
            said = await walk.call(
                "SendLocalList", versionNumber=4, updateType=kind, localAuthorizationList=[entry]
            )
            assert said["status"] == answer


# --- E: transactions ------------------------------------------------------------------------------


@case("E: charging, card and plug, to the bill")
async def _charging(walk: W) -> None:
    await walk.box.status("Occupied")
    assert await walk.box.authorize(CARD) == "Accepted"
    one = await charging(walk)
    await walk.is_shown("CHARGING")
    await walk.box.transaction("Updated", one, trigger="MeterValuePeriodic", register_wh=1100)
    await ends(walk, one, id_token=CARD)
    assert await walk.billed_kwh() == [0.2]
    await walk.box.status("Available")
    await walk.is_shown("AVAILABLE")


@case("E: the plug begins it, the card comes later")
async def _plug_first(walk: W) -> None:
    one = walk.box.new_transaction()
    await walk.box.transaction(
        "Started", one, trigger="CablePluggedIn", info={"chargingState": "EVConnected"}
    )
    answer = await walk.box.transaction("Updated", one, id_token=CARD, register_wh=1000)
    assert answer["idTokenInfo"]["status"] == "Accepted"
    told = {"chargingState": "Charging"}
    await walk.box.transaction("Updated", one, trigger="ChargingStateChanged", info=told)
    await walk.session("ACTIVE")
    await ends(walk, one)
    assert await walk.billed_kwh() == [0.2]


@case("E: the car is unplugged while it charges")
async def _unplugged(walk: W) -> None:
    await ends(walk, await charging(walk), why="EVDisconnected")
    assert await walk.billed_kwh() == [0.2]


@case("E: the car pauses, and goes on")
async def _paused(walk: W) -> None:
    one = await charging(walk)
    for state in ("SuspendedEV", "Charging"):
        told = {"chargingState": state}
        await walk.box.transaction("Updated", one, trigger="ChargingStateChanged", info=told)
    await ends(walk, one)


@case("E: events that were kept while it was offline")
async def _offline(walk: W) -> None:
    one = walk.box.new_transaction()
    moment = at(walk.world.db.now())
    box = await walk.again()
    await box.transaction(
        "Started", one, id_token=CARD, register_wh=1000, when=moment, offline=True
    )
    await box.transaction("Ended", one, register_wh=1050, when=moment, offline=True)
    await walk.session("COMPLETED")
    assert await walk.billed_kwh() == [0.05]


@case("E: an event whose answer was lost comes again")
async def _again(walk: W) -> None:
    one = await charging(walk)
    box = await walk.again()
    one.seq_no -= 1
    answer = await box.transaction(
        "Started", one, id_token=CARD, register_wh=1000, info={"chargingState": "Charging"}
    )
    assert answer["idTokenInfo"]["status"] == "Accepted"
    await ends(walk, one)
    assert await walk.billed_kwh() == [0.2]


@case("E: is a transaction still under way?")
async def _status(walk: W) -> None:
    one = await charging(walk)
    walk.box.answers["GetTransactionStatus"] = {"ongoingIndicator": True, "messagesInQueue": False}
    said = await walk.call("GetTransactionStatus", transactionId=one.transaction_id)
    assert said == {"ongoingIndicator": True, "messagesInQueue": False}


# --- F: remote control ----------------------------------------------------------------------------


@case("F: started and ended by command")
async def _remote(walk: W) -> None:
    command = await walk.start()
    told = (await walk.box.next("RequestStartTransaction")).payload
    one = walk.box.new_transaction()
    await walk.box.transaction(
        "Started",
        one,
        trigger="RemoteStart",
        id_token=told["idToken"]["idToken"],
        register_wh=0,
        info={"remoteStartId": told["remoteStartId"], "chargingState": "Charging"},
    )
    assert (await walk.session("ACTIVE"))["_id"] == command["session_id"]
    assert await walk.commanded(commands.STOP) == "ACCEPTED"
    told = (await walk.box.next("RequestStopTransaction")).payload
    assert told == {"transactionId": one.transaction_id}
    await ends(walk, one, 100, "Remote")
    assert await walk.billed_kwh() == [0.1]


@case("F: a start, an end by command are refused")
async def _remote_refused(walk: W) -> None:
    walk.box.answers["RequestStartTransaction"] = {"status": "Rejected"}
    assert (await walk.commanded(commands.START)).startswith("REJECTED")
    await charging(walk)
    walk.box.answers["RequestStopTransaction"] = {"status": "Rejected"}
    assert (await walk.commanded(commands.STOP)).startswith("REJECTED")


@case("F: unlocking: done, failed, not while it charges, no such connector")
async def _unlock(walk: W) -> None:
    for answer, accepted in (
        ("Unlocked", True),
        ("UnlockFailed", False),
        ("OngoingAuthorizedTransaction", False),
        ("UnknownConnector", False),
    ):
        walk.box.answers["UnlockConnector"] = {"status": answer}
        said = await walk.commanded(commands.UNLOCK)
        assert (said == "ACCEPTED") is accepted, said


@case("F: messages are triggered, refused, not known")
async def _trigger(walk: W) -> None:
    for message in ("BootNotification", "Heartbeat", "MeterValues", "StatusNotification"):
        await walk.do(ocpp.TRIGGER, message=message)
        assert (await walk.box.next("TriggerMessage")).payload["requestedMessage"] == message
    for answer in ("Rejected", "NotImplemented"):
        walk.box.answers["TriggerMessage"] = {"status": answer}
        assert answer in await walk.refusal(ocpp.TRIGGER, message="Heartbeat")


# --- G, H: availability, reservation --------------------------------------------------------------


@case("G: states of its connectors, a fault, two EVSEs")
async def _states(walk: W) -> None:
    for status, shown in (
        ("Occupied", "BLOCKED"),
        ("Reserved", "RESERVED"),
        ("Unavailable", "INOPERATIVE"),
        ("Faulted", "OUTOFORDER"),
        ("Available", "AVAILABLE"),
    ):
        await walk.box.status(status)
        await walk.is_shown(shown)
    await walk.box.status("Available", evse=2)
    await walk.is_shown("AVAILABLE", f"{STATION}-2")


@case("G: out of service and back")
async def _availability(walk: W) -> None:
    service = charge_point_actions.SET_OPERATIVE
    await walk.do(service, operative=False)
    told = (await walk.box.next("ChangeAvailability")).payload
    assert told["operationalStatus"] == "Inoperative"
    await walk.box.status("Unavailable")
    await walk.is_shown("INOPERATIVE")
    await walk.do(service, operative=True)
    await walk.box.next("ChangeAvailability")
    await walk.box.status("Available")
    await walk.is_shown("AVAILABLE")


@case("H: a reservation: its driver charges; given up; refused")
async def _reservation(walk: W) -> None:
    for answer in ("Faulted", "Occupied", "Unavailable", "Rejected"):
        walk.box.answers["ReserveNow"] = {"status": answer}
        assert await walk.commanded(commands.RESERVE, card=CARD) != "ACCEPTED"
        await walk.box.next("ReserveNow")
    walk.box.answers["ReserveNow"] = {"status": "Accepted"}
    assert await walk.commanded(commands.RESERVE, card=CARD) == "ACCEPTED"
    told = (await walk.box.next("ReserveNow")).payload
    await walk.box.status("Reserved")
    await walk.is_shown("RESERVED")
    assert await walk.commanded(commands.CANCEL_RESERVATION) == "ACCEPTED"
    cancelled = (await walk.box.next("CancelReservation")).payload
    assert cancelled == {"reservationId": told["id"]}
    await walk.box.status("Available")
    await walk.is_shown("AVAILABLE")
    assert await walk.commanded(commands.RESERVE, card=CARD) == "ACCEPTED"
    told = (await walk.box.next("ReserveNow")).payload
    await ends(walk, await charging(walk, reservationId=told["id"]))


# --- J, K: meter values, smart charging -----------------------------------------------------------


@case("J: meter values outside of transactions are nobody's")
async def _meter_values(walk: W) -> None:
    sampled = [{"value": 5, "measurand": "Power.Active.Import"}]
    told = {"evseId": 1, "meterValue": [{"timestamp": at(), "sampledValue": sampled}]}
    assert await walk.box.call("MeterValues", told) == {}
    assert await walk.sessions() == []


@case("K: a limit of a session is set, read, taken away")
async def _limit(walk: W) -> None:
    one = await charging(walk)
    session = await walk.session("ACTIVE")
    link, known = walk.world.gateways[0].central.link, {"session_id": session["_id"]}
    periods = [{"start_period": 0, "limit": 16.3}]
    limit = {"charging_rate_unit": "A", "charging_profile_period": periods}
    assert (await link.set_limit(STATION, "c-1", limit=limit, **known)).accepted
    profile = (await walk.box.next("SetChargingProfile")).payload["chargingProfile"]
    assert profile["chargingProfilePurpose"] == "TxProfile"
    assert profile["transactionId"] == one.transaction_id
    walk.box.answers["GetCompositeSchedule"] = {
        "status": "Accepted",
        "schedule": {
            "evseId": 1,
            "duration": 60,
            "scheduleStart": at(),
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.3}],
        },
    }
    assert "16.3" in str(await link.active_profile(STATION, duration_s=60, **known))
    assert (await link.clear_limit(STATION, "c-2", **known)).accepted
    walk.box.answers["SetChargingProfile"] = {"status": "Rejected"}
    assert not (await link.set_limit(STATION, "c-3", limit=limit, **known)).accepted


# --- L, N, P: firmware, diagnostics, data ---------------------------------------------------------


@case("L: firmware is updated")
async def _firmware(walk: W) -> None:
    await walk.do(ocpp_files.FIRMWARE, location="https://example.com/firmware.bin")
    told = (await walk.box.next("UpdateFirmware")).payload
    assert told["firmware"]["location"] == "https://example.com/firmware.bin"
    for status in ("Downloading", "Downloaded", "Installing", "Installed"):
        said = {"status": status, "requestId": told["requestId"]}
        assert await walk.box.call("FirmwareStatusNotification", said) == {}


@case("N: logs are fetched")
async def _logs(walk: W) -> None:
    walk.box.answers["GetLog"] = {"status": "Accepted", "filename": "box.log"}
    await walk.do(ocpp_files.LOGS)
    told = (await walk.box.next("GetLog")).payload
    assert told["logType"] == "DiagnosticsLog"
    for status in ("Uploading", "Uploaded"):
        said = {"status": status, "requestId": told["requestId"]}
        assert await walk.box.call("LogStatusNotification", said) == {}


@case("N: events that it was not asked to watch for are taken")
async def _events(walk: W) -> None:
    event = {
        "eventId": 1,
        "timestamp": at(),
        "trigger": "Alerting",
        "actualValue": "81",
        "eventNotificationType": "HardWiredNotification",
        **variable("EVSE", "Temperature"),
    }
    told = {"generatedAt": at(), "seqNo": 0, "eventData": [event]}
    assert await walk.box.call("NotifyEvent", told) == {}


@case("P: data of a vendor's own")
async def _data_transfer(walk: W) -> None:
    told = await walk.box.call("DataTransfer", {"vendorId": "com.acme", "data": "x"})
    assert told["status"] == "UnknownVendorId"
    walk.box.answers["DataTransfer"] = {"status": "Accepted"}
    assert (await walk.call("DataTransfer", vendorId="com.acme"))["status"] == "Accepted"


# --- what no station should do --------------------------------------------------------------------


@case("a station that misbehaves is told so, and goes on")
async def _misbehaves(walk: W) -> None:
    box = walk.box
    await box.send("{not json")
    await box.send([2, "1"])
    await box.send([3, "nobody-asked", {}])
    with pytest.raises(Refused, match="NotImplemented"):
        await RawBox.call(box, "MakeCoffee", {})
    with pytest.raises(Refused):
        await RawBox.call(box, "TransactionEvent", {"eventType": "Started"})
    assert (await box.heartbeat())["currentTime"]


@pytest.mark.parametrize("name", case.stories)
def test_use_case(name: str, world: World) -> None:
    async def story() -> None:
        async with walk201(world) as walk:
            await case.stories[name](walk)

    world.run(story())


def test_the_documented_use_cases_are_these() -> None:
    assert documented("2.0.1") == list(case.stories)
