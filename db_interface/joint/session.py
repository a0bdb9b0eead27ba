"""One transaction of several works, which are done side by side.

What they ask for at the same time, in one step of each, is one question to the server, and what
they write one write: works of the same kind take the same steps, so ten of them cost about what one
does. What one of them does waits for nobody who does something else meanwhile.

A question that fails, and works that meet (touches.py), end the whole attempt: `broken` says why.
"""

from __future__ import annotations

import asyncio
import contextvars
from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from db_interface.joint.touches import Touches
from db_interface.patience import InTime

if TYPE_CHECKING:
    from db_interface.database import Database

Driven: TypeAlias = Any
"""The driver's own, which has no types, or what it answers."""
_STEPS = 3
"""So often the event loop goes round before those that have not asked yet are left behind."""


@dataclass
class Asked:
    """An operation of one work."""

    part: int
    operation: Operation
    answer: asyncio.Future[object] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Operation(ABC):
    """What is asked of one collection."""

    @property
    @abstractmethod
    def joins(self) -> Hashable | None:
        """Those of the same are done together; None: it is done alone."""

    @abstractmethod
    async def carry_out(self, joint: JointSession, asked: Sequence[Asked]) -> Sequence[object]:
        """Do all of `asked` (of which this is the first); their answers in order."""


class JointSession:
    def __init__(self, db: Database, mongo: Driven, parts: int) -> None:
        """`mongo`: the driver's session, in a transaction."""
        self.mongo = mongo
        self.touches = Touches()
        self.broken: BaseException | None = None
        self._db = db
        self._parts = parts
        self._asked: list[Asked] = []
        self._working: asyncio.Task[None] | None = None

    async def ask(self, part: int, operation: Operation) -> Driven:
        """The operation's answer. Raises what broke the transaction."""
        if self.broken is not None:
            raise self.broken
        asked = Asked(part, operation)
        self._asked.append(asked)
        if self._working is None:
            # In nobody's context: its time is the same for all.
            self._working = contextvars.Context().run(asyncio.create_task, self._work())
        return await asked.answer

    def broken_by(self, error: Exception) -> Exception:
        """Nothing of it is to be committed; the error."""
        self.broken = self.broken or error
        return error

    def part_ended(self) -> None:
        self._parts -= 1

    async def close(self) -> None:
        """Nobody asks any more."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)

    async def _work(self) -> None:
        try:
            while self._asked:
                for _ in range(_STEPS):
                    if len(self._asked) >= self._parts:
                        break
                    await asyncio.sleep(0)
                asked, self._asked = self._asked, []
                await self._answer(asked)
                await asyncio.sleep(0)
        finally:
            self._working = None

    async def _answer(self, asked: Sequence[Asked]) -> None:
        groups: dict[Hashable, list[Asked]] = {}
        for one in asked:
            joins = one.operation.joins
            groups.setdefault(id(one) if joins is None else joins, []).append(one)
        for group in groups.values():
            if self.broken is None:
                try:
                    with InTime(self._db.answer_within_s):
                        answers = await group[0].operation.carry_out(self, group)
                except asyncio.CancelledError:
                    for one in asked:
                        one.answer.cancel()
                    raise
                except BaseException as error:
                    self.broken = error
                else:
                    for one, answer in zip(group, answers, strict=True):
                        if not one.answer.done():
                            one.answer.set_result(answer)
                    continue
            for one in group:
                if not one.answer.done():
                    one.answer.set_exception(self.broken)
                    one.answer.exception()  # whoever asked may have gone
