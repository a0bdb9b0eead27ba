"""Notices the charge points whose monitor has fallen silent.

Runs in every worker: who comes first writes, and only if no heartbeat came in between (the
event names the deadline that it saw pass, and signs of life are looked at in its transaction). It
blames nobody for a silence of our own: after a start, an outage of the store or a suspended
process it listens for as long as a charge point may be silent before it counts that one as
missing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from cpo_app.central.heartbeats import Heartbeats
from db_interface.clocks import uptime_s
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.charge_points import charge_points
from domain.charge_points.charge_points import Applied
from domain.rounds import Listening, Rounds
from domain.sites import Party

logger = logging.getLogger("cpo.central")

PAUSE_S = 1.0
MAX_AT_ONCE = 1000
ASLEEP_AFTER_S = 15.0
"""Asleep for longer than this: nobody was listening in between."""


class Watch:
    def __init__(
        self,
        store: DbInterface,
        party: Party,
        heartbeats: Heartbeats,
        *,
        pause_s: float,
        uptime: Callable[[], float] = uptime_s,
    ) -> None:
        self._store = store
        self._party = party
        self._heartbeats = heartbeats
        self._listening = Listening(ASLEEP_AFTER_S, uptime)
        self.rounds = Rounds("watch", self.round, pause_s, logger=logger, listening=self._listening)

    async def round(self) -> int:
        """Mark those that are silent for too long now; how many were."""
        now, watched_s = self._store.db.now(), self._listening.awake()
        await self._heartbeats.write()  # what is known to this process counts, too
        db = self._store.db
        rows, more = await charge_points.unheard(db, now, watched_s, MAX_AT_ONCE)
        if more:
            self.rounds.within(0)
        silent = [cp_id for cp_id, due in rows if await self._mark(cp_id, due)]
        return len(silent)

    async def _mark(self, cp_id: str, due: datetime) -> bool:
        async def work(tx: Tx) -> Applied | None:
            return await charge_points.missed(tx, self._party, cp_id, due)

        applied = await self._store.transact(work)
        if applied is None or not applied.status_changed:
            return False
        logger.warning("CP %s: monitor silent", cp_id)
        return True
