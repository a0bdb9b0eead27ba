"""How many charge points are in which status, for all who look at the same moment.

To count many means to pass over as many keys of an index, and each page asks for it whenever
something has changed: of a large fleet the figures are kept for a moment, and are counted once
however many look. A small one is counted as it is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from db_interface.database import Database
from domain.operator.charge_points import counts_and_never_seen

MANY = 2_000
KEPT_S = 2.0


class FleetCounts:
    """One per process."""

    def __init__(self, db: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._clock = clock
        self._kept: tuple[float, dict[str, int], int] | None = None
        self._lock = asyncio.Lock()

    async def now(self) -> tuple[dict[str, int], int]:
        """By OCPI status, and how many of those that are UNKNOWN have not come yet."""
        async with self._lock:  # whoever comes meanwhile gets what is counted now
            if self._kept is not None and self._clock() - self._kept[0] < KEPT_S:
                return self._kept[1], self._kept[2]
            counts, never_seen = await counts_and_never_seen(self._db)
            many = sum(counts.values()) > MANY
            self._kept = (self._clock(), counts, never_seen) if many else None
            return counts, never_seen
