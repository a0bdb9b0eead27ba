"""How long this process's event loop lets others wait, counted for `/metrics`.

Whatever holds the loop (a large body, a garbage collection, code that blocks) holds up every
request, push and charge point of this process at once, and shows in none of their own figures. So
a timer goes off every INTERVAL_S, and what is counted is how late it came.
"""

from __future__ import annotations

import asyncio

from prometheus_client import Histogram

INTERVAL_S = 0.02
LONG_S = 0.05
"""Longer than that nothing of ours may hold the loop."""

LAG_S = Histogram(
    "cpo_event_loop_lag_seconds",
    "How late a timer of the process came that is due fifty times a second.",
    buckets=(0.005, 0.01, 0.025, LONG_S, 0.1, 0.25, 0.5, 1, 2.5),
)


class LoopLag:
    """One per process, from when it begins to serve."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Count from now on, in the running loop."""
        self._due(asyncio.get_running_loop())

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _due(self, loop: asyncio.AbstractEventLoop) -> None:
        due = loop.time() + INTERVAL_S
        self._timer = loop.call_at(due, self._came, loop, due)

    def _came(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        LAG_S.observe(max(0.0, loop.time() - due))
        self._due(loop)
