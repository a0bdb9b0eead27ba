"""The simulated charge point in OCPP 2.0.1, against a central system that tests play."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Loop
from tests.cpo_app.charge_point.ocpp.played import STATION, Scene, playing
from tests.cpo_app.charge_point.worlds import until
from tests.peers.ocpp_box import at

CARD = {"idToken": "CARD", "type": "ISO14443"}
START: dict[str, Any] = {"idToken": CARD, "remoteStartId": 77, "evseId": 1}


async def event(scene: Scene, kind: str) -> dict[str, Any]:
    """The next TransactionEvent of this kind."""
    while True:
        told = await scene.next("TransactionEvent")
        if told["eventType"] == kind:
            return told


def test_it_boots_and_tells_its_states(loop: Loop) -> None:
    async def story() -> None:
        async with playing("2.0.1", evses=2) as scene:
            boot = await scene.next("BootNotification")
            assert boot["reason"] == "PowerUp"
            assert boot["chargingStation"]["serialNumber"] == STATION
            told = [await scene.next("StatusNotification") for _ in range(2)]
            assert [(one["evseId"], one["connectorId"]) for one in told] == [(1, 1), (2, 1)]

    loop.run(story())


def test_a_remote_start_charges_until_the_remote_stop(loop: Loop) -> None:
    async def story() -> None:
        async with playing("2.0.1", speed=3600) as scene:
            assert (await scene.ask("RequestStartTransaction", START))["status"] == "Accepted"
            started = await event(scene, "Started")
            assert started["triggerReason"] == "RemoteStart"
            assert started["transactionInfo"]["remoteStartId"] == 77
            assert started["idToken"] == CARD
            transaction_id = started["transactionInfo"]["transactionId"]
            updated = await event(scene, "Updated")
            assert updated["meterValue"][0]["sampledValue"][0]["value"] >= 0
            stop = {"transactionId": transaction_id}
            there = await scene.ask("GetTransactionStatus", stop)
            assert there["ongoingIndicator"] is True
            assert (await scene.ask("RequestStopTransaction", stop)) == {"status": "Accepted"}
            ended = await event(scene, "Ended")
            assert ended["triggerReason"] == "RemoteStop"
            assert ended["transactionInfo"]["stoppedReason"] == "Remote"
            assert (await scene.ask("RequestStopTransaction", stop)) == {"status": "Rejected"}
            await scene.waits_for_nothing()
            numbers = [
                asked.payload["seqNo"]
                for asked in scene.wire.asked
                if asked.action == "TransactionEvent"
            ]
            assert numbers == list(range(len(numbers)))

    loop.run(story())


def test_the_charging_state_follows_the_limit(loop: Loop) -> None:
    async def story() -> None:
        async with playing("2.0.1", sample_s=3600) as scene:
            await scene.ask("RequestStartTransaction", START)
            transaction_id = (await event(scene, "Started"))["transactionInfo"]["transactionId"]
            profile = {
                "id": 4,
                "stackLevel": 0,
                "chargingProfilePurpose": "TxProfile",
                "chargingProfileKind": "Relative",
                "transactionId": transaction_id,
                "chargingSchedule": [
                    {
                        "id": 1,
                        "chargingRateUnit": "A",
                        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0}],
                    }
                ],
            }
            asked = {"evseId": 1, "chargingProfile": profile}
            assert (await scene.ask("SetChargingProfile", asked)) == {"status": "Accepted"}
            told = await event(scene, "Updated")
            assert told["transactionInfo"]["chargingState"] == "SuspendedEVSE"
            assert told["triggerReason"] == "ChargingStateChanged"
            composite = await scene.ask("GetCompositeSchedule", {"evseId": 1, "duration": 60})
            assert composite["schedule"]["chargingSchedulePeriod"] == [
                {"startPeriod": 0, "limit": 0.0}
            ]
            cleared = await scene.ask("ClearChargingProfile", {"chargingProfileId": 4})
            assert cleared == {"status": "Accepted"}
            told = await event(scene, "Updated")
            assert told["transactionInfo"]["chargingState"] == "Charging"

    loop.run(story())


def test_a_card_starts_stops_and_what_was_offline_says_so(loop: Loop) -> None:
    async def story() -> None:
        async with playing("2.0.1", sample_s=3600) as scene:
            await scene.sim("plug")
            await scene.sim("swipe", token_uid="CARD")
            started = await event(scene, "Started")
            assert started["triggerReason"] == "Authorized"
            assert "offline" not in started
            await scene.waits_for_nothing()
            await scene.csms.down()
            await until(lambda: not scene.box.online.is_set())
            await scene.sim("swipe", token_uid="CARD")
            await scene.sim("unplug")
            await scene.csms.up()
            await scene.csms.station(STATION, times=2)
            ended = await event(scene, "Ended")
            assert ended["offline"] is True
            assert ended["seqNo"] == 1
            assert ended["transactionInfo"]["stoppedReason"] == "Local"
            assert ended["idToken"] == CARD

    loop.run(story())


def test_a_start_that_is_refused_afterwards_ends(loop: Loop) -> None:
    async def story() -> None:
        invalid = {"idTokenInfo": {"status": "Invalid"}}
        async with playing("2.0.1", answers={"TransactionEvent": invalid}) as scene:
            await scene.ask("RequestStartTransaction", START)
            ended = await event(scene, "Ended")
            assert ended["triggerReason"] == "Deauthorized"

    loop.run(story())


def test_signed_values_go_with_the_end(loop: Loop, tmp_path: Path) -> None:
    async def story() -> None:
        async with playing("2.0.1", state_dir=tmp_path, signs=True, speed=3600) as scene:
            await scene.ask("RequestStartTransaction", START)
            started = await event(scene, "Started")
            await event(scene, "Updated")
            info = started["transactionInfo"]
            await scene.ask("RequestStopTransaction", {"transactionId": info["transactionId"]})
            ended = await event(scene, "Ended")
            values = ended["meterValue"][0]["sampledValue"]
            signed = [one for one in values if "signedMeterValue" in one]
            assert [one["context"] for one in signed] == ["Transaction.Begin", "Transaction.End"]
            assert signed[0]["value"] < signed[1]["value"]

    loop.run(story())


def test_a_reservation_keeps_the_place(loop: Loop) -> None:
    async def story() -> None:
        async with playing("2.0.1") as scene:
            expiry = at(datetime.now(timezone.utc) + timedelta(hours=1))
            asked = {"id": 7, "expiryDateTime": expiry, "idToken": CARD, "evseId": 1}
            assert await scene.ask("ReserveNow", asked) == {"status": "Accepted"}
            assert [(await scene.next("StatusNotification"))["connectorStatus"] for _ in range(2)] \
                == ["Available", "Reserved"]  # fmt: skip
            other = {**START, "idToken": {"idToken": "ELSE", "type": "ISO14443"}}
            assert (await scene.ask("RequestStartTransaction", other))["status"] == "Rejected"
            assert (await scene.ask("RequestStartTransaction", START))["status"] == "Accepted"
            assert (await event(scene, "Started"))["reservationId"] == 7
            gone = await scene.ask("CancelReservation", {"reservationId": 7})
            assert gone == {"status": "Rejected"}

    loop.run(story())


def variable(component: str, name: str) -> dict[str, Any]:
    return {"component": {"name": component}, "variable": {"name": name}}


def test_variables_are_read_set_and_reported(loop: Loop) -> None:
    async def story() -> None:
        async with playing("2.0.1") as scene:
            asked = [
                variable("OCPPCommCtrlr", "HeartbeatInterval"),
                variable("OCPPCommCtrlr", "Nope"),
                variable("Nope", "Nope"),
                variable("SecurityCtrlr", "BasicAuthPassword"),
            ]
            told = await scene.ask("GetVariables", {"getVariableData": asked})
            rows = told["getVariableResult"]
            assert [one["attributeStatus"] for one in rows] == [
                "Accepted",
                "UnknownVariable",
                "UnknownComponent",
                "Rejected",
            ]
            assert rows[0]["attributeValue"] == "300"
            data = [
                {**variable("TxCtrlr", "EVConnectionTimeOut"), "attributeValue": "9"},
                {**variable("TxCtrlr", "EVConnectionTimeOut"), "attributeValue": "soon"},
                {**variable("SmartChargingCtrlr", "RateUnit"), "attributeValue": "A"},
            ]
            told = await scene.ask("SetVariables", {"setVariableData": data})
            statuses = [one["attributeStatus"] for one in told["setVariableResult"]]
            assert statuses == ["Accepted", "Rejected", "Rejected"]
            assert scene.box.station.places[1].evse.config.plug_timeout_s == 9
            report = {"requestId": 5, "reportBase": "FullInventory"}
            assert await scene.ask("GetBaseReport", report) == {"status": "Accepted"}
            reported: list[Any] = []
            while True:
                page = await scene.next("NotifyReport")
                assert page["requestId"] == 5
                reported += page["reportData"]
                if not page["tbc"]:
                    break
            by_name = {(one["component"]["name"], one["variable"]["name"]) for one in reported}
            assert {("EVSE", "AvailabilityState"), ("TxCtrlr", "EVConnectionTimeOut")} <= by_name

    loop.run(story())


def test_the_local_list_decides_while_it_is_away(loop: Loop) -> None:
    async def story() -> None:
        async with playing("2.0.1") as scene:
            entry = {"idToken": CARD, "idTokenInfo": {"status": "Accepted"}}
            full = {"versionNumber": 2, "updateType": "Full", "localAuthorizationList": [entry]}
            assert await scene.ask("SendLocalList", full) == {"status": "Accepted"}
            older = {"versionNumber": 1, "updateType": "Differential"}
            assert await scene.ask("SendLocalList", older) == {"status": "VersionMismatch"}
            await scene.csms.down()
            await until(lambda: not scene.box.online.is_set())
            await scene.sim("plug")
            assert (await scene.sim("swipe", token_uid="card"))["swipe"]["result"] == "ACCEPTED"

    loop.run(story())


def test_a_reset_waits_for_the_session(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cpo_app.charge_point.ocpp.keeping.REBOOT_S", 0.01)

    async def story() -> None:
        async with playing("2.0.1") as scene:
            await scene.next("BootNotification")
            await scene.ask("RequestStartTransaction", START)
            started = await event(scene, "Started")
            assert (await scene.ask("Reset", {"type": "OnIdle"})) == {"status": "Scheduled"}
            await scene.ask("TriggerMessage", {"requestedMessage": "Heartbeat"})
            await scene.next("Heartbeat")
            assert scene.csms.connections[STATION] == 1
            info = started["transactionInfo"]
            await scene.ask("RequestStopTransaction", {"transactionId": info["transactionId"]})
            await event(scene, "Ended")
            await scene.csms.station(STATION, times=2)
            assert (await scene.next("BootNotification"))["reason"] == "RemoteReset"

    loop.run(story())


def test_unlock_spares_a_running_transaction(loop: Loop) -> None:
    async def story() -> None:
        async with playing("2.0.1") as scene:
            asked = {"evseId": 1, "connectorId": 1}
            assert await scene.ask("UnlockConnector", asked) == {"status": "Unlocked"}
            await scene.ask("RequestStartTransaction", START)
            answer = await scene.ask("UnlockConnector", asked)
            assert answer == {"status": "OngoingAuthorizedTransaction"}
            elsewhere = await scene.ask("UnlockConnector", {"evseId": 4, "connectorId": 1})
            assert elsewhere == {"status": "UnknownConnector"}

    loop.run(story())
