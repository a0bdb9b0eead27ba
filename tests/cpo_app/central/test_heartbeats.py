"""Heartbeats and their absence: faults, recovery, silence; with several workers."""

from __future__ import annotations

import asyncio

import pytest

from tests.cpo_app.central.conftest import World, token


def test_a_fault_and_its_end_are_seen_over_ocpi(world: World) -> None:
    shown, api = world.enrol("CP-001"), world.api()
    api.register(shown)
    assert api.beat(shown, "ENGINE_UNREACHABLE").json() == {"status": "ok"}
    assert world.status() == "OUTOFORDER"
    api.beat(shown)
    assert world.status() == "AVAILABLE"
    assert world.history() == ["AVAILABLE", "OUTOFORDER", "AVAILABLE"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"interval_s": 0}, "interval_s"),
        ({"interval_s": 1e9}, "interval_s"),
        ({"engine": {"faults": [{"message": "x"}]}}, "engine.faults.0.code"),
        ({"engine": {"faults": "all"}}, "engine.faults"),
    ],
)
def test_bad_heartbeats_are_400_and_name_the_field(
    world: World, body: dict[str, object], field: str
) -> None:
    shown = token("CP-001")
    answer = world.api().post("/cp/heartbeat", shown, {"cp_id": "CP-001", "interval_s": 1, **body})
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(f"{field}: ")


def listen(world: World, seconds: int, *workers: int) -> int:
    """Let the clock run, all workers watching each second; how many were found silent."""
    found = 0
    for _ in range(seconds):
        world.clock.advance(1)

        async def rounds() -> list[int]:
            chosen = [world.workers[number].watch for number in workers]
            return await asyncio.gather(*(watch.round() for watch in chosen))

        found += sum(world.loop.run(rounds()))
    return found


def test_five_missed_intervals_make_it_unknown_and_one_heartbeat_brings_it_back(
    world: World,
) -> None:
    shown, api = world.enrol("CP-001"), world.api()
    world.loop.run(api.central.watch.round())
    api.register(shown)
    api.beat(shown, interval_s=2)
    assert listen(world, 9, 0) == 0
    assert world.status() == "AVAILABLE"
    assert listen(world, 1, 0) == 1
    assert world.status() == "UNKNOWN"
    assert listen(world, 5, 0) == 0
    api.beat(shown)
    assert world.status() == "AVAILABLE"
    assert world.history() == ["AVAILABLE", "UNKNOWN", "AVAILABLE"]


def test_each_monitors_own_interval_counts(world: World) -> None:
    slow, fast = world.enrol("CP-001"), world.enrol("CP-002")
    api = world.api()
    listen(world, 1, 0)
    api.register(slow)
    api.register(fast, "CP-002")
    api.beat(slow, interval_s=60)
    api.beat(fast, cp_id="CP-002", interval_s=1)
    assert listen(world, 20, 0) == 1
    assert (world.status("CP-001"), world.status("CP-002")) == ("AVAILABLE", "UNKNOWN")


def test_of_many_workers_one_marks_it_once(world: World) -> None:
    shown, api = world.enrol("CP-001"), world.api()
    for _ in range(3):
        world.central()
    listen(world, 1, 0, 1, 2, 3)
    api.register(shown)
    assert listen(world, 20, 0, 1, 2, 3) == 1
    assert world.history() == ["AVAILABLE", "UNKNOWN"]


def test_a_heartbeat_in_the_same_moment_wins(world: World) -> None:
    """Heartbeats and watches of four workers at once, at the very deadline."""
    shown, api = world.enrol("CP-001"), world.api()
    others = [world.api() for _ in range(3)]
    listen(world, 1, 0, 1, 2, 3)
    api.register(shown)
    listen(world, 9, 0, 1, 2, 3)
    world.clock.advance(1)
    body = {"cp_id": "CP-001", "interval_s": 2}
    headers = {"Authorization": f"Bearer {shown}"}

    async def race() -> None:
        beats = [other.http.post("/cp/heartbeat", json=body, headers=headers) for other in others]
        await asyncio.gather(*beats, *(worker.watch.round() for worker in world.workers))

    world.loop.run(race())
    assert world.status() == "AVAILABLE"
    assert world.history() in (["AVAILABLE"], ["AVAILABLE", "UNKNOWN", "AVAILABLE"])


def test_a_central_that_was_away_blames_nobody_for_its_own_silence(world: World) -> None:
    shown, api = world.enrol("CP-001"), world.api()
    listen(world, 1, 0)
    api.register(shown)
    world.clock.advance(3600)
    fresh = world.central()
    assert listen(world, 5, 0, world.workers.index(fresh)) == 0
    assert world.status() == "AVAILABLE"
    assert listen(world, 8, 0, world.workers.index(fresh)) == 1
    assert world.status() == "UNKNOWN"


def test_the_watch_runs_from_start_to_stop(world: World) -> None:
    central = world.central()
    world.loop.run(central.start())
    assert central.watching
    world.loop.run(central.stop())
    assert not central.watching
