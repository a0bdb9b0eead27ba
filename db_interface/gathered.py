"""Look-ups by key that come close together are one query.

Thousands who each ask for one document cost the driver far more than the documents do. A look-up
waits for up to `pause_s`, and is answered by a query that begins after it came: what it sees is
never older than the question.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from db_interface.database import Database

T = TypeVar("T")

PAUSE_S = 0.05
MAX_AT_ONCE = 1000


class Gathered(Generic[T]):
    """`read` gives what there is for the keys, by key."""

    def __init__(
        self,
        db: Database,
        read: Callable[[Sequence[str]], Awaitable[Mapping[str, T]]],
        pause_s: float = PAUSE_S,
        *,
        max_at_once: int = MAX_AT_ONCE,
        give_way: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`give_way`: awaited before each query; who comes meanwhile is in it."""
        self._db = db
        self._read = read
        self._pause_s = pause_s
        self._max_at_once = max_at_once
        self._give_way = give_way
        self._asked: dict[str, asyncio.Future[T | None]] = {}
        self._reading: asyncio.Task[None] | None = None
        self._next_at = 0.0

    async def get(self, key: str) -> T | None:
        """What there is under the key, or None. Raises what the query raised."""
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = asyncio.get_running_loop().create_future()
        if self._reading is None:
            # Not in the caller's context: his deadline and the ids of his log lines are his own.
            self._reading = contextvars.Context().run(asyncio.create_task, self._rounds())
        return await asyncio.shield(asked)

    async def _rounds(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._asked:
                await asyncio.sleep(max(0.0, self._next_at - loop.time()))
                if self._give_way is not None:
                    await self._give_way()
                self._next_at = loop.time() + self._pause_s
                keys = list(self._asked)[: self._max_at_once]
                await self._answer({key: self._asked.pop(key) for key in keys})
        finally:
            self._reading = None
            for asked in self._asked.values():
                asked.cancel()
            self._asked.clear()

    async def _answer(self, asked: Mapping[str, asyncio.Future[T | None]]) -> None:
        try:
            with self._db.no_waiting():
                found = await self._read(list(asked))
        except Exception as error:
            for one in asked.values():
                one.set_exception(error)
                one.exception()  # whoever asked may have gone
            return
        except asyncio.CancelledError:
            for one in asked.values():
                one.cancel()
            raise
        for key, one in asked.items():
            one.set_result(found.get(key))
