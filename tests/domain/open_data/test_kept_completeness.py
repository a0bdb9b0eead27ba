"""How far the published ones are complete is worked out now and then, by one process, and kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.open_data import completeness as completeness_of
from domain.open_data import kept_completeness as kept
from domain.open_data.kept_completeness import LookingForGaps
from domain.reconciliation.reconciliation_jobs import JOBS
from tests.domain.open_data.test_kept_document import World, world
from tests.domain.schemas.samples import evse

__all__ = ["world"]
OWNERS = ["nl*evc"]


def due_again(world: World) -> None:
    due = {"$set": {"due": world.db.now() - timedelta(days=1)}}
    world.loop.run(JOBS.of(world.db).update_many({}, due))


def incomplete(world: World, owners: list[str] = OWNERS) -> int:
    return world.loop.run(kept.number_incomplete(world.db, owners))


def test_it_rests_after_each_few_so_that_others_are_served(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completeness_of, "A_FEW", 2)
    for number in range(5):
        world.publish_location(f"POOR{number}", evses=[evse(uid=f"EVSE-{number}")])
    rests: list[float] = []

    async def rest(after_s: float) -> None:
        rests.append(after_s)

    found = world.loop.run(completeness_of.completeness(world.store, OWNERS, rest=rest))
    assert (found.of, len(rests)) == (5, 2)


def test_it_is_worked_out_when_it_is_due_and_once_for_all_processes(world: World) -> None:
    world.publish_location("POOR", evses=[evse()])
    one, other = LookingForGaps(world.store, OWNERS), LookingForGaps(world.store, OWNERS)
    assert incomplete(world) == 0
    world.loop.run(one.round())
    found = world.loop.run(kept.kept_completeness(world.db, OWNERS))
    assert found is not None
    assert incomplete(world) == found["of"] - found["complete"] == len(found["items"]) == 1
    assert (found["items"][0]["location"], found["lacking"]["owner"]) == ("POOR", 1)
    assert "owner" in found["items"][0]["mend"]
    assert incomplete(world, ["de*abc"]) == 0

    world.publish_location("POOR2", evses=[evse(uid="EVSE-2")])
    world.loop.run(other.round())
    assert incomplete(world) == 1
    due_again(world)
    world.loop.run(other.round())
    assert incomplete(world) == 2
