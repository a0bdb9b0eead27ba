"""What changes a charge point's state goes before meter values; these wait, but not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from cpo_app.central import charging
from cpo_app.central.meter_batches import MeterBatches
from cpo_app.central.precedence import Precedence
from cpo_app.central.telemetry import Telemetry
from cpo_app.central.wire import TelemetryBody
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from tests.conftest import Loop
from tests.cpo_app.central.command_world import CommandWorld
from tests.cpo_app.central.conftest import World, meter, state
from tests.cpo_app.central.test_meter_batches import Fleet

FOR_EVER_S = 3600.0


@pytest.fixture
def fleet(world: World) -> Fleet:
    return Fleet(world, "CP-001", "CP-002", "CP-003")


def telemetry(fleet: Fleet, precedence: Precedence) -> Telemetry:
    rules = charging.rules_of(fleet.central.settings)
    store, handlers = fleet.world.store, charging.handlers(rules)
    quick = MeterBatches(store, rules, gather_s=0, precedence=precedence)
    return Telemetry(store, fleet.central.party, handlers, quick, precedence)


def body(fleet: Fleet, cp_id: str, *messages: dict[str, Any]) -> TelemetryBody:
    told = [fleet.of(fleet.sessions[cp_id], message, message["seq"]) for message in messages]
    return TelemetryBody.parse_obj({"cp_id": cp_id, "boot_id": "boot-1", "messages": told})


@pytest.mark.parametrize(
    "power_w", [11_000.0, 0.0], ids=["with which nothing turns", "of a car that is full"]
)
def test_a_reading_waits_for_what_presses(fleet: Fleet, power_w: float) -> None:
    precedence = Precedence(FOR_EVER_S)
    taken, at = telemetry(fleet, precedence), fleet.world.clock.at
    reading = {**meter(4, 1.0), "power_w": power_w}

    async def story() -> list[int]:
        with precedence.pressing():
            late = asyncio.ensure_future(taken.receive(body(fleet, "CP-001", reading), at))
            while not precedence.waiting:
                await asyncio.sleep(0)
            changed = body(fleet, "CP-002", state(4, "FAULTED", plugged=True))
            first = await taken.receive(changed, at)
            ended = {**meter(4, 1.0), "kind": "session_stopped", "reason": "LOCAL"}
            second = await taken.receive(body(fleet, "CP-003", ended), at)
            assert precedence.waiting == 1
            assert not late.done()
        return [first, second, await late]

    assert fleet.world.loop.run(story()) == [4, 4, 4]
    assert fleet.world.document("CP-002")["ocpi_status"] == "OUTOFORDER"
    assert fleet.session("CP-001")["energy_wh"] == 1.0


def looked_at(
    store: DbInterface, precedence: Precedence, monkeypatch: pytest.MonkeyPatch
) -> list[bool]:
    """Of each transaction from now on, whether others give way to it."""
    pressed: list[bool] = []
    transact = store.transact

    async def looking(work: Callable[[Tx], Awaitable[object]]) -> object:
        pressed.append(precedence.is_pressed)
        return await transact(work)

    monkeypatch.setattr(store, "transact", looking)
    return pressed


def test_what_changes_a_state_presses_and_a_reading_does_not(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    precedence = Precedence(FOR_EVER_S)
    taken, at = telemetry(fleet, precedence), fleet.world.clock.at
    pressed = looked_at(fleet.world.store, precedence, monkeypatch)
    messages = meter(4, 1.0), state(5, "AVAILABLE", plugged=False), meter(6, 2.0)
    for message in messages:
        fleet.world.loop.run(taken.receive(body(fleet, "CP-001", message), at))
    assert pressed == [False, True, False]


def test_a_fault_that_a_monitor_tells_presses(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, api = world.enrol("CP-001"), world.api()
    api.register(shown)
    pressed = looked_at(world.store, api.central.precedence, monkeypatch)
    api.beat(shown, "ENGINE_UNREACHABLE")
    assert world.status() == "OUTOFORDER"
    assert pressed == [True]


def test_a_command_presses_while_it_writes(
    db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = CommandWorld(db, loop)
    world.asker().start(evse_uid="CP-001")
    pressed = looked_at(world.central.store, world.central.precedence, monkeypatch)
    world.settle()
    assert world.results() == ["ACCEPTED"]
    assert pressed == [True, True], "opened and sent, answered"


def test_a_reading_waits_only_so_long(loop: Loop) -> None:
    precedence = Precedence(at_most_s=0.0)

    async def story() -> bool:
        with precedence.pressing():
            await precedence.give_way()
            return precedence.is_pressed

    assert loop.run(story())


def test_who_gives_up_waits_no_more_and_the_last_that_presses_lets_all_go(loop: Loop) -> None:
    precedence = Precedence(FOR_EVER_S)

    async def story() -> None:
        with precedence.pressing():
            with precedence.pressing():
                waiting = [asyncio.ensure_future(precedence.give_way()) for _ in range(3)]
                while precedence.waiting < 3:
                    await asyncio.sleep(0)
                waiting[0].cancel()
                await asyncio.wait([waiting[0]])
                assert precedence.waiting == 2
            await asyncio.sleep(0)
            assert not waiting[1].done(), "one of the two still presses"
        await asyncio.gather(*waiting[1:])

    loop.run(story())
    assert not precedence.is_pressed
    assert precedence.waiting == 0
