"""The OCA's test list for central systems of OCPP 1.6, case by case, over a socket and a store."""

from __future__ import annotations

import pytest
from websockets.exceptions import InvalidStatus

from cpo_app.actions import charge_points as charge_point_actions
from cpo_app.actions import commands, ocpp, ocpp_files, stations
from domain.objects.tokens import owned_token
from tests.cpo_app.ocpp.conftest import World
from tests.cpo_app.ocpp.walking import CARD, FRIEND, STATION, Cases, Walk, documented, walk16
from tests.domain.authorization.test_authorization import token
from tests.peers.ocpp_box import Box16, RawBox, at, sampled_16
from tests.peers.ocpp_wire import Refused

case: Cases[Box16] = Cases()
W = Walk[Box16]
LIST = [{"idTag": CARD, "idTagInfo": {"status": "Accepted"}}]

# --- core -----------------------------------------------------------------------------------------


@case("cold boot")
async def _boot(walk: W) -> None:
    answer = await walk.box.boot(firmware_version="7.1")
    assert answer["status"] == "Accepted"
    assert answer["interval"] == 60
    assert (await walk.box.heartbeat())["currentTime"].endswith("Z")
    await walk.is_shown("AVAILABLE")


@case("charging, plugged in first")
async def _plugged_first(walk: W) -> None:
    await walk.box.status("Preparing")
    assert await walk.box.authorize(CARD) == "Accepted"
    started = await walk.box.start(CARD, meter_wh=1000)
    assert started["idTagInfo"]["status"] == "Accepted"
    await walk.box.status("Charging")
    await walk.is_shown("CHARGING")
    await walk.box.meter(started["transactionId"], 1200, power_w=11_000, soc=40)
    await walk.box.stop(started["transactionId"], meter_wh=1500, id_tag=CARD, reason="Local")
    await walk.box.status("Finishing")
    await walk.session("COMPLETED")
    assert await walk.billed_kwh() == [0.5]
    await walk.box.status("Available")
    await walk.is_shown("AVAILABLE")


@case("charging, card first")
async def _card_first(walk: W) -> None:
    assert await walk.box.authorize(CARD) == "Accepted"
    await walk.box.status("Preparing")
    started = await walk.box.start(CARD)
    assert (await walk.session("ACTIVE"))["token"]["uid"] == CARD
    await walk.box.stop(started["transactionId"], meter_wh=10)
    await walk.session("COMPLETED")


@case("the car is unplugged while it charges")
async def _unplugged(walk: W) -> None:
    started = await walk.box.start(CARD)
    await walk.box.stop(started["transactionId"], meter_wh=200, reason="EVDisconnected")
    await walk.session("COMPLETED")
    assert await walk.billed_kwh() == [0.2]


@case("another card of the group ends it")
async def _group(walk: W) -> None:
    started = await walk.box.start(CARD)
    other = await walk.box.call("Authorize", {"idTag": FRIEND})
    parent = started["idTagInfo"]["parentIdTag"]
    assert other["idTagInfo"] == {**other["idTagInfo"], "parentIdTag": parent}
    await walk.box.stop(started["transactionId"], meter_wh=5, id_tag=FRIEND)
    await walk.session("COMPLETED")


@case("started by command, plugged in first")
async def _remote_plugged(walk: W) -> None:
    await walk.box.status("Preparing")
    command = await walk.start()
    told = (await walk.box.next("RemoteStartTransaction")).payload
    await walk.box.start(told["idTag"], meter_wh=1)
    assert (await walk.session("ACTIVE"))["_id"] == command["session_id"]


@case("started by command, plugged in later")
async def _remote_first(walk: W) -> None:
    command = await walk.start()
    told = (await walk.box.next("RemoteStartTransaction")).payload
    await walk.box.status("Preparing")
    await walk.box.start(told["idTag"], meter_wh=1)
    assert (await walk.session("ACTIVE"))["_id"] == command["session_id"]


@case("a start by command is refused")
async def _remote_refused(walk: W) -> None:
    walk.box.answers["RemoteStartTransaction"] = {"status": "Rejected"}
    assert await walk.commanded(commands.START) == "REJECTED"
    assert "PENDING" not in await walk.sessions()


@case("ended by command")
async def _remote_stop(walk: W) -> None:
    started = await walk.box.start(CARD)
    await walk.session("ACTIVE")
    assert await walk.commanded(commands.STOP) == "ACCEPTED"
    told = (await walk.box.next("RemoteStopTransaction")).payload
    assert told == {"transactionId": started["transactionId"]}
    await walk.box.stop(told["transactionId"], meter_wh=300, reason="Remote")
    await walk.session("COMPLETED")
    assert await walk.billed_kwh() == [0.3]


@case("an end by command is refused")
async def _remote_stop_refused(walk: W) -> None:
    await walk.box.start(CARD)
    await walk.session("ACTIVE")
    walk.box.answers["RemoteStopTransaction"] = {"status": "Rejected"}
    assert await walk.commanded(commands.STOP) == "REJECTED"
    await walk.session("ACTIVE")


@case("a reset ends what charges, and it boots again")
async def _reset(walk: W) -> None:
    started = await walk.box.start(CARD)
    for hard, kind, reason in ((False, "Soft", "SoftReset"), (True, "Hard", "HardReset")):
        assert (await walk.do(ocpp.RESET, hard=hard))["said"] == "Accepted"
        assert (await walk.box.next("Reset")).payload == {"type": kind}
        await walk.box.stop(started["transactionId"], meter_wh=100, reason=reason)
        box = await walk.again()
        assert (await box.boot())["status"] == "Accepted"
        started = await box.start(CARD, meter_wh=100)
    assert await walk.billed_kwh() == [0.1, 0.0]


@case("a reset is refused")
async def _reset_refused(walk: W) -> None:
    walk.box.answers["Reset"] = {"status": "Rejected"}
    assert "Rejected" in await walk.refusal(ocpp.RESET)


@case("unlocking: done, failed, not possible, while it charges")
async def _unlock(walk: W) -> None:
    for answer, result in (
        ("Unlocked", "ACCEPTED"),
        ("UnlockFailed", "FAILED"),
        ("NotSupported", "NOT_SUPPORTED"),
    ):
        walk.box.answers["UnlockConnector"] = {"status": answer}
        assert await walk.commanded(commands.UNLOCK) == result
    started = await walk.box.start(CARD)
    await walk.session("ACTIVE")
    walk.box.answers["UnlockConnector"] = {"status": "Unlocked"}
    assert await walk.commanded(commands.UNLOCK) == "ACCEPTED"
    await walk.box.stop(started["transactionId"], meter_wh=9, reason="UnlockCommand")
    await walk.session("COMPLETED")


@case("the configuration is read, all of it and by key")
async def _configuration(walk: W) -> None:
    row = {"key": "HeartbeatInterval", "value": "60", "readonly": False}
    walk.box.answers["GetConfiguration"] = lambda told: (
        {"configurationKey": [row], "unknownKey": ["Nope"]} if told.get("key")
        else {"configurationKey": [row]}
    )  # fmt: skip
    assert "HeartbeatInterval" in str(await walk.do(ocpp.CONFIGURATION))
    told = await walk.do(ocpp.CONFIGURATION, keys=["HeartbeatInterval", "Nope"])
    assert "Nope" in str(told)


@case("the configuration is set: taken, after a restart, refused, unknown")
async def _configure(walk: W) -> None:
    given = {"config_key": "HeartbeatInterval", "config_value": "30"}
    for answer, outcome in (("Accepted", "taken"), ("RebootRequired", "reboot")):
        walk.box.answers["ChangeConfiguration"] = {"status": answer}
        assert (await walk.do(ocpp.CONFIGURE, **given))["outcome"] == outcome
    for answer in ("Rejected", "NotSupported"):
        walk.box.answers["ChangeConfiguration"] = {"status": answer}
        assert answer in await walk.refusal(ocpp.CONFIGURE, **given)


@case("cards that may not charge: unknown, blocked, out of date")
async def _cards(walk: W) -> None:
    assert await walk.box.authorize("NOBODY") == "Invalid"
    blocked = token("BLOCKED", valid=False, whitelist="ALWAYS")
    await walk.world.store.create("tokens", owned_token(blocked))
    assert await walk.box.authorize("BLOCKED") in ("Blocked", "Invalid", "Expired")
    started = await walk.box.start("NOBODY")
    assert started["idTagInfo"]["status"] == "Invalid"
    await walk.box.stop(started["transactionId"], meter_wh=50, reason="DeAuthorized")
    assert await walk.billed_kwh() == []


@case("the lock of the plug fails")
async def _lock_failure(walk: W) -> None:
    assert await walk.box.authorize(CARD) == "Accepted"
    await walk.box.status("Faulted", error_code="ConnectorLockFailure")
    await walk.is_shown("OUTOFORDER")
    await walk.box.status("Available")
    await walk.is_shown("AVAILABLE")


@case("the power fails while it charges")
async def _power(walk: W) -> None:
    started = await walk.box.start(CARD, meter_wh=100)
    await walk.session("ACTIVE")
    box = await walk.again()
    await box.boot()
    await box.stop(started["transactionId"], meter_wh=350, reason="PowerLoss")
    await walk.session("COMPLETED")
    assert await walk.billed_kwh() == [0.25]


@case("a transaction that was offline from start to end")
async def _offline(walk: W) -> None:
    began = walk.world.db.now()
    box = await walk.again()
    started = await box.start(CARD, meter_wh=0, timestamp=at(began))
    await box.stop(started["transactionId"], meter_wh=40, timestamp=at(began))
    await walk.session("COMPLETED")
    assert await walk.billed_kwh() == [0.04]


@case("a message whose answer was lost comes again")
async def _again(walk: W) -> None:
    told = {"connectorId": 1, "idTag": CARD, "meterStart": 5, "timestamp": at()}
    first = await walk.box.call("StartTransaction", told)
    box = await walk.again()
    assert await box.call("StartTransaction", told) == first
    ended = {"transactionId": first["transactionId"], "meterStop": 25, "timestamp": at()}
    assert await box.call("StopTransaction", ended) == await box.call("StopTransaction", ended)
    await walk.session("COMPLETED")
    assert await walk.billed_kwh() == [0.02]


@case("out of service and back: at once, after the session, refused")
async def _availability(walk: W) -> None:
    service = charge_point_actions.SET_OPERATIVE
    for answer in ("Accepted", "Scheduled"):
        walk.box.answers["ChangeAvailability"] = {"status": answer}
        await walk.do(service, operative=False)
        told = await walk.box.next("ChangeAvailability")
        assert told.payload["type"] == "Inoperative"
        await walk.box.status("Unavailable")
        await walk.is_shown("INOPERATIVE")
        walk.box.answers["ChangeAvailability"] = {"status": "Accepted"}
        await walk.do(service, operative=True)
        assert (await walk.box.next("ChangeAvailability")).payload["type"] == "Operative"
        await walk.box.status("Available")
        await walk.is_shown("AVAILABLE")


@case("the cache of cards is cleared, or not")
async def _cache(walk: W) -> None:
    assert (await walk.do(ocpp.CLEAR_CACHE))["said"] == "Accepted"
    walk.box.answers["ClearCache"] = {"status": "Rejected"}
    assert "Rejected" in await walk.refusal(ocpp.CLEAR_CACHE)


@case("data of a vendor's own")
async def _data_transfer(walk: W) -> None:
    told = await walk.box.call("DataTransfer", {"vendorId": "com.acme", "data": "x"})
    assert told["status"] == "UnknownVendorId"
    walk.box.answers["DataTransfer"] = {"status": "Accepted", "data": "y"}
    assert (await walk.call("DataTransfer", vendorId="com.acme"))["data"] == "y"


@case("two connectors, each a charge point of its own")
async def _connectors(walk: W) -> None:
    await walk.box.status("Available", 2)
    await walk.is_shown("AVAILABLE", f"{STATION}-2")
    one = await walk.box.start(CARD, connector=1)
    two = await walk.box.start(FRIEND, connector=2)
    await walk.box.stop(two["transactionId"], meter_wh=20)
    await walk.session("COMPLETED")
    await walk.box.stop(one["transactionId"], meter_wh=10)
    await walk.world.until(lambda: _billed(walk, 2))


async def _billed(walk: W, count: int) -> bool:
    return len(await walk.billed_kwh()) == count


# --- local list -----------------------------------------------------------------------------------


@case("the local list: version, whole, differences, and what a station says to it")
async def _local_list(walk: W) -> None:
    walk.box.answers["GetLocalListVersion"] = {"listVersion": 3}
    assert (await walk.call("GetLocalListVersion"))["listVersion"] == 3
    for kind in ("Full", "Differential"):
        for answer in ("Accepted", "Failed", "NotSupported", "VersionMismatch"):
            walk.box.answers["SendLocalList"] = {"status": answer}
            said = await walk.call(
                "SendLocalList", listVersion=4, updateType=kind, localAuthorizationList=LIST
            )
            assert said["status"] == answer
    assert (await walk.box.next("SendLocalList")).payload["localAuthorizationList"] == LIST


# --- reservation ----------------------------------------------------------------------------------


@case("a reservation, and its driver charges")
async def _reservation(walk: W) -> None:
    assert await walk.commanded(commands.RESERVE, card=CARD) == "ACCEPTED"
    told = (await walk.box.next("ReserveNow")).payload
    await walk.box.status("Reserved")
    await walk.is_shown("RESERVED")
    assert await walk.box.authorize(told["idTag"]) == "Accepted"
    await walk.box.start(told["idTag"], reservation_id=told["reservationId"])
    await walk.session("ACTIVE")


@case("a reservation is refused: broken, taken, out of service, not done here")
async def _reservation_refused(walk: W) -> None:
    for answer, result in (
        ("Faulted", "EVSE_INOPERATIVE"),
        ("Occupied", "EVSE_OCCUPIED"),
        ("Unavailable", "EVSE_INOPERATIVE"),
        ("Rejected", "REJECTED"),
    ):
        walk.box.answers["ReserveNow"] = {"status": answer}
        said = await walk.commanded(commands.RESERVE, card=CARD)
        assert said.startswith(result), answer


@case("a reservation is given up, also one that the station knows no more")
async def _cancelled(walk: W) -> None:
    for answer in ("Accepted", "Rejected"):
        assert await walk.commanded(commands.RESERVE, card=CARD) == "ACCEPTED"
        told = (await walk.box.next("ReserveNow")).payload
        await walk.box.status("Reserved")
        await walk.is_shown("RESERVED")
        walk.box.answers["CancelReservation"] = {"status": answer}
        assert await walk.commanded(commands.CANCEL_RESERVATION) == "ACCEPTED"
        cancelled = (await walk.box.next("CancelReservation")).payload
        assert cancelled == {"reservationId": told["reservationId"]}
        await walk.box.status("Available")
        await walk.is_shown("AVAILABLE")


# --- remote trigger -------------------------------------------------------------------------------


@case("messages are triggered, refused, not known")
async def _trigger(walk: W) -> None:
    for message in (
        "BootNotification",
        "Heartbeat",
        "MeterValues",
        "StatusNotification",
        "FirmwareStatusNotification",
        "DiagnosticsStatusNotification",
    ):
        await walk.do(ocpp.TRIGGER, message=message)
        assert (await walk.box.next("TriggerMessage")).payload["requestedMessage"] == message
    await walk.box.call("MeterValues", {
        "connectorId": 1, "meterValue": [{"timestamp": at(), "sampledValue": sampled_16(5)}],
    })  # fmt: skip
    for answer in ("Rejected", "NotImplemented"):
        walk.box.answers["TriggerMessage"] = {"status": answer}
        assert answer in await walk.refusal(ocpp.TRIGGER, message="Heartbeat")


# --- smart charging -------------------------------------------------------------------------------


@case("a limit of a session is set, read, taken away")
async def _limit(walk: W) -> None:
    started = await walk.box.start(CARD)
    session = await walk.session("ACTIVE")
    link, known = walk.world.gateways[0].central.link, {"session_id": session["_id"]}
    limit = {
        "charging_rate_unit": "A",
        "charging_profile_period": [{"start_period": 0, "limit": 16.3}],
    }
    assert (await link.set_limit(STATION, "c-1", limit=limit, **known)).accepted
    profile = (await walk.box.next("SetChargingProfile")).payload["csChargingProfiles"]
    assert profile["chargingProfilePurpose"] == "TxProfile"
    assert profile["transactionId"] == started["transactionId"]
    [period] = profile["chargingSchedule"]["chargingSchedulePeriod"]
    assert (period["startPeriod"], period["limit"]) == (0, 16.3)
    walk.box.answers["GetCompositeSchedule"] = {
        "status": "Accepted",
        "connectorId": 1,
        "scheduleStart": at(),
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.3}],
        },
    }
    active = await link.active_profile(STATION, duration_s=60, **known)
    assert active is not None
    assert "16.3" in str(active)
    assert (await link.clear_limit(STATION, "c-2", **known)).accepted
    await walk.box.next("ClearChargingProfile")


@case("a limit is refused")
async def _limit_refused(walk: W) -> None:
    await walk.box.start(CARD)
    session = await walk.session("ACTIVE")
    link = walk.world.gateways[0].central.link
    limit = {
        "charging_rate_unit": "W",
        "charging_profile_period": [{"start_period": 0, "limit": 4000}],
    }
    for number, answer in enumerate(("Rejected", "NotSupported")):
        walk.box.answers["SetChargingProfile"] = {"status": answer}
        said = await link.set_limit(STATION, f"c-{number}", session_id=session["_id"], limit=limit)
        assert not said.accepted


@case("a default profile for the station, by hand")
async def _default_profile(walk: W) -> None:
    profile = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10.1}],
        },
    }
    said = await walk.call("SetChargingProfile", connectorId=0, csChargingProfiles=profile)
    assert said == {"status": "Accepted"}
    assert (await walk.box.next("SetChargingProfile")).payload["csChargingProfiles"] == profile
    walk.box.answers["ClearChargingProfile"] = {"status": "Unknown"}
    assert await walk.call("ClearChargingProfile", id=1) == {"status": "Unknown"}


# --- firmware and diagnostics ---------------------------------------------------------------------


@case("firmware is updated")
async def _firmware(walk: W) -> None:
    await walk.do(ocpp_files.FIRMWARE, location="https://example.com/firmware.bin")
    told = (await walk.box.next("UpdateFirmware")).payload
    assert told["location"] == "https://example.com/firmware.bin"
    for status in ("Downloading", "Downloaded", "Installing", "Installed"):
        assert await walk.box.call("FirmwareStatusNotification", {"status": status}) == {}


@case("diagnostics are fetched, or there are none")
async def _diagnostics(walk: W) -> None:
    await walk.do(ocpp_files.LOGS)
    told = (await walk.box.next("GetDiagnostics")).payload
    assert told["location"].startswith("http")
    for status in ("Uploading", "Uploaded"):
        assert await walk.box.call("DiagnosticsStatusNotification", {"status": status}) == {}
    walk.box.answers["GetDiagnostics"] = {}
    await walk.refusal(ocpp_files.LOGS)


# --- security -------------------------------------------------------------------------------------


@case("who does not show the password is not let in")
async def _basic(walk: W) -> None:
    for password in (None, "not-the-password-of-it"):
        with pytest.raises(InvalidStatus) as refused:
            await RawBox(walk.url, STATION, password).connect()
        assert refused.value.response.status_code == 401
    with pytest.raises(InvalidStatus) as refused:
        await RawBox(walk.url, STATION, "x", protocols=("ocpp9.9",)).connect()
    assert refused.value.response.status_code in (400, 401)


@case("another password from now on")
async def _password(walk: W) -> None:
    made = await walk.do(stations.OCPP_PASSWORD)
    box = await RawBox(walk.url, STATION, made["password"]).connect()
    assert (await box.call("Heartbeat"))["currentTime"]
    await box.close()


@case("events of security, logs and signed firmware of the extension")
async def _extension(walk: W) -> None:
    event = {"type": "InvalidCentralSystemCertificate", "timestamp": at()}
    assert await walk.box.call("SecurityEventNotification", event) == {}
    walk.box.answers["GetLog"] = {"status": "Accepted", "filename": "security.log"}
    await walk.do(ocpp_files.LOGS, log="security")
    asked = (await walk.box.next("GetLog")).payload
    assert asked["logType"] == "SecurityLog"
    told = {"status": "Uploaded", "requestId": asked["requestId"]}
    assert await walk.box.call("LogStatusNotification", told) == {}
    for status in ("Downloading", "InvalidSignature"):
        told = {"status": status, "requestId": 1}
        assert await walk.box.call("SignedFirmwareStatusNotification", told) == {}


@case("certificates are asked for by hand")
async def _certificates(walk: W) -> None:
    walk.box.answers["GetInstalledCertificateIds"] = {"status": "NotFound"}
    said = await walk.call(
        "GetInstalledCertificateIds", certificateType="CentralSystemRootCertificate"
    )
    assert said == {"status": "NotFound"}
    walk.box.answers["InstallCertificate"] = {"status": "Rejected"}
    certificate = {"certificateType": "CentralSystemRootCertificate", "certificate": "PEM"}
    assert (await walk.call("InstallCertificate", **certificate))["status"] == "Rejected"


# --- what no station should do --------------------------------------------------------------------


@case("a station that misbehaves is told so, and goes on")
async def _misbehaves(walk: W) -> None:
    box = walk.box
    await box.send("{not json")
    await box.send([2, "1"])
    await box.send([9, "2", "Heartbeat", {}])
    await box.send([3, "nobody-asked", {}])
    with pytest.raises(Refused, match="NotImplemented"):
        await RawBox.call(box, "MakeCoffee", {})
    with pytest.raises(Refused):
        await RawBox.call(box, "StartTransaction", {"connectorId": "one"})
    assert (await box.heartbeat())["currentTime"]


@pytest.mark.parametrize("name", case.stories)
def test_use_case(name: str, world: World) -> None:
    async def story() -> None:
        async with walk16(world) as walk:
            await case.stories[name](walk)

    world.run(story())


def test_the_documented_use_cases_are_these() -> None:
    assert documented("1.6") == list(case.stories)
