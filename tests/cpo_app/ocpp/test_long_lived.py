"""What is held is not looked through by the collector again; what has gone is, in the end."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from cpo_app.ocpp import long_lived
from tests.cpo_app.ocpp.conftest import World

MADE = """
import gc, weakref
from cpo_app.ocpp.long_lived import MIN_GONE, PART, LongLived

class Connection:
    def __init__(self):
        self.itself = self  # as a socket does
        self.parts = [[] for _ in range(10)]

gc.collect()
gc.freeze()
gc.disable()
seen_to, held = LongLived(), []

def come(number):
    for _ in range(number):
        held.append(Connection())
        seen_to.came(len(held))

def go(number):
    for _ in range(number):
        held.pop(0)
        seen_to.went()
"""


def _in_a_process_of_its_own(story: str) -> None:
    """What is frozen here would stay so for all other tests."""
    subprocess.run([sys.executable, "-c", MADE + story], check=True)


def test_a_full_collection_looks_through_the_latest_connections_alone() -> None:
    _in_a_process_of_its_own(
        "come(PART - 1)\n"
        "assert len(gc.get_objects()) > 10 * (PART - 1)\n"
        "come(1)\n"
        "assert len(gc.get_objects()) < 100\n"
        "for _ in range(9):\n"
        "    come(PART)\n"
        "    assert not any(isinstance(one, Connection) for one in gc.get_objects())\n"
    )


def test_connections_that_have_gone_are_not_kept_for_ever() -> None:
    _in_a_process_of_its_own(
        "come(2 * MIN_GONE)\n"
        "first = weakref.ref(held[0])\n"
        "go(MIN_GONE + 1)\n"
        "assert first() is not None\n"
        "come(1)\n"
        "assert first() is None\n"
        "assert gc.get_freeze_count() > 10 * MIN_GONE\n"
    )


def test_a_gateway_tells_of_who_came_and_who_went(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(long_lived, "PART", 2)
    monkeypatch.setattr(long_lived, "MIN_GONE", 2)
    monkeypatch.setattr(gc, "freeze", lambda: done.append("freeze"))
    monkeypatch.setattr(gc, "unfreeze", lambda: done.append("unfreeze"))

    async def story() -> None:
        await world.add("CP-007")
        gateway = (await world.gateway()).gateway

        async def nobody() -> bool:
            return not gateway.held

        for seen in ([], ["freeze"], ["freeze", "unfreeze", "freeze"]):
            async with world.box16() as box:
                await box.boot()
                assert done == seen
            await world.until(nobody)

    world.run(story())
