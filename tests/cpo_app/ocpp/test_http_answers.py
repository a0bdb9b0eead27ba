"""What the gateway's port answers to plain HTTP."""

from __future__ import annotations

from typing import Any

import httpx

from tests.cpo_app.ocpp.conftest import World


def test_it_says_that_it_lives_and_whether_it_holds_its_lease(world: World) -> None:
    async def story() -> None:
        process = await world.gateway()
        async with httpx.AsyncClient(base_url=world.url().replace("ws", "http")) as http:
            assert (await http.get("/healthz")).json() == {"status": "ok"}
            assert (await http.get("/readyz")).status_code == 200
            await process.gateway._renewing.stop()
            process.gateway._lease_until = 0.0
            assert (await http.get("/healthz")).status_code == 200
            not_ready = await http.get("/readyz")
            assert (not_ready.status_code, not_ready.json()["missing"]) == (503, ["lease"])
            nowhere = await http.get("/ocpp/")
            assert (nowhere.status_code, nowhere.text) == (404, "there is no such station here\n")

    world.run(story())


def test_its_counts_are_for_the_operators_people(world: World) -> None:
    async def story() -> None:
        await world.gateway(CPO_ADMIN_PASSWORD="the password of the admin")
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            await box.send([2, "1", "StatusNotification", {"connectorId": 1}])
            await box.send([2, "2", "FirmwareStatusNotification", {"status": "idle"}])
            await box.send("no message")
            await box.heartbeat()
            async with httpx.AsyncClient(base_url=world.url().replace("ws", "http")) as http:
                assert (await http.get("/metrics")).status_code == 401
                assert (await http.get("/metrics", auth=("admin", "wrong"))).status_code == 401
                told: Any = await http.get("/metrics", auth=("admin", "the password of the admin"))
        assert told.status_code == 200
        for line in (
            'cpo_ocpp_received_total{action="BootNotification",result="answered"}',
            'cpo_ocpp_schema_failures_total{action="StatusNotification",kind="call"}',
            'cpo_ocpp_mended_total{mend="enum_case"}',
            'cpo_ocpp_odd_frames_total{why="no JSON"}',
            'cpo_ocpp_connected_total{protocol="ocpp1.6"}',
            'cpo_ocpp_answer_seconds_count{action="Heartbeat"}',
        ):
            assert line in told.text, line
        assert "CP-007" not in told.text

    world.run(story())
