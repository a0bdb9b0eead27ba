"""What a station has uploaded, saved from the console by those who may."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.ocpp import files, transfers
from domain.ocpp.transfers import Kind
from domain.operators.actor import Role
from tests.cpo_app.api.conftest import Api, api

__all__ = ["api"]

PAGE = b"<script>alert(1)</script>"


async def _content() -> AsyncIterator[bytes]:
    yield PAGE


async def _uploaded(store: DbInterface, kind: Kind) -> str:
    file = await files.keep(store.db, 'a "log".html', _content(), 1000)

    async def work(tx: Tx) -> None:
        transfer, _ = await transfers.add(tx, "CP-007", kind, by="ines", file=file)
        await transfers.received(tx, transfer, file)

    await store.transact(work)
    return file["_id"]


@pytest.mark.parametrize(
    ("role", "kind", "status"),
    [
        (Role.OPERATOR, Kind.DIAGNOSTICS, 200),
        (Role.VIEWER, Kind.DIAGNOSTICS, 404),
        (Role.ADMIN, Kind.FIRMWARE, 404),
    ],
)
def test_what_a_station_wrote_is_saved_and_never_shown(
    api: Api, role: Role, kind: Kind, status: int
) -> None:
    file_id = api.loop.run(_uploaded(api.backend.store, kind))
    path = f"/console/station-files/{file_id}"
    answer = api.loop.run(api.http.get(path, headers=api.as_role(role)))
    assert answer.status_code == status
    if status == 200:
        assert answer.content == PAGE
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment;")
        assert answer.headers["content-security-policy"] == "sandbox"
