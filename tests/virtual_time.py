"""An event loop whose time passes only while nobody has anything to do, and then at once.

What waits for ten seconds has waited for ten seconds, however slow the host, and the test for none.
It knows no threads and no sockets: whoever waits for those waits for ever.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _NoWaiting(selectors.SelectSelector):
    """Instead of waiting until the next timer, says how long that would have been."""

    def __init__(self) -> None:
        super().__init__()
        self.waited_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everybody waits for something that cannot come"
        self.waited_s += max(timeout, 0.0)
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._selector_of_ours = _NoWaiting()
        super().__init__(self._selector_of_ours)

    def time(self) -> float:
        return self._selector_of_ours.waited_s


def in_virtual_time(work: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """What comes out of it, and the seconds that were waited for it."""
    loop = VirtualTimeLoop()
    try:
        return loop.run_until_complete(work), loop.time()
    finally:
        loop.close()
