"""The next batch is read while one is worked on, in order, and errors come in their place."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import pytest

from domain.imports.reading_ahead import AT_ONCE, batches_ahead, each_of


def test_batches_come_in_order_and_one_ahead() -> None:
    read = threading.Event()

    def items() -> Iterator[int]:
        yield from range(3)
        read.set()
        yield from range(3, 7)

    async def story() -> list[list[int]]:
        got = []
        async for batch in batches_ahead(items(), 3):
            # Nobody asks for the second one before this is done.
            assert await asyncio.to_thread(read.wait, 10)
            got.append(batch)
        return got

    assert asyncio.run(story()) == [[0, 1, 2], [3, 4, 5], [6]]


def test_what_breaks_off_breaks_off_behind_what_came_before() -> None:
    def items() -> Iterator[int]:
        yield from range(4)
        raise ValueError("broken")

    async def story() -> None:
        batches = batches_ahead(items(), 2)
        assert [await anext(batches), await anext(batches)] == [[0, 1], [2, 3]]
        with pytest.raises(ValueError, match="broken"):
            await anext(batches)

    asyncio.run(story())


def test_who_breaks_off_leaves_no_reader_behind() -> None:
    async def story() -> None:
        async with aclosing(batches_ahead(iter(range(100)), 2)) as batches:
            async for _ in batches:
                break
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(story())


def test_two_are_worked_on_at_a_time() -> None:
    busy = most = 0

    async def story() -> list[int]:
        done: list[int] = []
        both = asyncio.Event()

        async def work(item: int) -> None:
            nonlocal busy, most
            busy += 1
            most = max(most, busy)
            if busy == AT_ONCE:
                both.set()
            await both.wait()
            busy -= 1
            done.append(item)

        await each_of(given(5), work)
        return done

    assert sorted(asyncio.run(story())) == [0, 1, 2, 3, 4]
    assert (busy, most) == (0, AT_ONCE)


def test_after_a_failure_nothing_is_begun_and_what_was_begun_has_ended() -> None:
    begun: list[int] = []
    ended: list[int] = []

    async def work(item: int) -> None:
        begun.append(item)
        if item == 0:
            raise ValueError("the first")
        await asyncio.sleep(0)
        ended.append(item)

    async def story() -> None:
        with pytest.raises(ValueError, match="the first"):
            await each_of(given(9), work)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(story())
    assert (begun, ended) == ([0, 1], [1])


async def given(number: int) -> AsyncIterator[int]:
    for one in range(number):
        yield one
