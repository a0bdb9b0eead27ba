"""Logs that stations upload and firmware that they fetch: from the operator's word to the file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from cpo_app.actions import ocpp_files as actions
from cpo_app.station_files.router import build_files_router
from db_interface.json_data import JsonObject
from domain.ocpp import files, transfers
from domain.operator import stations
from tests.cpo_app.ocpp.conftest import World, world
from tests.cpo_app.ocpp.test_operator import do, refused

__all__ = ["world"]

MOST = 1_500_000
LOG = b"2026-05-01 12:00:00 relay closed\n" * 20_000


def page(world: World) -> httpx.AsyncClient:
    """What a station's HTTP client reaches."""
    app = FastAPI()
    app.include_router(build_files_router(world.store, MOST))
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://cpo.example")


async def in_pieces(content: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for begin in range(0, len(content), size):
        yield content[begin : begin + size]


async def state(world: World, cp_id: str = "CP-007") -> JsonObject:
    station = await stations.of_charge_point(world.db, cp_id)
    assert station is not None
    latest: JsonObject = station["transfers"][0]
    return latest


async def kept(world: World, file_id: str) -> bytes:
    file = await files.get(world.db, file_id)
    assert file is not None
    return b"".join([part async for part in files.content_of(world.db, file)])


def test_a_box_of_1_6_uploads_its_diagnostics(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box, page(world) as http:
            await box.boot()
            box.answers["GetDiagnostics"] = {"fileName": "diag.log"}
            await do(world, actions.LOGS, cp_id="CP-007", since="2026-05-01T00:00:00Z")
            told = (await box.next("GetDiagnostics")).payload
            assert told["startTime"] == "2026-05-01T00:00:00Z"
            url = httpx.URL(told["location"])
            await box.call("DiagnosticsStatusNotification", {"status": "Uploading"})
            assert (await state(world))["state"] == "Uploading"

            answer = await http.put(f"{url.path}/diag.log", content=in_pieces(LOG))
            assert answer.status_code == 201
            await box.call("DiagnosticsStatusNotification", {"status": "Uploaded"})
            transfer = await state(world)
            assert [one["state"] for one in transfer["states"]] == [
                "Asked",
                "Uploading",
                "Received",
                "Uploaded",
            ]
            assert (transfer["name"], transfer["by"]) == ("diag.log", "ines")
            assert await kept(world, transfer["file"]) == LOG
            secret = url.path.rsplit("/", 1)[1]
            assert secret not in str(transfer)

    world.run(story())


def test_a_station_of_2_0_1_says_which_transfer_it_means(world: World) -> None:
    async def story() -> None:
        await world.add("CP-201")
        async with world.box201() as box:
            await box.boot()
            first = await do(world, actions.LOGS, cp_id="CP-201", log="security")
            await do(world, actions.LOGS, cp_id="CP-201", location="ftp://logs.example/in")
            asked = [(await box.next("GetLog")).payload for _ in range(2)]
            assert [one["logType"] for one in asked] == ["SecurityLog", "DiagnosticsLog"]
            assert asked[1]["log"]["remoteLocation"] == "ftp://logs.example/in"
            told = {"status": "UploadFailure", "requestId": asked[0]["requestId"]}
            await box.call("LogStatusNotification", told)
            station = await stations.of_charge_point(world.db, "CP-201")
            assert station is not None
            states = {one["id"]: one["state"] for one in station["transfers"]}
            assert states.pop(first["transfer"]) == "UploadFailure"
            assert list(states.values()) == ["Asked"]

    world.run(story())


def test_a_box_fetches_its_firmware(world: World) -> None:
    image = bytes(range(256)) * 4_000

    async def story() -> None:
        await world.add("CP-007")
        file = await files.keep(world.db, "box 1.2.bin", in_pieces(image), MOST)
        async with world.box16() as box, page(world) as http:
            await box.boot()
            await do(world, actions.FIRMWARE, cp_id="CP-007", file_id=file["_id"])
            told = (await box.next("UpdateFirmware")).payload
            assert told["location"].endswith("/box%201.2.bin")
            path = httpx.URL(told["location"]).raw_path.decode()
            fetched = await http.get(path)
            assert fetched.content == image
            assert fetched.headers["content-length"] == str(len(image))
            assert (await http.put(path, content=b"x")).status_code == 404
            await box.call("FirmwareStatusNotification", {"status": "Installed"})
            transfer = await state(world)
            assert (transfer["kind"], transfer["state"]) == ("firmware", "Installed")

    world.run(story())


def test_signed_firmware_goes_by_the_security_extension(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            given = {"cp_id": "CP-007", "location": "https://maker.example/fw.bin"}
            signed = {"certificate": "PEM", "signature": "c2ln"}
            await do(world, actions.FIRMWARE, **given, **signed)
            told = (await box.next("SignedUpdateFirmware")).payload
            assert told["firmware"]["signature"] == "c2ln"
            status = {"status": "InvalidSignature", "requestId": told["requestId"]}
            await box.call("SignedFirmwareStatusNotification", status)
            assert (await state(world))["state"] == "InvalidSignature"
            half = await refused(world, actions.FIRMWARE, **given, signature="c2ln")
            assert half == (422, "certificate and signature belong together")

    world.run(story())


def test_what_a_box_will_not_do_has_no_address_left(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box, page(world) as http:
            await box.boot()
            box.answers["GetDiagnostics"] = {}
            assert await refused(world, actions.LOGS, cp_id="CP-007") == (
                424,
                "CP-007 would not: it has nothing to upload",
            )
            path = httpx.URL((await box.next("GetDiagnostics")).payload["location"]).path
            assert (await http.put(path, content=b"x")).status_code == 404
            assert (await state(world))["state"] == "Refused: it has nothing to upload"

    world.run(story())


def test_an_upload_is_bounded_and_leaves_nothing_where_it_is_not_whole(world: World) -> None:
    async def parts() -> int:
        return await files._PARTS.of(world.db).count({})

    async def breaks() -> AsyncIterator[bytes]:
        yield b"x" * 600_000
        raise OSError("the cable")

    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box, page(world) as http:
            await box.boot()
            await do(world, actions.LOGS, cp_id="CP-007")
            path = httpx.URL((await box.next("GetDiagnostics")).payload["location"]).path
            too_much = await http.put(path, content=in_pieces(b"x" * (MOST + 1)))
            assert too_much.status_code == 413
            with pytest.raises(OSError, match="the cable"):
                await files.keep(world.db, "x", breaks(), MOST)
            assert await parts() == 0
            assert (await http.put("/ocpp-files/guessed", content=b"x")).status_code == 404
            assert (await http.get(path)).status_code == 404
            assert (await http.post(path, content=b"whole")).status_code == 201
            assert await kept(world, (await state(world))["file"]) == b"whole"

    world.run(story())


def test_an_address_is_good_for_a_day(world: World) -> None:
    async def story() -> None:
        async def add(tx: Any) -> Any:
            return await transfers.add(tx, "CP-007", transfers.Kind.DIAGNOSTICS, by="ines")

        _, token = await world.store.transact(add)
        now = world.db.now()
        assert await transfers.by_token(world.db, token, now) is not None
        assert await transfers.by_token(world.db, token, now + transfers.GOOD_FOR) is None

    world.run(story())
