"""What goes first at Central: whatever changes a charge point's state goes before meter values.

Somebody waits for a status, a start, an end or a fault; a reading is as good a moment later,
and many of them cost hardly more than few. So readings begin when nothing pressing is in hand, but
never wait for longer than `at_most_s`: a busy fleet's sessions are metered all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

AT_MOST_S = 0.2


class Precedence:
    """One per process."""

    def __init__(self, at_most_s: float = AT_MOST_S) -> None:
        self._at_most_s = at_most_s
        self._pressing = 0
        self._waiting: set[asyncio.Future[None]] = set()

    @contextlib.contextmanager
    def pressing(self) -> Iterator[None]:
        """While something is done that others give way to."""
        self._pressing += 1
        try:
            yield
        finally:
            self._pressing -= 1
            if not self._pressing:
                for one in self._waiting:
                    if not one.done():
                        one.set_result(None)
                self._waiting.clear()

    @property
    def is_pressed(self) -> bool:
        """Whether anything pressing is in hand."""
        return self._pressing > 0

    @property
    def waiting(self) -> int:
        """How many give way now."""
        return len(self._waiting)

    async def give_way(self) -> None:
        """Return when nothing pressing is in hand, or it has been waited for long enough."""
        if not self._pressing:
            return
        free = asyncio.get_running_loop().create_future()
        self._waiting.add(free)
        try:
            await asyncio.wait([free], timeout=self._at_most_s)
        finally:
            self._waiting.discard(free)
