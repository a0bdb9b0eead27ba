"""Which queries the product has issued: heard from the driver, told from the tests' own.

The driver issues them in threads of its own, where nobody knows any more who asked. So it is noted
in the event loop, by the files of the callers, and goes along in the context.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path
from types import FrameType

from motor.frameworks import asyncio as motor_in_asyncio
from pymongo import monitoring

from db_interface.database import Database
from tests.queries.shapes import Shape, shapes_of

_ROOT = Path(__file__).parents[2]
_PRODUCT = ("domain", "cpo_app", "auth", "crud", "db_interface")
_ONLY_HANDS_ON = frozenset(
    f"db_interface/{name}.py"
    for name in ("collection", "database", "transaction", "bulk", "owned_objects")
)
"""They ask what their callers say."""
_QUERIES = frozenset(
    {"find", "aggregate", "count", "distinct", "update", "delete", "findAndModify"}
)
_asked_by: ContextVar[str] = ContextVar("asked_by", default="")


@dataclass(frozen=True)
class Asked:
    """A query as it was issued for the first time."""

    shape: Shape
    command: Mapping[str, object]
    """as the server's explain takes it"""
    database: str
    asked_by: str
    """the file of the product that composed it"""


class Queries(monitoring.CommandListener):
    """The product's, each shape once of each file that asks it: one that is excepted hides nothing
    of another's."""

    def __init__(self) -> None:
        self._known: set[tuple[str, Shape]] = set()
        self._new: list[Asked] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name not in _QUERIES:
            return
        asked_by = _asked_by.get()
        if not asked_by:
            return
        for shape, command in shapes_of(event.command_name, event.command):
            if (asked_by, shape) not in self._known:
                self._known.add((asked_by, shape))
                self._new.append(Asked(shape, command, event.database_name, asked_by))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Was heard when it started."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Was heard when it started."""

    @property
    def known(self) -> set[Shape]:
        """All that were heard."""
        return {shape for _, shape in self._known}

    def take_new(self) -> list[Asked]:
        """Those that were never heard before of that file."""
        new, self._new = self._new, []
        return new


QUERIES = Queries()
monitoring.register(QUERIES)  # for all clients that are made from now on


@cache
def _place(filename: str) -> str | None:
    """The product's file; "" of a test's; None of a file that composes no queries."""
    path = Path(filename)
    if not path.is_relative_to(_ROOT):
        return None
    file = path.relative_to(_ROOT).as_posix()
    if file.startswith(_PRODUCT):
        return None if file in _ONLY_HANDS_ON else file
    return None if file.startswith(("tests/queries/", ".venv/")) else ""


def _who_asks(frame: FrameType | None) -> str:
    while frame is not None:
        place = _place(frame.f_code.co_filename)
        if place is not None:
            return place
        frame = frame.f_back
    return ""


_on_executor = motor_in_asyncio.run_on_executor
_rows = Database.rows


@wraps(_on_executor)
def _asked_on_executor(loop, fn, *args, **kwargs):  # type: ignore[no-untyped-def]
    token = _asked_by.set(_who_asks(sys._getframe(1)))
    try:
        return _on_executor(loop, fn, *args, **kwargs)
    finally:
        _asked_by.reset(token)


@wraps(_rows)
async def _asked_rows(self, collection, ask):  # type: ignore[no-untyped-def]
    token = _asked_by.set(_who_asks(sys._getframe(1)))
    try:
        return await _rows(self, collection, ask)
    finally:
        _asked_by.reset(token)


motor_in_asyncio.run_on_executor = _asked_on_executor
Database.rows = _asked_rows  # type: ignore[method-assign]
