"""Questions to the store that come at the same moment are asked in one query.

Most of what a read costs is the driver's price for a query, however little it brings. Whoever asks
in the same round of the event loop as others, as happens as soon as there is more to do than can
be done at once, shares it with them; who asks alone waits for nobody. Unlike `Gathered` it makes
nobody wait for a read that is under way, and takes questions of any kind.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from db_interface.database import Database, is_passing

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Together(Generic[Question, Answer]):
    """`read` answers up to `max_at_once` questions, in their order."""

    def __init__(
        self,
        db: Database,
        read: Callable[[Sequence[Question]], Awaitable[Sequence[Answer]]],
        max_at_once: int,
    ) -> None:
        self._db = db
        self._read = read
        self._max_at_once = max_at_once
        self._asked: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._reading: set[asyncio.Task[None]] = set()

    async def ask(self, question: Question) -> Answer:
        """What the store says, not before it was asked. Raises what the query raised."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._asked.append((question, answer))
        if len(self._asked) == 1:
            # Not in the caller's context: his deadline and the ids of his log lines are his own.
            loop.call_soon(self._begin, context=contextvars.Context())
        return await answer

    def _begin(self) -> None:
        asked, self._asked = self._asked, []
        number = -(-len(asked) // self._max_at_once)
        for nth in range(number):
            reading = asyncio.create_task(self._answer(asked[nth::number]))
            self._reading.add(reading)
            reading.add_done_callback(self._reading.discard)

    async def _answer(self, asked: Sequence[tuple[Question, asyncio.Future[Answer]]]) -> None:
        try:
            with self._db.no_waiting():
                answers = await self._read([question for question, _ in asked])
        except Exception as error:
            if len(asked) > 1 and not is_passing(error):
                # It may be one of them that cannot be asked: that is no fault of the others.
                await asyncio.gather(*(self._answer([one]) for one in asked))
                return
            for _, answer in asked:
                if not answer.done():
                    answer.set_exception(error)
            return
        except asyncio.CancelledError:
            for _, answer in asked:
                answer.cancel()
            raise
        for (_, answer), given in zip(asked, answers, strict=True):
            if not answer.done():
                answer.set_result(given)
