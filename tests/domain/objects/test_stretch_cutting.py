"""The job that cuts lists into stretches: what is there is cut, and wrong numbers do not stay."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial

import pytest

from db_interface import stretches
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.stretches import STRETCHES, place_of
from domain.objects.locations import owned_location
from domain.objects.stretch_cutting import StretchCutting
from tests.conftest import Loop
from tests.domain.schemas.samples import location


def test_rounds_cut_what_is_there_and_set_right_what_is_wrong(
    db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stretches, "SIZE", 3)
    monkeypatch.setattr(stretches, "SETTLED_AFTER", timedelta(0))
    store, there = DbInterface(db), [owned_location(location(id=f"L{n}")) for n in range(10)]
    job = StretchCutting(store)

    async def numbers() -> list[int]:
        rows = await STRETCHES.of(db).find({"n": {"$exists": True}}, sort=[("begin", 1)])
        return [row["n"] for row in rows]

    async def story() -> None:
        await store.transact(partial(store.objects("locations").put_new, there))
        while await numbers() != [3, 3, 3]:
            await job.round()
            await asyncio.sleep(0)
        await STRETCHES.of(db).update_many({"n": 3}, {"$set": {"n": 5}})
        while await numbers() != [3, 3, 3]:
            await job.round()
        place = await place_of(db, "locations", 8, ["*"], None)
        assert place is not None and place.skip == 2

    loop.run(story())
