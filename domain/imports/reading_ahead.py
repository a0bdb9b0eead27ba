"""What comes next is read, in a thread, while what came before is worked on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


async def batches_ahead(items: Iterable[T], size: int) -> AsyncGenerator[list[T], None]:
    """The items in lists of `size`, the next of which is taken meanwhile: whatever they are made
    from is used by that thread and by nobody else. Raises what they raise, in its place."""
    iterator = iter(items)
    coming = asyncio.create_task(asyncio.to_thread(_taken, iterator, size))
    try:
        while batch := await coming:
            coming = asyncio.create_task(asyncio.to_thread(_taken, iterator, size))
            yield batch
    finally:
        # A thread cannot be broken off: it ends its list.
        await asyncio.gather(coming, return_exceptions=True)


def _taken(iterator: Iterator[T], size: int) -> list[T]:
    return list(islice(iterator, size))
