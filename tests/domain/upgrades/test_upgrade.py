"""A store of an earlier version gets the steps that it lacks, in order, each by one process; a
store of a later version is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.commands.command_queue import COMMANDS
from domain.upgrades import schema_version
from domain.upgrades.schema_version import SCHEMA, StoreIsNewer
from domain.upgrades.steps import STEPS, Step
from domain.upgrades.upgrade import refuse_newer, upgrade
from tests.conftest import Loop

AGAIN_S = 0.01


class Steps:
    """Steps that note that they ran; `fails` of one raises, once."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.fails: set[str] = set()
        self.table = tuple(Step(name, self._step(name)) for name in ("one", "two", "three"))

    def _step(self, name: str) -> Callable[[DbInterface], Awaitable[None]]:
        async def run(_store: DbInterface) -> None:
            self.ran.append(name)
            if name in self.fails:
                self.fails.remove(name)
                raise RuntimeError(name)

        return run


@pytest.fixture
def steps() -> Steps:
    return Steps()


async def of_before(db: Database) -> DbInterface:
    """A store with something in it, and no version."""
    await COMMANDS.of(db).insert_one({"_id": "c1"})
    return DbInterface(db)


def test_a_new_store_is_of_this_version(db: Database, loop: Loop, steps: Steps) -> None:
    async def work() -> int | None:
        assert await upgrade(DbInterface(db), steps.table) == []
        return await schema_version.version_of(db)

    assert (loop.run(work()), steps.ran) == (3, [])


def test_a_store_of_before_gets_each_step_once_in_order(
    db: Database, loop: Loop, steps: Steps
) -> None:
    async def work() -> list[str]:
        store = await of_before(db)
        assert await upgrade(store, steps.table[:1]) == ["one"]
        assert await upgrade(store, steps.table) == ["two", "three"]
        assert await upgrade(store, steps.table) == []
        found = await SCHEMA.of(db).find_one({})
        assert found is not None
        assert found["owner"] is None
        return [step["name"] for step in found["steps"]]

    assert loop.run(work()) == steps.ran == ["one", "two", "three"]


def test_of_many_processes_one_runs_the_steps_and_all_go_on_afterwards(
    db: Database, loop: Loop, steps: Steps
) -> None:
    async def work() -> list[list[str]]:
        store = await of_before(db)
        return await asyncio.gather(
            *(upgrade(store, steps.table, look_again_s=AGAIN_S) for _ in range(5))
        )

    done = loop.run(work())
    assert steps.ran == ["one", "two", "three"]
    assert sorted(name for names in done for name in names) == ["one", "three", "two"]


def test_a_step_that_breaks_off_is_run_again_before_the_next(
    db: Database, loop: Loop, steps: Steps
) -> None:
    steps.fails = {"two"}

    async def work() -> None:
        store = await of_before(db)
        with pytest.raises(RuntimeError):
            await upgrade(store, steps.table)
        assert await schema_version.version_of(db) == 1
        await upgrade(store, steps.table)

    loop.run(work())
    assert steps.ran == ["one", "two", "two", "three"]


def test_who_lost_the_lease_notes_nothing(db: Database, loop: Loop, steps: Steps) -> None:
    async def work() -> int | None:
        await of_before(db)
        await schema_version.begin_at(db, 0)
        assert await schema_version.claim(db, "first")
        assert not await schema_version.claim(db, "second")
        await schema_version.let_go(db, "first")
        assert await schema_version.claim(db, "second")
        assert not await schema_version.done(db, "first", 1, "one")
        return await schema_version.version_of(db)

    assert loop.run(work()) == 0


def test_a_store_of_a_later_version_is_left_alone(db: Database, loop: Loop, steps: Steps) -> None:
    async def work() -> None:
        await schema_version.begin_at(db, 4)
        with pytest.raises(StoreIsNewer, match="schema 4, this software knows 3"):
            await upgrade(DbInterface(db), steps.table)

    loop.run(work())
    assert steps.ran == []


def test_the_real_steps_may_be_run_again(db: Database, loop: Loop) -> None:
    async def work() -> list[object]:
        store = DbInterface(db)
        await COMMANDS.of(db).driver.insert_one({"_id": "c1", "slot": "print", "state": "DONE"})
        await upgrade(store)
        for step in STEPS:
            await step.run(store)
        assert await refuse_newer(db) == len(STEPS)
        return [await COMMANDS.of(db).find_one({"_id": "c1"})]

    assert loop.run(work()) == [{"_id": "c1", "state": "DONE", "idempotency_key": "print"}]
