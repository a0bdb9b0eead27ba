"""The charge points that tests play, against the central system that they play."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from jsonschema import ValidationError

from tests.conftest import Loop
from tests.peers.ocpp_box import Box16, Box201, RawBox
from tests.peers.ocpp_csms import csms
from tests.peers.ocpp_wire import Refused


def test_a_1_6_box_charges(loop: Loop) -> None:
    async def played() -> None:
        async with csms("ocpp1.6") as server, Box16(server.url, "CP-7", "secret") as box:
            assert (await box.boot())["status"] == "Accepted"
            assert await box.status("Preparing") == {}
            assert await box.authorize("CARD") == "Accepted"
            started = await box.start("CARD", meter_wh=5)
            await box.meter(started["transactionId"], 105.5, power_w=7400, soc=33)
            stopped = await box.stop(started["transactionId"], meter_wh=205)
            assert stopped["idTagInfo"]["status"] == "Accepted"
            there = await server.station("CP-7")
            assert [asked.action for asked in there.asked] == [
                "BootNotification",
                "StatusNotification",
                "Authorize",
                "StartTransaction",
                "MeterValues",
                "StopTransaction",
            ]
            assert server.credentials["CP-7"] == "Basic Q1AtNzpzZWNyZXQ="
            asked = asyncio.create_task(there.call("RemoteStopTransaction", {"transactionId": 1}))
            assert (await box.next("RemoteStopTransaction")).payload == {"transactionId": 1}
            assert await asked == {"status": "Accepted"}

    loop.run(played())


def test_a_2_0_1_box_charges(loop: Loop) -> None:
    async def played() -> None:
        async with csms("ocpp2.0.1") as server, Box201(server.url, "CP-8") as box:
            await box.boot()
            await box.status("Occupied")
            assert await box.authorize("CARD") == "Accepted"
            one = box.new_transaction()
            await box.transaction("Started", one, id_token="CARD", register_wh=5)
            await box.transaction("Updated", one, trigger="MeterValuePeriodic", register_wh=15)
            await box.transaction("Ended", one, trigger="StopAuthorized", register_wh=25)
            there = await server.station("CP-8")
            events = [a.payload for a in there.asked if a.action == "TransactionEvent"]
            assert [(e["eventType"], e["seqNo"]) for e in events] == [
                ("Started", 0),
                ("Updated", 1),
                ("Ended", 2),
            ]

    loop.run(played())


def test_a_box_holds_both_sides_to_the_schemas(loop: Loop) -> None:
    bad: dict[str, Any] = {"status": "Whatever"}

    async def played() -> None:
        answer = {"idTagInfo": bad}
        async with csms("ocpp1.6", Authorize=answer) as server, Box16(server.url, "CP-7") as box:
            with pytest.raises(ValidationError):
                await box.call("Heartbeat", {"more": 1})
            with pytest.raises(ValidationError):
                await box.authorize("CARD")
            there = await server.station("CP-7")
            await there.send([2, "1", "RemoteStopTransaction", {}])
            with pytest.raises(ValidationError):
                await box.next("RemoteStopTransaction")

    loop.run(played())


def test_the_misbehaver_sends_what_it_is_told(loop: Loop) -> None:
    async def played() -> None:
        async with csms("ocpp1.6", Heartbeat=None) as server:
            box = await RawBox(server.url, "CP-9").connect()
            with pytest.raises(asyncio.TimeoutError):
                await box.call("Heartbeat", within_s=0.05)
            with pytest.raises(Refused, match="NotImplemented: Nonsense"):
                await box.call("Nonsense")
            await box.send("{[")
            there = await server.station("CP-9")
            await there.until(lambda: "{[" in there.frames)
            await box.drop()
            assert (await there.closed())[0] == 1006

    loop.run(played())
