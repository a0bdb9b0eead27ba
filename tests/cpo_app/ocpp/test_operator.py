"""What an operator asks of a box, from his door over the store and the gateway to a real socket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cpo_app.actions import ocpp, ocpp_local_list, ocpp_templates
from cpo_app.actions.action import Action, P, Refused, perform
from cpo_app.house import house_of
from db_interface.json_data import JsonObject
from domain.audit.entries import AUDIT
from domain.ocpp import configurations
from domain.operator import charge_points, stations
from domain.operator.lists import stations as station_list
from domain.operators.actor import Actor, ActorKind, Role, acting_as
from tests.cpo_app.ocpp.conftest import World

INES = Actor(ActorKind.PERSON, "ines", Role.ADMIN)
CONFIGURED = {
    "configurationKey": [
        {"key": "HeartbeatInterval", "value": "900", "readonly": False},
        {"key": "ChargingScheduleAllowedChargingRateUnit", "value": "Current", "readonly": True},
        {"key": "AuthorizationKey", "value": "not-for-your-eyes", "readonly": False},
    ]
}


async def do(world: World, action: Action[P], **given: object) -> JsonObject:
    house = house_of(world.gateways[0]._backend)
    with acting_as(INES):
        return await perform(house, action, action.parameters.parse_obj(given))


async def refused(world: World, action: Action[P], **given: object) -> tuple[int, str]:
    with pytest.raises(Refused) as refusal:
        await do(world, action, **given)
    return refusal.value.http_status, str(refusal.value)


def asked(box: Any, *actions: str) -> list[Mapping[str, Any]]:
    """The payloads that it got of those actions."""
    return [one.payload for one in box.asked if one.action in actions]


def test_a_box_is_reset_and_made_to_speak(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            assert (await do(world, ocpp.RESET, cp_id="cp-007"))["said"] == "Accepted"
            await do(world, ocpp.RESET, cp_id="CP-007", hard=True)
            assert asked(box, "Reset") == [{"type": "Soft"}, {"type": "Hard"}]
            await do(world, ocpp.TRIGGER, cp_id="CP-007", message="BootNotification")
            await do(world, ocpp.TRIGGER, cp_id="CP-007", message="MeterValues", connector_id="1")
            assert asked(box, "TriggerMessage") == [
                {"requestedMessage": "BootNotification"},
                {"requestedMessage": "MeterValues", "connectorId": 1},
            ]
            await do(world, ocpp.CLEAR_CACHE, cp_id="CP-007")
            assert asked(box, "ClearCache") == [{}]

    world.run(story())


def test_what_a_box_refuses_is_said_in_its_words(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            box.answers["Reset"] = {"status": "Rejected"}
            assert await refused(world, ocpp.RESET, cp_id="CP-007") == (
                424,
                "CP-007 would not: Rejected",
            )
            box.answers["ChangeConfiguration"] = {"status": "NotSupported"}
            wrong = {"config_key": "Nonsense", "config_value": "1"}
            assert await refused(world, ocpp.CONFIGURE, cp_id="CP-007", **wrong) == (
                424,
                "CP-007 would not: Nonsense: NotSupported",
            )

    world.run(story())


def test_who_is_not_there_is_not_asked(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        await world.gateway()
        assert await refused(world, ocpp.RESET, cp_id="CP-007") == (
            409,
            "CP-007 was not asked: CP-007 is not connected",
        )
        assert await refused(world, ocpp.RESET, cp_id="CP-099") == (
            404,
            "CP-099: no such charge point",
        )

    world.run(story())


def test_its_configuration_is_read_and_its_secrets_are_not(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            box.answers["GetConfiguration"] = CONFIGURED
            told = await do(world, ocpp.CONFIGURATION, cp_id="CP-007")
            assert [one["key"] for one in told["entries"]] == [
                "HeartbeatInterval",
                "ChargingScheduleAllowedChargingRateUnit",
                "AuthorizationKey",
            ]
            kept = await configurations.get(world.db, "CP-007")
            shown = await charge_points.one(world.db, "CP-007")
            assert "not-for-your-eyes" not in f"{told} {kept} {shown}"
            box.answers["ChangeConfiguration"] = {"status": "RebootRequired"}
            done = await do(
                world,
                ocpp.CONFIGURE,
                cp_id="CP-007",
                config_key="AuthorizationKey",
                config_value="another-secret",
            )
            assert done["outcome"] == "reboot"
            tag = {"connectorId": 1, "idTag": "04AABBCCDD11"}
            start = {"ocpp_action": "RemoteStartTransaction", "payload": tag, "meant": True}
            await do(world, ocpp.CALL, cp_id="CP-007", **start)
            entries = await AUDIT.of(world.db).find({"action": "ocpp.call"})
            assert "04AABBCCDD11" not in str(entries)
            [entry] = await AUDIT.of(world.db).find({"action": "ocpp.configure"})
            assert "another-secret" not in str(entry)

    world.run(story())


def test_any_call_that_may_change_it_has_to_be_meant(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            box.answers["GetLocalListVersion"] = {"listVersion": 3}
            harmless = await do(
                world, ocpp.CALL, cp_id="CP-007", ocpp_action="GetLocalListVersion", payload="{}"
            )
            assert harmless["answer"] == {"listVersion": 3}
            call = {"ocpp_action": "Reset", "payload": {"type": "Hard"}}
            status, why = await refused(world, ocpp.CALL, cp_id="CP-007", **call)
            assert (status, why) == (409, "Reset may change the station: say that it is meant")
            assert asked(box, "Reset") == []
            await do(world, ocpp.CALL, cp_id="CP-007", meant=True, **call)
            assert asked(box, "Reset") == [{"type": "Hard"}]
            wrong = {"ocpp_action": "Reset", "payload": {"type": "Now"}, "meant": True}
            status, why = await refused(world, ocpp.CALL, cp_id="CP-007", **wrong)
            assert status == 424
            assert "not sent" in why
            assert asked(box, "Reset") == [{"type": "Hard"}]
            [entry] = await AUDIT.of(world.db).find(
                {"action": "ocpp.call", "after": {"$regex": "Hard"}}
            )
            assert entry["who"]["name"] == "ines"

    world.run(story())


def test_a_template_is_applied_at_boot_and_again_where_it_drifts(world: World) -> None:
    values = {"HeartbeatInterval": "900"}

    def configuration(_payload: object) -> JsonObject:
        rows = [{"key": key, "value": value, "readonly": False} for key, value in values.items()]
        return {"configurationKey": rows}

    async def is_60() -> bool:
        return values["HeartbeatInterval"] == "60"

    def change(payload: Mapping[str, str]) -> JsonObject:
        values[payload["key"]] = payload["value"]
        return {"status": "Accepted"}

    async def story() -> None:
        await world.add("CP-007")
        await world.gateway()
        template = {"template": "ours", "vendor": "Acme", "values": {"HeartbeatInterval": "60"}}
        await do(world, ocpp_templates.PUT, **template)
        async with world.box16() as box:
            box.answers["GetConfiguration"] = configuration
            box.answers["ChangeConfiguration"] = change
            await box.boot()
            await world.until(is_60)
            values["HeartbeatInterval"] = "300"
            done = await do(world, ocpp_templates.APPLY, cp_id="CP-007")
            assert done["outcome"] == "drifted"
            assert values["HeartbeatInterval"] == "60"
            assert (await do(world, ocpp_templates.APPLY, cp_id="CP-007"))["outcome"] == "as wanted"
            shown = await stations.of_charge_point(world.db, "CP-007")
            assert shown is not None
            assert shown["templates"] == ["ours"]

            # One that is written anew is seen to by itself.
            values["MeterValueSampleInterval"] = "900"
            again = {**template, "values": {"MeterValueSampleInterval": "30"}}
            await do(world, ocpp_templates.PUT, **again)

            async def is_30() -> bool:
                return values["MeterValueSampleInterval"] == "30"

            await world.until(is_30)

    world.run(story())


def test_a_device_model_is_reported_in_parts(world: World) -> None:
    def part(request_id: int, seq: int, name: str) -> JsonObject:
        return {
            "requestId": request_id,
            "generatedAt": "2026-05-01T00:00:00Z",
            "seqNo": seq,
            "tbc": seq == 0,
            "reportData": [
                {
                    "component": {"name": name},
                    "variable": {"name": "Enabled"},
                    "variableAttribute": [{"value": "true"}],
                }
            ],
        }

    async def story() -> None:
        await world.add("CP-201")
        async with world.box201() as box:
            await box.boot()
            told = await do(world, ocpp.CONFIGURATION, cp_id="CP-201")
            assert told["outcome"] == "later"
            [report] = asked(box, "GetBaseReport")
            for seq, name in enumerate(("AuthCtrlr", "SampledDataCtrlr")):
                answer = await box.call("NotifyReport", part(report["requestId"], seq, name))
                assert answer == {}
            kept = await configurations.get(world.db, "CP-201")
            assert kept is not None
            assert [one["key"] for one in kept["entries"]] == [
                "AuthCtrlr.Enabled",
                "SampledDataCtrlr.Enabled",
            ]

    world.run(story())


def test_the_list_says_protocol_version_and_last_message(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot(firmware_version="1.2.3")
            listed_stations = await station_list.LIST.page(
                world.db, station_list.LIST.asked({}), limit=10
            )
            assert listed_stations.following is None
            [row] = listed_stations.rows
            assert (row["id"], row["protocol"], row["firmware"]) == ("CP-007", "ocpp1.6", "1.2.3")
            assert row["connected"] is True
            [listed], _ = await charge_points.page(world.db, after=None, limit=10)
            assert listed["ocpp"]["protocol"] == "ocpp1.6"
            assert listed["ocpp"]["firmware"] == "1.2.3"
        shown = await charge_points.one(world.db, "CP-007")
        assert shown is not None
        assert "password_hash" not in str(shown)

    world.run(story())


def test_a_box_is_given_cards_and_has_them_taken(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            box.answers["GetLocalListVersion"] = {"listVersion": 4}
            sent = await do(world, ocpp_local_list.LOCAL_LIST, cp_id="CP-007")
            assert (sent["cards"], sent["version"]) == (0, 5)
            assert asked(box, "SendLocalList") == [
                {"listVersion": 5, "updateType": "Full", "localAuthorizationList": []}
            ]
            shown = await stations.of_charge_point(world.db, "CP-007")
            assert shown is not None
            assert shown["local_list"]["version"] == 5
            await do(world, ocpp_local_list.LOCAL_LIST, cp_id="CP-007", none=True)
            box.answers["GetLocalListVersion"] = {"listVersion": -1}
            assert await refused(world, ocpp_local_list.LOCAL_LIST, cp_id="CP-007") == (
                424,
                "it has no local list",
            )

    world.run(story())
