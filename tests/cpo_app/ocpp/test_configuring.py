"""Stations that have booted together are not all asked for their configuration at once."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from cpo_app.ocpp import configuring
from cpo_app.ocpp.box import Asked, NotAnswered
from cpo_app.ocpp.configuring import AT_ONCE, LOOKED_EVERY_S, Configuring
from cpo_app.ocpp.connection import Connection
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from tests.conftest import Loop


class _Booted:
    """As much of a connection as is looked at."""

    held, boots = False, 1

    def __init__(self, station_id: str) -> None:
        self.id = self.station_id = station_id
        self.station = {"_id": station_id, "protocol": "ocpp1.6"}


async def _not_there(_op: str, _asked: Asked) -> JsonObject:
    raise NotAnswered("the connection was lost", sent=False)


def test_those_of_one_look_are_spread_until_the_next(
    db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configuring, "AFTER_BOOT_S", 0.0)
    monkeypatch.setattr(configuring, "SPREAD_S", 0.0)
    pauses: list[float] = []
    all_are_there = asyncio.Event()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == AT_ONCE:
            all_are_there.set()
        await all_are_there.wait()

    held = {name: cast("Connection", _Booted(name)) for name in map(str, range(2 * AT_ONCE))}

    async def story() -> None:
        one = Configuring(DbInterface(db), held, _not_there, every_s=3600, sleep=sleep)
        await one.look()
        await all_are_there.wait()
        await one.stop()

    loop.run(story())
    assert pauses == pytest.approx([LOOKED_EVERY_S * nth / AT_ONCE for nth in range(AT_ONCE)])
