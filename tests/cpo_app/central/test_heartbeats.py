"""Heartbeats and their absence: faults, recovery, silence; with several workers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from cpo_app.central.wire import HeartbeatBody
from db_interface.gathered import Gathered
from db_interface.transaction import Tx
from domain.charge_points import signs_of_life
from domain.operator import charge_points as operator_view
from domain.times import parse_datetime
from tests.conftest import Loop
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


def test_what_was_said_before_is_read_as_before(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, api = world.enrol("CP-001"), world.api()
    api.register(shown)
    for state in ("AVAILABLE", "ENGINE_UNREACHABLE", "AVAILABLE"):
        api.beat(shown, state)
    parsed: list[object] = []
    parse = HeartbeatBody.parse_obj

    def noting(read: object) -> HeartbeatBody:
        parsed.append(read)
        return parse(read)

    monkeypatch.setattr(HeartbeatBody, "parse_obj", noting)
    wrong: dict[str, object] = {"cp_id": "CP-001", "interval_s": 0}
    for _ in range(2):
        api.beat(shown, "ENGINE_UNREACHABLE")
        assert world.status() == "OUTOFORDER"
        api.beat(shown)
        assert world.status() == "AVAILABLE"
        assert api.post("/cp/heartbeat", shown, wrong).status_code == 400
    assert parsed == [wrong, wrong], "of what is right, each once"


def written(world: World) -> None:
    """What each worker does every second."""
    for worker in world.workers:
        world.loop.run(worker.heartbeats.write())


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
    written(world)
    assert world.status() == "AVAILABLE"
    assert world.history() in (["AVAILABLE"], ["AVAILABLE", "UNKNOWN", "AVAILABLE"])


def transactions(world: World, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What every transaction from now on was made for."""
    made: list[object] = []
    transact = world.store.transact

    async def counted(work: Callable[[Tx], Awaitable[object]]) -> object:
        made.append(work)
        return await transact(work)

    monkeypatch.setattr(world.store, "transact", counted)
    return made


def test_heartbeats_without_news_keep_it_known_and_are_no_transactions(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, api = world.enrol("CP-001"), world.api()
    other = world.api()
    listen(world, 1, 0, 1)
    api.register(shown)
    api.beat(shown)
    before = world.document()
    made = transactions(world, monkeypatch)
    for second in range(30):
        (api if second % 2 else other).beat(shown)
        assert listen(world, 1, 0, 1) == 0
    assert made == []
    assert world.status() == "AVAILABLE"
    facts = {"last_seen", "heartbeat_due"}
    assert {**world.document(), **{name: before[name] for name in facts}} == before
    # The last one was one second ago: nine to go.
    assert listen(world, 8, 0, 1) == 0
    assert listen(world, 1, 0, 1) == 1


def test_what_another_worker_was_told_is_news_to_this_one(world: World) -> None:
    shown, api, other = world.enrol("CP-001"), world.api(), world.api()
    api.register(shown)
    api.beat(shown)
    for _ in range(2):
        other.beat(shown, "OVERHEATED")
        assert world.status() == "OUTOFORDER"
        api.beat(shown)
        assert world.status() == "AVAILABLE"


def test_a_sign_of_life_that_comes_while_it_is_taken_for_silent_brings_it_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heard by a worker that has not written it yet, when another one's watch comes by."""
    shown, api, other = world.enrol("CP-001"), world.api(), world.api()
    listen(world, 1, 0, 1)
    api.register(shown)
    api.beat(shown)
    world.clock.advance(9)
    other.beat(shown)
    assert listen(world, 1, 0) == 1
    assert world.status() == "UNKNOWN"
    written(world)
    assert world.status() == "AVAILABLE"
    made = transactions(world, monkeypatch)
    other.beat(shown)
    written(world)
    assert made == []


def test_the_operator_sees_when_it_was_heard_last(world: World) -> None:
    shown, api = world.enrol("CP-001"), world.api()
    api.register(shown)
    api.beat(shown)
    world.clock.advance(5)
    api.beat(shown)
    written(world)
    (row,) = api.get("/cp").json()["charge_points"]
    assert parse_datetime(row["last_seen"]) == world.clock.at
    one = world.loop.run(operator_view.one(world.db, "CP-001"))
    assert one is not None
    assert one["last_seen"] == world.clock.at


def test_a_stop_writes_what_was_heard(world: World) -> None:
    shown, api = world.enrol("CP-001"), world.api()
    api.register(shown)
    api.beat(shown)
    world.clock.advance(5)
    api.beat(shown)
    world.loop.run(api.central.stop())
    assert world.loop.run(signs_of_life.latest(world.db, ["CP-001"])) == {"CP-001": world.clock.at}


def test_many_heartbeats_at_once_are_a_few_queries(world: World, loop: Loop) -> None:
    asked: list[int] = []

    async def read(keys: Sequence[str]) -> dict[str, str]:
        asked.append(len(keys))
        await asyncio.sleep(0)
        return {key: key.upper() for key in keys if key != "nobody"}

    async def story() -> list[str | None]:
        gathered: Gathered[str] = Gathered(world.db, read, 0)
        first = asyncio.ensure_future(gathered.get("a"))
        while not asked:
            await asyncio.sleep(0)
        return await asyncio.gather(first, *(gathered.get(k) for k in ("a", "b", "nobody", "b")))

    assert loop.run(story()) == ["A", "A", "B", None, "B"]
    assert asked == [1, 3], "who comes while a query is under way is answered by the next one"


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
