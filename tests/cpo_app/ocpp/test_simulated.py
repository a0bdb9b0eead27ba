"""Simulated charge points (`cpo charge-points --ocpp`) at a gateway: added, and connected."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from auth.charge_point_credentials import CredentialHashes
from cpo_app.backend import Backend
from cpo_app.charge_point.ocpp import fleet
from cpo_app.charge_point.ocpp.keeping import Access
from cpo_app.cli import ocpp_simulator
from cpo_app.cli.ocpp_simulator import Wanted, added, box_of
from db_interface.database import Database
from domain.charge_points.charge_point_documents import CHARGE_POINTS
from domain.ocpp import stations
from domain.secrets import Vault
from tests.cpo_app.ocpp.conftest import KEY, World

IDS = ["CP-A", "CP-B", "CP-C"]


def test_each_start_gives_each_of_them_a_new_password(
    world: World, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ocpp_simulator, "AT_ONCE", 2)
    hashes = CredentialHashes(KEY)

    async def story() -> None:
        backend = Backend(world.settings, db, Vault(KEY))
        before: list[str] = []
        for ids in (IDS[:1], IDS):
            passwords = await added(backend, ids)
            assert len({*passwords, *before}) == len(passwords) + len(before)
            for station_id, password in zip(ids, passwords, strict=True):
                known = await stations.get(db, station_id)
                assert known is not None
                assert known["password_hash"] == hashes.of(password)[0]
            before = passwords

    world.run(story())


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_they_connect_and_central_knows_them(
    world: World, db: Database, version: fleet.Version
) -> None:
    async def known() -> bool:
        states = await CHARGE_POINTS.of(db).find({"_id": {"$in": IDS}})
        return [one.get("state") for one in states] == ["ACTIVATED"] * len(IDS)

    async def story() -> None:
        await world.gateway()
        backend = Backend(world.settings, db, Vault(KEY))
        passwords = await added(backend, IDS)
        wanted = Wanted(version, len(IDS))
        boxes = [
            box_of(wanted, number, station_id, Access(f"{world.url()}/ocpp", password))
            for number, (station_id, password) in enumerate(zip(IDS, passwords, strict=True))
        ]
        running = asyncio.create_task(fleet.run(boxes))
        try:
            await world.until(known)
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    world.run(story())
