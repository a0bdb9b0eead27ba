"""`cpo commands`: asked at the command line, and waited for."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

import pytest

from db_interface.database import Database
from domain.commands import command_queue
from domain.commands.command_queue import COMMANDS
from domain.commands.command_states import Event
from tests.conftest import Loop
from tests.cpo_app.cli.conftest import Cpo
from tests.cpo_app.console.worlds import Night


@pytest.fixture
def night(db: Database, loop: Loop) -> Night:
    return Night(db, loop).fill()


def answer_the_next(night: Night, result: str) -> Future[None]:
    """As a worker would, as soon as there is one."""

    async def work() -> None:
        while True:
            found = await COMMANDS.of(night.db).find_one({"state": "RECEIVED"})
            if found is not None:
                break
            await asyncio.sleep(0.02)
        said = {"result": {"result": result, "message": [{"language": "en", "text": "why"}]}}
        await command_queue.advance(night.db, found, Event.ANSWERED, said, any_holder=True)

    return asyncio.run_coroutine_threadsafe(work(), night.loop.loop)


def test_its_end_is_waited_for_and_is_the_exit_code(cpo: Cpo, night: Night) -> None:
    answered = answer_the_next(night, "REJECTED")
    done = cpo("commands", "start", "CP-001")
    answered.result(10)
    assert (done.code, done.json()["result"]) == (1, "REJECTED: why")
    assert done.err.splitlines()[-1] == "cpo: CP-001 has not done it: REJECTED: why"
    shown = cpo("commands", "show", done.json()["command_id"])
    assert shown.json()["said"] == "REJECTED: why"
    assert cpo("commands", "show", "x").err == "cpo: x: there is no such command\n"


def test_it_is_asked_for_and_listed(cpo: Cpo, night: Night) -> None:
    asked = cpo("commands", "unlock", "CP-001", "--no-wait")
    assert asked.code == 0, asked.err
    [row] = cpo("commands", "list", "CP-001", "--json").json()
    assert (row["id"], row["said"]) == (asked.json()["command_id"], "under way")
    assert "UNLOCK_CONNECTOR" in cpo("commands", "list").out
    assert cpo("commands", "list", "CP-404", "--json").json() == []
    refused = cpo("commands", "start", "CP-001", "--card", "NOBODYS")
    assert refused.err == "cpo: the card may not charge here, NOT_ALLOWED: Unknown card\n"
