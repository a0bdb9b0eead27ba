"""A station connects, boots, and is ONLINE; whoever is not it hears no."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from cpo_app.ocpp.connection import MAX_ODD_FRAMES, MAX_WAITING
from cpo_app.ocpp.schemas import protocols
from db_interface.database import Database, StoreUnavailable
from db_interface.interface import DbInterface
from domain.charge_points import charge_points, registrations
from domain.charge_points.registration_records import Proof
from domain.ocpp import connections, question_taking, questions, stations
from domain.ocpp.message_log import MESSAGES
from domain.ocpp.question_taking import Offer
from domain.ocpp.questions import QUESTIONS, Unanswered
from tests.cpo_app.ocpp.conftest import PASSWORD, World
from tests.peers.ocpp_box import Box16, RawBox, at
from tests.peers.ocpp_wire import Refused


def test_a_box_that_was_added_boots_and_is_online(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            booted = await box.boot(firmware_version="1.2.3", charge_point_serial_number="S-9")
            assert (booted["status"], booted["interval"]) == ("Accepted", 60)
            assert (await box.heartbeat())["currentTime"].endswith("Z")
            station = await stations.get(world.db, "cp-007")
            assert station is not None
            assert (station["model"], station["firmware"], station["serial"]) == (
                "Box 16",
                "1.2.3",
                "S-9",
            )

            async def online() -> bool:
                known = await charge_points.get(world.db, "CP-007")
                return known is not None and known["presence"] == "ONLINE"

            await world.until(online)

    world.run(story())


def test_a_box_of_2_0_1_boots(world: World) -> None:
    async def story() -> None:
        await world.add("CP-201")
        async with world.box201() as box:
            booted = await box.boot(firmwareVersion="7")
            assert booted["status"] == "Accepted"
            assert (await box.heartbeat())["currentTime"]
            station = await stations.get(world.db, "CP-201")
            assert station is not None
            assert (station["protocol"], station["boot_reason"]) == ("ocpp2.0.1", "PowerUp")

    world.run(story())


REFUSALS: dict[str, tuple[dict[str, Any], int]] = {
    "of nobody": ({"station": "CP-008"}, 401),
    "with another password": ({"password": "something else"}, 401),
    "without a password": ({"password": None}, 401),
    "with another's name": ({"user": "CP-008"}, 401),
    "on another path": ({"path": "/ocpp/a/b"}, 404),
    "with a path that is no id": ({"path": "/ocpp/%00"}, 404),
    "that speaks something else": ({"protocols": ("ocpp1.5",)}, 400),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_box_is_refused_at_the_handshake(world: World, case: str) -> None:
    given, status = REFUSALS[case]
    told: dict[str, Any] = {"station": "CP-007", "password": PASSWORD, **given}

    async def story() -> int:
        await world.add("CP-007")
        await world.gateway()
        with pytest.raises(InvalidStatus) as refused:
            await RawBox(world.url(), **told).connect()
        return refused.value.response.status_code

    assert world.run(story()) == status


def test_what_is_asked_of_a_station_finds_its_gateway(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            box.answers["TriggerMessage"] = {"status": "NotImplemented"}
            fields = {"action": "TriggerMessage", "payload": {"requestedMessage": "Heartbeat"}}

            async def ask(question_id: str) -> Any:
                return await questions.ask(
                    world.store,
                    station="CP-007",
                    evse=0,
                    op="call",
                    fields=fields,
                    question_id=question_id,
                    timeout_s=10,
                )

            answer = {"result": "ACCEPTED", "answer": {"status": "NotImplemented"}}
            assert await ask("one") == answer
            box.answers["TriggerMessage"] = {"status": "Accepted"}
            # The same question is the same question, and is not sent twice.
            assert await ask("one") == answer
            assert (await ask("two"))["answer"] == {"status": "Accepted"}
            assert [one.action for one in box.asked] == ["TriggerMessage"] * 2

    world.run(story())


def test_what_is_asked_once_of_who_is_there_takes_no_transaction(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            monkeypatch.setattr(world.store, "transact_jointly", None)
            assert await _cleared(world, "one") == "ACCEPTED"

    world.run(story())


def test_a_question_of_which_it_is_not_known_whether_it_was_taken_is_asked_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = question_taking.take
    failed: list[bool] = []

    async def take_unheard(db: Database, offers: Sequence[Offer]) -> set[str]:
        taken = await take(db, offers)
        if not failed:
            failed.append(True)
            raise StoreUnavailable("the answer was lost")
        return taken

    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            monkeypatch.setattr(question_taking, "take", take_unheard)
            assert await _cleared(world, "one") == "ACCEPTED"
            assert [one.action for one in box.asked] == ["ClearCache"]

    world.run(story())


async def _cleared(world: World, question_id: str) -> str:
    said = await questions.ask(
        world.store,
        station="CP-007",
        evse=0,
        op="call",
        fields={"action": "ClearCache", "payload": {}},
        question_id=question_id,
        timeout_s=10,
    )
    return str(said["result"])


def test_a_question_to_nobody_fails_at_once_and_is_asked_anew_later(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        asked = {"station": "CP-007", "evse": 0, "op": "call", "question_id": "one"}
        fields = {"action": "ClearCache", "payload": {}}
        with pytest.raises(Unanswered) as unanswered:
            await questions.ask(world.store, **asked, fields=fields, timeout_s=30)  # type: ignore[arg-type]
        assert unanswered.value.sent is False
        async with world.box16() as box:
            await box.boot()
            said = await questions.ask(world.store, **asked, fields=fields, timeout_s=30)  # type: ignore[arg-type]
        assert said["result"] == "ACCEPTED"

    world.run(story())


def test_a_second_connection_replaces_the_first(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as first:
            await first.boot()
            async with Box16(world.url(), "CP-007", PASSWORD) as second:
                await second.boot()
                assert (await first.closed())[0] == 1001
                assert list(world.gateways[0].gateway.held) == ["CP-007"]
                held = await connections.of_station(world.db, "CP-007")
                assert held is not None
                assert held["connection"] == world.gateways[0].gateway.held["CP-007"].id
                await second.heartbeat()

    world.run(story())


def test_a_box_that_nobody_added_waits_until_it_is(world: World) -> None:
    async def story() -> None:
        await world.gateway(CPO_OCPP_ONBOARDING="held")
        async with RawBox(world.url(), "CP-NEW", "its own password") as box:
            boot = {"chargePointVendor": "Acme", "chargePointModel": "One"}
            assert (await box.call("BootNotification", boot))["status"] == "Pending"
            with pytest.raises(Refused) as refused:
                await box.call("Authorize", {"idTag": "A"})
            assert refused.value.code == "SecurityError"
            assert (await world.station("CP-NEW"))["model"] == "One"
            assert await charge_points.get(world.db, "CP-NEW") is None
            await world.add("CP-NEW", password_hash=None)
            assert (await box.call("BootNotification", boot))["status"] == "Accepted"
        async with RawBox(world.url(), "CP-NEW", "its own password") as box:
            assert (await box.call("BootNotification", boot))["status"] == "Accepted"

    world.run(story())


def test_a_deregistered_station_is_cut_off_and_does_not_come_back(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            await registrations.deregister(
                world.store,
                "CP-007",
                proof=Proof(admin=True),
                party=world.settings.parties[0],
            )
            assert (await box.closed())[0] == 1001
            with pytest.raises(InvalidStatus) as refused:
                await box.connect()
            assert refused.value.response.status_code == 403

    world.run(story())


def test_whoever_speaks_something_else_is_hung_up_on(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        await world.gateway()
        async with RawBox(world.url(), "CP-007", PASSWORD) as box:
            for _ in range(MAX_ODD_FRAMES + 1):
                await box.send("GET / HTTP/1.1")
            assert (await box.closed())[0] == 1002

    world.run(story())


def test_calls_are_handled_in_their_order_also_when_many_come_at_once(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        await world.gateway()
        async with RawBox(world.url(), "CP-007", PASSWORD) as box:
            boot = {"chargePointVendor": "Acme", "chargePointModel": "One"}
            for number in range(3 * MAX_WAITING):
                action = "BootNotification" if number % 20 == 0 else "Heartbeat"
                await box.send([2, str(number), action, boot if number % 20 == 0 else {}])

            async def answered() -> bool:
                return len(box.frames) == 3 * MAX_WAITING

            await world.until(answered)
            assert [frame[1] for frame in box.frames] == [
                str(number) for number in range(3 * MAX_WAITING)
            ]

    world.run(story())


def test_with_the_store_away_nothing_is_answered_and_the_box_is_hung_up_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            monkeypatch.setattr(DbInterface, "transact", away)
            with pytest.raises(ConnectionResetError):
                await box.start("CARD-1")
            assert (await box.closed())[0] == 1013
            assert [frame for frame in box.frames if frame[0] == 4] == []

    world.run(story())


def test_what_is_unknown_or_not_ours_is_said_so(world: World) -> None:
    async def story() -> list[str]:
        await world.add("CP-007")
        await world.gateway()
        codes = []
        async with RawBox(world.url(), "CP-007", PASSWORD) as box:
            for action in ("MakeCoffee", "RemoteStartTransaction", "BootNotification"):
                with pytest.raises(Refused) as refused:
                    await box.call(action)
                codes.append(refused.value.code)
        return codes

    assert world.run(story()) == [
        "NotImplemented",
        "NotSupported",
        "OccurenceConstraintViolation",
    ]


@pytest.mark.parametrize(
    ("offered", "agreed"),
    [
        (("ocpp1.6", "ocpp2.0.1"), "ocpp2.0.1"),
        (("ocpp2.0.1", "ocpp1.6"), "ocpp2.0.1"),
        (("ocpp1.5", "OCPP1.6"), "OCPP1.6"),
        (("ocpp1.6", "ocpp2.1"), "ocpp2.1" if "ocpp2.1" in protocols() else "ocpp1.6"),
    ],
)
def test_the_best_version_that_both_speak_is_agreed_on(
    world: World, offered: tuple[str, ...], agreed: str
) -> None:
    async def story() -> None:
        await world.add("CP-007")
        await world.gateway()
        async with RawBox(world.url(), "CP-007", PASSWORD, protocols=offered) as box:
            assert box.protocol == agreed
            boot = {"chargePointVendor": "Acme", "chargePointModel": "One"}
            if agreed.lower() != "ocpp1.6":
                station = {"vendorName": "Acme", "model": "One"}
                boot = {"chargingStation": station, "reason": "PowerUp"}  # type: ignore[dict-item]
            assert (await box.call("BootNotification", boot))["status"] == "Accepted"
            assert (await world.station("CP-007"))["protocol"] == agreed.lower()

    world.run(story())


def test_nothing_of_what_was_asked_is_kept_but_the_answer(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            payload = {"key": "AuthorizationKey", "value": "a-secret-of-the-station"}
            await questions.ask(
                world.store,
                station="CP-007",
                evse=0,
                op="call",
                fields={"action": "ChangeConfiguration", "payload": payload},
                question_id="one",
                timeout_s=10,
            )
            kept = await QUESTIONS.of(world.db).find_one({"_id": "one"})
            assert kept is not None and kept["state"] == "ANSWERED"
            assert "a-secret" not in repr(kept)
            await world.gateways[0].gateway._log.write()
            messages = await MESSAGES.of(world.db).find({"station": "CP-007"})
            assert len(messages) >= 4 and "a-secret" not in repr(messages)

    world.run(story())


def test_what_a_station_tells_beside_charging_is_answered(world: World) -> None:
    said: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "DataTransfer": ({"vendorId": "Acme"}, {"status": "UnknownVendorId"}),
        "SecurityEventNotification": ({"type": "TamperDetection", "timestamp": at()}, {}),
        "SignCertificate": (
            {"csr": "..."},
            {
                "status": "Rejected",
                "statusInfo": {
                    "reasonCode": "InvalidCSR",
                    "additionalInfo": "there is no CA (CPO_OCPP_CA_CERT_FILE)",
                },
            },
        ),
        "NotifyChargingLimit": ({"chargingLimit": {"chargingLimitSource": "SO"}}, {}),
        "GetCertificateStatus": (
            {
                "ocspRequestData": {
                    "hashAlgorithm": "SHA256",
                    "issuerNameHash": "a",
                    "issuerKeyHash": "b",
                    "serialNumber": "1",
                    "responderURL": "http://ocsp.example.com",
                }
            },
            {"status": "Failed"},
        ),
    }

    async def story() -> None:
        await world.add("CP-201")
        async with world.box201() as box:
            await box.boot()
            for action, (payload, answer) in said.items():
                assert await box.call(action, payload) == answer, action

    world.run(story())
