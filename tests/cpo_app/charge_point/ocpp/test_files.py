"""Diagnostics and firmware of a simulated charge point: the files really go and come."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.conftest import Loop
from tests.cpo_app.charge_point.ocpp.played import STATION, playing
from tests.serving import served


class Files:
    def __init__(self) -> None:
        self.taken: list[bytes] = []

    def app(self) -> Any:
        async def put(request: Request) -> Response:
            self.taken.append(await request.body())
            return Response(status_code=201)

        async def get(request: Request) -> Response:
            return Response(b"firmware")

        return Starlette(
            routes=[
                Route("/logs/{name}", put, methods=["PUT"]),
                Route("/firmware-2.bin", get, methods=["GET"]),
            ]
        )


def test_diagnostics_are_uploaded(loop: Loop) -> None:
    files = Files()

    async def story(base: str) -> None:
        async with playing("1.6") as scene:
            told = await scene.ask("GetDiagnostics", {"location": f"{base}/logs/x"})
            assert told == {"fileName": f"{STATION}.log"}
            for status in ("Uploading", "Uploaded"):
                assert (await scene.next("DiagnosticsStatusNotification"))["status"] == status
            log = {"remoteLocation": f"{base}/nowhere"}
            asked = {"log": log, "logType": "DiagnosticsLog", "requestId": 3}
            assert (await scene.ask("GetLog", asked))["status"] == "Accepted"
            for status in ("Uploading", "UploadFailure"):
                told = await scene.next("LogStatusNotification")
                assert told == {"status": status, "requestId": 3}

    with served(files.app(), loop) as base:
        loop.run(story(base))
    assert b'"evses"' in files.taken[0]
    assert b"secret" not in files.taken[0]


def test_firmware_is_fetched_installed_and_shown_after_the_reboot(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cpo_app.charge_point.ocpp.keeping.REBOOT_S", 0.01)

    async def story(base: str) -> None:
        async with playing("2.0.1") as scene:
            await scene.next("BootNotification")
            firmware = {
                "location": f"{base}/firmware-2.bin",
                "retrieveDateTime": "2026-01-01T00:00:00Z",
            }
            asked = {"requestId": 8, "firmware": firmware}
            assert await scene.ask("UpdateFirmware", asked) == {"status": "Accepted"}
            for status in ("Downloading", "Downloaded", "Installing", "Installed"):
                told = await scene.next("FirmwareStatusNotification")
                assert told == {"status": status, "requestId": 8}
            await scene.csms.station(STATION, times=2)
            boot = await scene.next("BootNotification")
            assert boot["chargingStation"]["firmwareVersion"] == "firmware-2.bin"

    with served(Files().app(), loop) as base:
        loop.run(story(base))
