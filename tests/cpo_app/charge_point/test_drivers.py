"""The demonstration's drivers: what they do to a charge point, in order."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from cpo_app.charge_point.drivers import Drivers
from cpo_app.charge_point.simulation import SimAction
from cpo_app.charge_point.states import Event, Refused, State


class Recorded:
    """A simulation that notes what is done, and refuses what it is told to."""

    def __init__(self, *refuses: str) -> None:
        self.done: list[str] = []
        self._refuses = refuses

    async def play(self, action: SimAction) -> dict[str, Any]:
        self.done.append(action.action)
        if action.action in self._refuses:
            raise Refused(State.AVAILABLE, Event.STOP)
        return {}


def visits(simulation: Recorded, pauses: int, seed: int = 1) -> list[float]:
    """Let drivers come until so many pauses have passed; the pauses."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) > pauses:
            raise asyncio.CancelledError

    async def run() -> None:
        await Drivers(simulation, ["CARD-1"], random.Random(seed), sleep).run()  # type: ignore[arg-type]

    try:
        asyncio.run(run())
    except asyncio.CancelledError:
        return slept
    raise AssertionError("drivers never stop by themselves")


def test_a_driver_plugs_in_shows_the_card_twice_and_leaves() -> None:
    simulation = Recorded()
    slept = visits(simulation, pauses=4)
    assert simulation.done == ["plug", "swipe", "swipe", "unplug"]
    assert all(seconds > 0 for seconds in slept)


def test_who_is_refused_leaves_and_the_next_one_comes() -> None:
    simulation = Recorded("swipe")
    visits(simulation, pauses=4)
    assert simulation.done == ["plug", "swipe", "unplug", "plug", "swipe", "unplug"]


def test_the_first_driver_of_a_demonstration_is_in_a_hurry() -> None:
    first, second = visits(Recorded(), pauses=7)[2], visits(Recorded(), pauses=7)[6]
    assert first <= 20 < 25 <= second


def test_now_and_then_something_breaks() -> None:
    simulation = Recorded()
    visits(simulation, pauses=400)
    assert simulation.done.count("fault") == simulation.done.count("clear_fault") > 0
