"""A background loop: rounds of work with pauses, started and stopped, that nothing ends.

An unreachable store is waited out, and one bad object does not end the work for all others: each
is logged. `Listening` is for loops that draw conclusions from what they do not hear: they blame
nobody for a silence of our own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from db_interface.clocks import uptime_s
from db_interface.database import STORE_ERRORS
from domain.operators.actor import Actor, ActorKind, acting_as

_TICK_S = 1.0


async def pause(event: asyncio.Event, longest_s: float) -> bool:
    """Return when the event is set, after `longest_s` at the latest; whether it was in time.

    Not asyncio.wait_for: before Python 3.12 it can swallow a cancellation that comes in the
    moment in which the event is set, and a task that was told to stop would go on.
    """
    late = False

    def end() -> None:
        nonlocal late
        late = True
        event.set()

    timer = asyncio.get_running_loop().call_later(longest_s, end)
    try:
        await event.wait()
    finally:
        timer.cancel()
    return not late


class Listening:
    """For how long this process has been able to hear others.

    It starts again after a start, an outage of the store (`interrupted`), and when nobody noted
    that the process was awake for longer than `asleep_after_s` (it was suspended). Goes by a
    clock that nobody sets. A round that takes long is no sleep.
    """

    def __init__(self, asleep_after_s: float, uptime: Callable[[], float] = uptime_s) -> None:
        self._asleep_after_s = asleep_after_s
        self._uptime = uptime
        self._since: float | None = None
        self._awake_at = 0.0

    def awake(self) -> float:
        """Note that the process is awake; the seconds that it has been listening for."""
        now = self._uptime()
        if self._since is None or now - self._awake_at > self._asleep_after_s:
            self._since = now
        self._awake_at = now
        return now - self._since

    def interrupted(self) -> None:
        """Nothing could be heard just now."""
        self._since = None


class Rounds:
    """`once` over and over, `pause_s` apart, from `start` to `stop`; `wake` ends a pause."""

    def __init__(
        self,
        name: str,
        once: Callable[[], Awaitable[object]],
        pause_s: float,
        *,
        logger: logging.Logger,
        listening: Listening | None = None,
    ) -> None:
        self.pause_s = pause_s
        self._name = name
        self._once = once
        self._logger = logger
        self._listening = listening
        self._within_s = pause_s
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Work in the background until `stop`; a second call changes nothing."""
        if self._task is None:
            self._task = asyncio.create_task(self.run(), name=self._name)

    async def stop(self) -> None:
        """Break off what is under way; returns when nothing runs any more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    @property
    def running(self) -> bool:
        return self._task is not None and not self._task.done()

    def wake(self) -> None:
        """There is something to do: the next round begins at once."""
        self._news.set()

    def within(self, seconds: float) -> None:
        """For `once` to call: the next round begins after so long at the latest."""
        self._within_s = min(self._within_s, max(0.0, seconds))

    async def run(self) -> None:
        """Work until cancelled. What is written down meanwhile says that this job did it."""
        with acting_as(Actor(ActorKind.JOB, self._name)):
            await self._run()

    async def _run(self) -> None:
        while True:
            self._within_s = self.pause_s
            self._news.clear()
            try:
                await self._attentively()
            except STORE_ERRORS as error:
                self._logger.warning("%s: waiting for the store: %s", self._name, _kind(error))
                if self._listening is not None:
                    self._listening.interrupted()
            except Exception:  # the loop must not die of one bad object
                self._logger.exception("%s: a round failed", self._name)
            await pause(self._news, self._within_s)

    async def _attentively(self) -> None:
        """One round; meanwhile it is noted that the process is awake."""
        if self._listening is None:
            await self._once()
            return
        work = asyncio.ensure_future(self._once())
        try:
            while not work.done():
                self._listening.awake()
                await asyncio.wait({work}, timeout=_TICK_S)
            self._listening.awake()
            work.result()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)


def _kind(error: Exception) -> str:
    return type(error).__name__
