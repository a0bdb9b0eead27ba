"""The background loop: what it survives, when it goes on, and how long it has listened."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from db_interface.database import StoreUnavailable
from domain.rounds import Listening, Rounds, pause

LOGGER = logging.getLogger("cpo.test")


def play(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 20))


def rounds(once: Callable[[], Awaitable[object]], pause_s: float = 0.0, **more: Any) -> Rounds:
    return Rounds("the work", once, pause_s, logger=LOGGER, **more)


class Clock:
    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


def test_it_survives_an_outage_and_a_bad_object_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failures = [StoreUnavailable("no primary"), ValueError("a bad object")]
    done = asyncio.Event

    async def story() -> None:
        went_on = done()

        async def once() -> None:
            if failures:
                raise failures.pop(0)
            went_on.set()

        loop = rounds(once)
        loop.start()
        await went_on.wait()
        await loop.stop()

    play(story())
    said = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert said == [
        ("WARNING", "the work: waiting for the store: StoreUnavailable"),
        ("ERROR", "the work: a round failed"),
    ]


def test_it_is_started_once_stopped_for_good_and_may_be_started_again() -> None:
    async def story() -> None:
        at_work, begun = asyncio.Event(), 0
        before = asyncio.all_tasks()

        async def once() -> None:
            nonlocal begun
            begun += 1
            at_work.set()
            await asyncio.Event().wait()

        loop = rounds(once, listening=Listening(10))
        loop.start()
        loop.start()
        await at_work.wait()
        assert (begun, loop.running) == (1, True)
        await loop.stop()
        await loop.stop()
        assert not loop.running
        assert asyncio.all_tasks() == before, "the round itself has ended, too"
        at_work.clear()
        loop.start()
        await at_work.wait()
        await loop.stop()

    play(story())


def test_a_wake_and_a_nearer_instant_end_the_pause() -> None:
    async def story() -> None:
        begun: asyncio.Queue[None] = asyncio.Queue()

        async def once() -> None:
            begun.put_nowait(None)
            loop.within(nearer.pop(0) if nearer else 3600)

        nearer: list[float] = [3600, 0.001]
        loop = rounds(once, pause_s=3600)
        loop.start()
        await begun.get()
        loop.wake()
        await begun.get()
        await begun.get()  # the nearer instant
        assert begun.empty()
        await loop.stop()

    play(story())


def test_a_pause_says_whether_the_event_came_in_time() -> None:
    async def story() -> None:
        event = asyncio.Event()
        assert not await pause(event, 0.001)
        event.set()
        assert await pause(event, 3600)

    play(story())


def test_listening_grows_while_the_process_is_awake() -> None:
    clock = Clock()
    listening = Listening(15, clock)

    heard = []
    for _ in range(4):
        heard.append(listening.awake())
        clock.s += 15

    assert heard == [0, 15, 30, 45]


def test_a_process_that_slept_and_an_outage_begin_to_listen_anew() -> None:
    clock = Clock()
    listening = Listening(15, clock)
    listening.awake()
    clock.s += 10
    assert listening.awake() == 10

    clock.s += 15.1
    assert listening.awake() == 0

    clock.s += 10
    assert listening.awake() == 10
    listening.interrupted()
    assert listening.awake() == 0


def test_a_round_that_takes_long_is_no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many objects and a slow store: the silence of others goes on counting."""
    monkeypatch.setattr("domain.rounds._TICK_S", 0.001)
    clock = Clock()
    listening = Listening(15, clock)

    async def story() -> None:
        ended = asyncio.Event()

        async def once() -> None:
            for _ in range(4):
                clock.s += 10
                await asyncio.sleep(0.02)
            ended.set()

        loop = rounds(once, pause_s=3600, listening=listening)
        loop.start()
        await ended.wait()
        await asyncio.sleep(0)
        await loop.stop()
        assert listening.awake() == 40

    play(story())
