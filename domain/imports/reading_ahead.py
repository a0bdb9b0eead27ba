"""What comes next is read, in a thread, while what came before is worked on; and of that the next
is begun while the store writes the one before.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

AT_ONCE = 2
"""Works: while the store is busy with one, the next is made ready for it."""


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


async def each_of(items: AsyncIterator[T], work: Callable[[T], Awaitable[None]]) -> None:
    """`work` on all the items, on AT_ONCE of them at a time. When this ends, whatever was begun has
    ended; after a failure, which is raised, nothing is begun."""
    under_way: deque[asyncio.Future[None]] = deque()
    try:
        async for item in items:
            under_way.append(asyncio.ensure_future(work(item)))
            if len(under_way) == AT_ONCE:
                await under_way.popleft()
        while under_way:
            await under_way.popleft()
    finally:
        await asyncio.gather(*under_way, return_exceptions=True)
