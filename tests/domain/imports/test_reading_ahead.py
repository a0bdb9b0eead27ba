"""The next batch is read while one is worked on, in order, and errors come in their place."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import aclosing

import pytest

from domain.imports.reading_ahead import batches_ahead


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
