"""Notices the charge points whose monitor has fallen silent.

Runs in every worker: who comes first writes, and only if no heartbeat came in between (the
event names the deadline that it saw pass). It blames nobody for a silence of our own: after a
start, an outage of the store or a suspended process it listens for as long as a charge point
may be silent before it counts that one as missing. Hosts' clocks are to agree within a second
or so (NTP).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from db_interface.database import STORE_ERRORS
from db_interface.interface import DbInterface
from domain.charge_points import charge_points
from domain.charge_points.charge_point_events import Missed
from domain.sites import Party

logger = logging.getLogger("cpo.central")

PAUSE_S = 1.0
MAX_AT_ONCE = 200
ASLEEP_AFTER = timedelta(seconds=15)
"""Two rounds further apart than this: nobody was listening in between."""


class Watch:
    def __init__(
        self, store: DbInterface, party: Party, clock: Callable[[], datetime], *, pause_s: float
    ) -> None:
        self._store = store
        self._party = party
        self._clock = clock
        self._pause_s = pause_s
        self._since: datetime | None = None
        self._last_round: datetime | None = None

    async def run(self) -> None:
        """Watch until cancelled; an unreachable store is waited out."""
        while True:
            try:
                await self.round()
            except STORE_ERRORS as error:
                logger.warning("watch waits for the store: %s", type(error).__name__)
                self._since = None
            except Exception:  # the watch must not die of one bad charge point
                logger.exception("watch: a round failed")
            await asyncio.sleep(self._pause_s)

    async def round(self) -> int:
        """Mark those that are silent for too long now; how many were."""
        now = self._clock()
        if self._last_round is not None and now - self._last_round > ASLEEP_AFTER:
            self._since = None
        self._since = self._since or now
        self._last_round = now
        watched_s = (now - self._since).total_seconds()
        rows = await charge_points.overdue(self._store.db, now, watched_s, MAX_AT_ONCE)
        silent = [cp_id for cp_id, due in rows if await self._mark(cp_id, due, now)]
        return len(silent)

    async def _mark(self, cp_id: str, due: datetime, now: datetime) -> bool:
        applied = await self._store.transact(
            lambda tx: charge_points.apply(tx, self._party, cp_id, Missed(due))
        )
        if applied.status_changed:
            logger.warning("CP %s: monitor silent", cp_id)
        return applied.status_changed
