"""A Central with more to do than it can: it says so, at once, and takes nobody for silent."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from cpo_app.central.door import ASIDE, MAX_RETRY_AFTER_S, MIN_RETRY_AFTER_S
from tests.cpo_app.central.conftest import Api, World, meter, state
from tests.cpo_app.central.test_heartbeats import listen, transactions


@pytest.fixture
def api(world: World) -> Api:
    return world.api(world.central(CENTRAL_MAX_REQUESTS=2))


def is_put_off(answer: httpx.Response) -> bool:
    if answer.status_code != 503:
        return False
    assert MIN_RETRY_AFTER_S <= int(answer.headers["Retry-After"]) <= MAX_RETRY_AFTER_S
    assert answer.json()["detail"] == "EV_Central has too much to do at the moment"
    return True


def test_beyond_the_bound_requests_are_put_off_and_heartbeats_are_taken(
    world: World, api: Api
) -> None:
    shown = world.enrol("CP-001")
    api.register(shown)
    api.beat(shown)
    door = api.central.door
    with door.inside(), door.inside():
        assert is_put_off(api.register(shown))
        assert is_put_off(api.telemetry(shown, state(1, "AVAILABLE")))
        authorize = {"cp_id": "CP-001", "connector_id": "1", "token_uid": "X"}
        assert is_put_off(api.post("/cp/authorize", shown, authorize))
        assert is_put_off(api.beat(shown, "OVERHEATED")), "it would be a transaction"
        assert api.beat(shown).status_code == 200
        assert api.telemetry("no token", state(1, "AVAILABLE")).status_code == 401
    assert api.telemetry(shown, state(1, "AVAILABLE")).json()["acked"] == 1
    assert api.beat(shown, "OVERHEATED").status_code == 200
    assert world.status() == "OUTOFORDER"


def test_meter_values_that_wait_turn_nobody_else_away(world: World) -> None:
    central = world.central(CENTRAL_MAX_REQUESTS=1)
    api, held = world.api(central), asyncio.Event()
    shown = {f"CP-{n:03d}": world.enrol(f"CP-{n:03d}") for n in range(7)}

    async def report(name: str, message: dict[str, Any]) -> httpx.Response:
        body = {"cp_id": name, "boot_id": "b", "messages": [message]}
        headers = {"Authorization": f"Bearer {shown[name]}"}
        return await api.http.post("/cp/telemetry", json=body, headers=headers)

    async def story() -> None:
        central.precedence.give_way = held.wait  # type: ignore[method-assign,assignment]
        *waiting, last, other = shown
        readings = []
        for number, name in enumerate(waiting[:ASIDE], 1):
            readings.append(asyncio.create_task(report(name, meter(1))))
            while central.door.aside < number:
                await asyncio.sleep(0)
        assert is_put_off(await report(last, meter(1)))
        assert (await report(other, state(1, "AVAILABLE"))).json()["acked"] == 1
        held.set()
        assert [one.json()["acked"] for one in await asyncio.gather(*readings)] == [1] * ASIDE
        assert central.door.aside == 0
        central.door.check("anybody")

    world.loop.run(story())


def test_who_was_put_off_was_heard(world: World, api: Api) -> None:
    shown, silent = world.enrol("CP-001"), world.enrol("CP-002")
    listen(world, 1, 0)
    for cp_id, token in (("CP-001", shown), ("CP-002", silent)):
        api.register(token, cp_id)
        api.beat(token, cp_id=cp_id)
    with api.central.door.inside(), api.central.door.inside():
        for second in range(30):
            put_off = api.register(shown) if second % 2 else api.beat(shown, "OVERHEATED")
            assert is_put_off(put_off)
            listen(world, 1, 0)
    assert (world.status("CP-001"), world.status("CP-002")) == ("AVAILABLE", "UNKNOWN")


def test_of_many_at_once_some_are_put_off_and_none_is_lost(world: World, api: Api) -> None:
    names = [f"CP-{number:03d}" for number in range(8)]
    shown = {name: world.enrol(name) for name in names}

    async def report(name: str) -> int:
        body = {"cp_id": name, "boot_id": "b", "messages": [state(1, "AVAILABLE")]}
        headers = {"Authorization": f"Bearer {shown[name]}"}
        return (await api.http.post("/cp/telemetry", json=body, headers=headers)).status_code

    async def all_at_once(left: list[str]) -> list[int]:
        return await asyncio.gather(*map(report, left))

    left, rounds = names, 0
    while left:
        answers = world.loop.run(all_at_once(left))
        assert set(answers) <= {200, 503}
        assert answers.count(200) >= min(2, len(left))
        if not rounds:
            assert 503 in answers
        left = [name for name, status in zip(left, answers, strict=True) if status != 200]
        rounds += 1
    assert [world.document(name)["acked_seq"] for name in names] == [1] * len(names)


def test_after_a_restart_charge_points_come_back_without_a_transaction_each(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = world.api()
    shown = {name: world.enrol(name) for name in ("CP-001", "CP-002", "CP-003")}
    for name, token in shown.items():
        first.register(token, name)
        first.beat(token, cp_id=name)
    world.loop.run(first.central.stop())
    world.clock.advance(1800)
    fresh = world.api()
    made = transactions(world, monkeypatch)
    number = world.workers.index(fresh.central)
    for _ in range(20):
        for name, token in shown.items():
            assert fresh.beat(token, cp_id=name).status_code == 200
        assert listen(world, 1, number) == 0
    assert made == []
