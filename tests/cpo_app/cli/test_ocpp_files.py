"""Firmware is put where charge points fetch it, also from a host without the store."""

from __future__ import annotations

import hashlib
from io import BufferedReader
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.ocpp import files
from domain.ocpp.files import FILES, StoredFile
from domain.operators.actor import Role
from tests.cpo_app.api.conftest import Api, api
from tests.cpo_app.cli.test_remote import There, there

__all__ = ["api", "there"]

FIRMWARE = bytes(range(256)) * 5000  # more than one part


def kept(api: Api) -> list[tuple[StoredFile, bytes]]:
    async def story() -> list[tuple[StoredFile, bytes]]:
        db = api.backend.db
        found = []
        for one in await FILES.of(db).find({}):
            found.append((one, b"".join([part async for part in files.content_of(db, one)])))
        return found

    return api.loop.run(story())


@pytest.fixture
def sending(there: There, monkeypatch: pytest.MonkeyPatch) -> There:
    """As `there`; a file goes with its length, as httpx sends it."""
    asked = httpx.request

    def request(method: str, url: str, **options: Any) -> httpx.Response:
        if isinstance(options.get("content"), BufferedReader):
            options["content"] = options["content"].read()
        return asked(method, url, **options)

    monkeypatch.setattr(httpx, "request", request)
    return there


def test_firmware_is_put_there_and_its_charge_point_told(
    sending: There, api: Api, tmp_path: Path
) -> None:
    file = tmp_path / "fw 2.1.bin"
    file.write_bytes(FIRMWARE)
    assert sending("charge-points", "add", "CP-901", "--ocpp").code == 0
    asked = sending("charge-points", "firmware", "CP-901", str(file), "--yes")
    # It is not connected: as far as that all has been done there.
    assert asked.code == 1
    assert "CP-901" in asked.err
    [(stored, content)] = kept(api)
    assert (stored["name"], content) == ("fw 2.1.bin", FIRMWARE)
    assert stored["sha256"] == hashlib.sha256(FIRMWARE).hexdigest()
    [transfer] = sending("charge-points", "transfers", "CP-901", "--json").json()
    assert (transfer["kind"], transfer["file"]) == ("firmware", stored["_id"])


def test_who_may_not_update_firmware_puts_nothing_there(api: Api) -> None:
    for role in (Role.VIEWER, Role.OPERATOR, Role.MONEY):
        refused = api.request("PUT", "/v1/files?name=fw.bin", role, content=FIRMWARE)
        assert refused.status_code == 403, refused.text
    assert api.request("PUT", "/v1/files?name=fw.bin", None, content=b"").status_code == 401
    assert api.request("PUT", "/v1/files", content=FIRMWARE).status_code == 422
    assert kept(api) == []


def test_what_is_too_large_is_refused_and_not_kept(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(api.backend.settings), "max_ocpp_file_bytes", 1000)
    refused = api.request("PUT", "/v1/files?name=fw.bin", content=FIRMWARE)
    assert refused.status_code == 413
    assert refused.json()["detail"] == "larger than 1000 bytes (CPO_OCPP_MAX_FILE_MB)"
    assert kept(api) == []
    answer = api.request("PUT", "/v1/files?name=fw.bin", content=FIRMWARE[:1000]).json()
    assert (answer["name"], answer["size"]) == ("fw.bin", 1000)
