"""How figures are taken: one part of a set after another, many at once, the slowest of many."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import statistics
import sys
import time
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any

import httpx

from cpo_app.quick_imports import YOUNG_OBJECTS
from db_interface.database import STORE_ERRORS

AT_ONCE = 32
_NOT_DONE: tuple[type[Exception], ...] = (
    RuntimeError,
    asyncio.TimeoutError,
    OSError,
    httpx.HTTPError,
    *STORE_ERRORS,
)


async def told(what: str, figures: Coroutine[Any, Any, dict[str, float]]) -> dict[str, float]:
    """A part of it, and how long it takes: the whole takes minutes. A part that cannot be done
    is said, and is no reason to know nothing of the others."""
    began, said = time.monotonic(), ""
    found: dict[str, float] = {}
    try:
        found = await figures
    except _NOT_DONE as error:
        said = f", and not done: {str(error) or type(error).__name__}"
    print(f"  {what}: {time.monotonic() - began:.0f} s{said}", file=sys.stderr)
    return found


async def each(work: Sequence[Coroutine[Any, Any, None]], at_once: int = AT_ONCE) -> float:
    """Seconds until all is done, so much at once."""
    left = iter(work)

    async def one_after_another() -> None:
        for one in left:
            await one

    began = time.perf_counter()
    await asyncio.gather(*(one_after_another() for _ in range(at_once)))
    return time.perf_counter() - began


def p99(values: Sequence[float]) -> float:
    cuts = statistics.quantiles(values, n=100)
    return cuts[98]


@contextlib.contextmanager
def passed_over() -> Iterator[None]:
    """While the block runs the garbage collector passes over all that there is already, and comes
    as seldom as in a server. Five thousand simulated charge points take it most of a second to look
    through: in that time nobody is served by whoever measures, and what comes late is not the
    servers' doing."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
