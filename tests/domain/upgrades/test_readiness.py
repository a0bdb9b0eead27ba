"""A start that the store goes away from: it is tried again, and said in one line."""

from __future__ import annotations

import asyncio
import logging

import pytest
from pymongo.errors import AutoReconnect

from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.upgrades import readiness
from domain.upgrades.readiness import until_ready
from domain.upgrades.schema_version import StoreRefused
from tests.conftest import Loop


class Making:
    """make_ready, which fails as told before it does its work."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self, store: DbInterface) -> None:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "AGAIN_S", 0.0)
    monkeypatch.setattr(readiness, "REFUSED_AGAIN_S", 0.0)


@pytest.mark.parametrize(
    ("error", "said", "with_traceback"),
    [
        (AutoReconnect("connection closed"), "the store went away during the start", False),
        (StoreRefused("of a later version"), "of a later version", False),
        (KeyError("a mistake of ours"), "the start failed", True),
    ],
)
def test_it_is_tried_again_and_said_in_one_line(
    db: Database,
    loop: Loop,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    said: str,
    with_traceback: bool,
) -> None:
    making = Making(error)
    monkeypatch.setattr(readiness, "make_ready", making)
    with caplog.at_level(logging.WARNING, "cpo.store"):
        loop.run(until_ready(DbInterface(db)))
    assert making.calls == 2
    [record] = caplog.records
    assert said in record.getMessage() and bool(record.exc_info) is with_traceback


def test_what_the_caller_does_then_is_done_again_too(
    db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "make_ready", Making())
    done: list[str] = []

    async def then() -> None:
        done.append("asked")
        await asyncio.sleep(0)
        if len(done) == 1:
            raise AutoReconnect("connection closed")

    loop.run(until_ready(DbInterface(db), then))
    assert done == ["asked", "asked"]
