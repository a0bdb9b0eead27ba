"""The figures of a large fleet are counted once for all who look; those of a small one always."""

from __future__ import annotations

import asyncio

import pytest

from db_interface.database import Database
from domain.charge_points.charge_point_documents import CHARGE_POINTS
from domain.operator import fleet_counts
from domain.operator.fleet_counts import KEPT_S, FleetCounts
from tests.conftest import Loop


def test_a_small_fleet_is_counted_at_each_look_and_a_large_one_once_in_a_while(
    db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_counts, "MANY", 2)
    passed = [0.0]

    async def story() -> list[int]:
        fleet = FleetCounts(db, lambda: passed[0])
        seen: list[int] = []

        async def come(number: int) -> None:
            for n in range(number):
                cp = {"_id": f"CP{len(seen)}-{n}", "ocpi_status": "OUTOFORDER"}
                await CHARGE_POINTS.of(db).insert_one(cp)  # type: ignore[arg-type]

        async def look() -> None:
            counts, _ = await fleet.now()
            seen.append(counts["OUTOFORDER"])

        for number in (1, 1, 2):  # two are few, four are many
            await come(number)
            await look()
        await come(1)
        await asyncio.gather(look(), look())
        passed[0] = KEPT_S
        await look()
        return seen

    assert loop.run(story()) == [1, 2, 4, 4, 4, 5]
