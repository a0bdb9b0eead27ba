"""The simulated charge point in OCPP 1.6, against a central system that tests play."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from cpo_app.charge_point.states import State
from tests.conftest import Loop
from tests.cpo_app.charge_point.ocpp.played import STATION, playing
from tests.cpo_app.charge_point.worlds import until
from tests.peers.ocpp_box import at
from tests.peers.ocpp_wire import Refused


def test_it_boots_and_tells_its_states(loop: Loop) -> None:
    async def story() -> None:
        async with playing("1.6", evses=2) as scene:
            boot = await scene.next("BootNotification")
            assert boot["firmwareVersion"] == "1.0.0"
            told = [await scene.next("StatusNotification") for _ in range(3)]
            assert [one["connectorId"] for one in told] == [0, 1, 2]
            assert {one["status"] for one in told} == {"Available"}
            assert scene.box.station.configuration.text("HeartbeatInterval") == "300"

    loop.run(story())


def test_a_remote_start_charges_until_the_remote_stop(loop: Loop) -> None:
    async def story() -> None:
        async with playing("1.6", speed=3600) as scene:
            asked = {"idTag": "CARD", "connectorId": 1}
            assert await scene.ask("RemoteStartTransaction", asked) == {"status": "Accepted"}
            started = await scene.next("StartTransaction")
            assert (started["idTag"], started["connectorId"]) == ("CARD", 1)
            reading = await scene.next("MeterValues")
            assert reading["transactionId"] == 1
            measured = reading["meterValue"][0]["sampledValue"]
            assert {one["measurand"] for one in measured} >= {
                "Energy.Active.Import.Register",
                "Power.Active.Import",
                "Current.Import",
                "Voltage",
            }
            stop = {"transactionId": 1}
            assert await scene.ask("RemoteStopTransaction", stop) == {"status": "Accepted"}
            stopped = await scene.next("StopTransaction")
            assert stopped["reason"] == "Remote"
            assert stopped["meterStop"] > started["meterStart"]
            assert await scene.ask("RemoteStopTransaction", stop) == {"status": "Rejected"}
            await until(lambda: scene.box.station.places[1].evse.state is State.AVAILABLE)

    loop.run(story())


def test_a_card_starts_and_the_same_card_stops(loop: Loop) -> None:
    async def story() -> None:
        async with playing("1.6") as scene:
            await scene.sim("plug")
            outcome = await scene.sim("swipe", token_uid="CARD")
            assert outcome["swipe"]["result"] == "ACCEPTED"
            assert (await scene.next("Authorize")) == {"idTag": "CARD"}
            assert (await scene.next("StartTransaction"))["idTag"] == "CARD"
            await scene.sim("swipe", token_uid="CARD")
            stopped = await scene.next("StopTransaction")
            assert (stopped["reason"], stopped["idTag"]) == ("Local", "CARD")
            await scene.sim("unplug")

    loop.run(story())


def test_a_card_that_is_refused_does_not_charge(loop: Loop) -> None:
    async def story() -> None:
        blocked = {"idTagInfo": {"status": "Blocked"}}
        async with playing("1.6", answers={"Authorize": blocked}) as scene:
            await scene.sim("plug")
            outcome = await scene.sim("swipe", token_uid="CARD")
            assert outcome["swipe"] == {"action": "none", "allowed": "Blocked"}
            assert scene.box.station.places[1].evse.session is None

    loop.run(story())


def test_a_start_that_is_refused_afterwards_ends(loop: Loop) -> None:
    async def story() -> None:
        invalid = {"transactionId": 9, "idTagInfo": {"status": "Invalid"}}
        async with playing("1.6", answers={"StartTransaction": invalid}) as scene:
            await scene.ask("RemoteStartTransaction", {"idTag": "CARD"})
            stopped = await scene.next("StopTransaction")
            assert (stopped["reason"], stopped["transactionId"]) == ("DeAuthorized", 9)

    loop.run(story())


def test_what_happens_while_it_is_away_is_said_later_in_order(loop: Loop) -> None:
    async def story() -> None:
        async with playing("1.6", sample_s=3600) as scene:
            await scene.ask("SendLocalList", {
                "listVersion": 3, "updateType": "Full",
                "localAuthorizationList": [{"idTag": "CARD", "idTagInfo": {"status": "Accepted"}}],
            })  # fmt: skip
            assert (await scene.ask("GetLocalListVersion", {})) == {"listVersion": 3}
            await scene.csms.down()
            await until(lambda: not scene.box.online.is_set())
            await scene.sim("plug")
            assert (await scene.sim("swipe", token_uid="OTHER"))["swipe"]["allowed"] == "Offline"
            assert (await scene.sim("swipe", token_uid="CARD"))["swipe"]["result"] == "ACCEPTED"
            await scene.sim("swipe", token_uid="CARD")
            await scene.sim("unplug")
            await scene.csms.up()
            await scene.csms.station(STATION, times=2)
            started = await scene.next("StartTransaction")
            stopped = await scene.next("StopTransaction")
            await scene.waits_for_nothing()
            assert started["idTag"] == stopped["idTag"] == "CARD"
            actions = [asked.action for asked in scene.wire.asked]
            later = actions[actions.index("BootNotification", 1) :]
            # States of the time when it was away are past: the present one is told once.
            assert later == [
                "BootNotification",
                "StatusNotification",
                "StatusNotification",
                "StartTransaction",
                "StopTransaction",
            ]

    loop.run(story())


def test_an_answer_that_is_lost_is_asked_for_again(loop: Loop, tmp_path: Path) -> None:
    """The same start is told again with the same words, so that it is known again."""

    async def story() -> None:
        heard: list[Any] = []

        def lost_once(told: Any) -> Any:
            heard.append(told)
            if len(heard) == 1:
                scene.wire.connection.transport.abort()
            return {"transactionId": 5, "idTagInfo": {"status": "Accepted"}}

        async with playing("1.6", state_dir=tmp_path) as scene:
            scene.csms.answers["StartTransaction"] = lost_once
            await scene.ask("RemoteStartTransaction", {"idTag": "CARD"})
            await scene.csms.station(STATION, times=2)
            await until(lambda: len(heard) == 2)
            assert heard[0] == heard[1]

    loop.run(story())


def test_a_restart_goes_on_with_its_transaction(loop: Loop, tmp_path: Path) -> None:
    async def story() -> None:
        async with playing("1.6", state_dir=tmp_path) as scene:
            await scene.ask("RemoteStartTransaction", {"idTag": "CARD"})
            await scene.next("StartTransaction")
            await scene.next("MeterValues")
        async with playing("1.6", state_dir=tmp_path, signs=True) as scene:
            reading = await scene.next("MeterValues")
            assert reading["transactionId"] == 1
            assert await scene.ask("RemoteStopTransaction", {"transactionId": 1}) == {
                "status": "Accepted"
            }
            await scene.next("StopTransaction")

    loop.run(story())


def test_signed_values_go_with_the_end(loop: Loop, tmp_path: Path) -> None:
    async def story() -> None:
        async with playing("1.6", state_dir=tmp_path, signs=True) as scene:
            await scene.ask("RemoteStartTransaction", {"idTag": "CARD"})
            await scene.next("StartTransaction")
            await until(lambda: scene.box.station.known)
            await scene.ask("RemoteStopTransaction", {"transactionId": 1})
            stopped = await scene.next("StopTransaction")
            values = stopped["transactionData"][0]["sampledValue"]
            signed = [one for one in values if one.get("format") == "SignedData"]
            assert [one["context"] for one in signed] == ["Transaction.Begin", "Transaction.End"]
            assert all(one["value"].startswith("OCMF|") for one in signed)

    loop.run(story())


def in_an_hour() -> str:
    return at(datetime.now(timezone.utc) + timedelta(hours=1))


def test_a_reservation_keeps_the_place(loop: Loop) -> None:
    async def story() -> None:
        async with playing("1.6") as scene:
            asked = {"connectorId": 1, "expiryDate": in_an_hour(), "idTag": "CARD"}
            asked = {**asked, "reservationId": 7, "parentIdTag": "FAMILY"}
            assert await scene.ask("ReserveNow", asked) == {"status": "Accepted"}
            other = {**asked, "reservationId": 8}
            assert await scene.ask("ReserveNow", other) == {"status": "Occupied"}
            refused = await scene.ask("RemoteStartTransaction", {"idTag": "ELSE", "connectorId": 1})
            assert refused == {"status": "Rejected"}
            family = {"idTagInfo": {"status": "Accepted", "parentIdTag": "FAMILY"}}
            scene.csms.answers["Authorize"] = family
            await scene.sim("plug")
            await scene.sim("swipe", token_uid="SISTER")
            assert (await scene.next("StartTransaction"))["reservationId"] == 7
            gone = await scene.ask("CancelReservation", {"reservationId": 7})
            assert gone == {"status": "Rejected"}

    loop.run(story())


def schedule(limit: float, unit: str = "A") -> dict[str, Any]:
    periods = [{"startPeriod": 0, "limit": limit}]
    return {"chargingRateUnit": unit, "chargingSchedulePeriod": periods}


def profile(purpose: str, limit: float, number: int = 1, level: int = 0, unit: str = "A") -> Any:
    return {
        "chargingProfileId": number,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Relative",
        "chargingSchedule": schedule(limit, unit),
    }


def test_the_least_of_all_profiles_is_followed(loop: Loop) -> None:
    async def story() -> None:
        async with playing("1.6") as scene:
            evse = scene.box.station.places[1].evse
            usual = {"connectorId": 0, "csChargingProfiles": profile("TxDefaultProfile", 16.3)}
            assert await scene.ask("SetChargingProfile", usual) == {"status": "Accepted"}
            tx = {"connectorId": 1, "csChargingProfiles": profile("TxProfile", 6, 2)}
            assert await scene.ask("SetChargingProfile", tx) == {"status": "Rejected"}
            await scene.ask("RemoteStartTransaction", {"idTag": "CARD"})
            assert evse.power_w() == pytest.approx(16.3 * 230 * 3)
            assert await scene.ask("SetChargingProfile", tx) == {"status": "Accepted"}
            assert evse.power_w() == pytest.approx(6 * 230 * 3)
            asked = {"connectorId": 1, "duration": 60, "chargingRateUnit": "A"}
            composite = await scene.ask("GetCompositeSchedule", asked)
            assert composite["chargingSchedule"]["chargingSchedulePeriod"] == [
                {"startPeriod": 0, "limit": 6.0}
            ]
            whole = profile("ChargePointMaxProfile", 1000, 3, unit="W")
            await scene.ask("SetChargingProfile", {"connectorId": 0, "csChargingProfiles": whole})
            assert evse.power_w() == pytest.approx(1000)
            assert (await scene.ask("ClearChargingProfile", {}))["status"] == "Accepted"
            assert evse.power_w() == pytest.approx(22_000)
            assert (await scene.ask("ClearChargingProfile", {}))["status"] == "Unknown"

    loop.run(story())


def test_triggers_availability_and_unlock(loop: Loop) -> None:
    async def story() -> None:
        async with playing("1.6") as scene:
            for _ in range(2):
                await scene.next("StatusNotification")
            trigger = {"requestedMessage": "StatusNotification", "connectorId": 1}
            assert await scene.ask("TriggerMessage", trigger) == {"status": "Accepted"}
            assert (await scene.next("StatusNotification"))["connectorId"] == 1
            await scene.ask("TriggerMessage", {"requestedMessage": "MeterValues"})
            assert "transactionId" not in await scene.next("MeterValues")
            off = {"connectorId": 0, "type": "Inoperative"}
            assert await scene.ask("ChangeAvailability", off) == {"status": "Accepted"}
            assert (await scene.next("StatusNotification"))["status"] == "Unavailable"
            await scene.ask("ChangeAvailability", {"connectorId": 0, "type": "Operative"})
            await scene.ask("RemoteStartTransaction", {"idTag": "CARD"})
            assert await scene.ask("ChangeAvailability", off) == {"status": "Scheduled"}
            unlocked = await scene.ask("UnlockConnector", {"connectorId": 1})
            assert unlocked == {"status": "Unlocked"}
            await scene.next("StopTransaction")

    loop.run(story())


def test_faults_are_told_in_the_words_of_ocpp(loop: Loop) -> None:
    async def story() -> None:
        async with playing("1.6") as scene:
            for _ in range(2):
                await scene.next("StatusNotification")
            await scene.sim("fault", code="GROUND_FAILURE")
            told = await scene.next("StatusNotification")
            assert (told["status"], told["errorCode"]) == ("Faulted", "GroundFailure")
            await scene.sim("clear_fault")
            assert (await scene.next("StatusNotification"))["status"] == "Available"
            await scene.sim("fault", code="COFFEE_SPILT")
            told = await scene.next("StatusNotification")
            assert (told["errorCode"], told["vendorErrorCode"]) == ("OtherError", "COFFEE_SPILT")

    loop.run(story())


def test_configuration_is_read_and_set(loop: Loop) -> None:
    async def story() -> None:
        async with playing("1.6", evses=2) as scene:
            told = await scene.ask(
                "GetConfiguration", {"key": ["NumberOfConnectors", "HeartbeatInterval", "Nope"]}
            )
            assert told["unknownKey"] == ["Nope"]
            values = {one["key"]: one["value"] for one in told["configurationKey"]}
            assert values == {"NumberOfConnectors": "2", "HeartbeatInterval": "300"}
            change = {"key": "ConnectionTimeOut", "value": "7"}
            assert (await scene.ask("ChangeConfiguration", change))["status"] == "Accepted"
            assert scene.box.station.places[2].evse.config.plug_timeout_s == 7
            for key, value, status in (
                ("ConnectionTimeOut", "soon", "Rejected"),
                ("LocalAuthListMaxLength", "1", "Rejected"),
                ("Nope", "1", "NotSupported"),
            ):
                answer = await scene.ask("ChangeConfiguration", {"key": key, "value": value})
                assert answer == {"status": status}

    loop.run(story())


def test_a_new_password_is_shown_at_the_next_connection(loop: Loop, tmp_path: Path) -> None:
    async def story() -> None:
        async with playing("1.6", state_dir=tmp_path) as scene:
            change = {"key": "AuthorizationKey", "value": "another-secret-0123456789"}
            assert (await scene.ask("ChangeConfiguration", change))["status"] == "Accepted"
            await scene.csms.station(STATION, times=2)
            first = scene.csms.credentials[STATION]
        async with playing("1.6", state_dir=tmp_path) as scene:
            assert scene.csms.credentials[STATION] == first != "Basic Q1AtNzpzZWNyZXQ="
            told = await scene.ask("GetConfiguration", {})
            assert "another-secret" not in str(told)

    loop.run(story())


def test_a_reset_ends_the_session_and_boots_again(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cpo_app.charge_point.ocpp.keeping.REBOOT_S", 0.01)

    async def story() -> None:
        async with playing("1.6") as scene:
            await scene.next("BootNotification")
            await scene.ask("RemoteStartTransaction", {"idTag": "CARD"})
            assert (await scene.ask("Reset", {"type": "Hard"})) == {"status": "Accepted"}
            assert (await scene.next("StopTransaction"))["reason"] == "HardReset"
            await scene.csms.station(STATION, times=2)
            await scene.next("BootNotification")

    loop.run(story())


def test_what_it_does_not_know_it_says(loop: Loop) -> None:
    async def story() -> None:
        async with playing("1.6") as scene:
            with pytest.raises(Refused, match="NotImplemented"):
                await scene.wire.call("InstallCertificate", {})
            with pytest.raises(Refused, match="FormationViolation"):
                await scene.wire.call("ReserveNow", {})
            with pytest.raises(Refused, match="PropertyConstraintViolation"):
                await scene.wire.call("RemoteStartTransaction", {"idTag": "A", "connectorId": 5})
            vendor = await scene.ask("DataTransfer", {"vendorId": "x"})
            assert vendor == {"status": "UnknownVendorId"}

    loop.run(story())
