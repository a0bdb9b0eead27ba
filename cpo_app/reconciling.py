"""Reconciliation in the background: registers every hour, peers' CDRs every night.

Runs in every worker; a lease in the store makes each pass one worker's.
"""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta

from cpo_app.ocpi.peer_services.cdr_reconciliation import CdrReconciliation
from cpo_app.settings import Settings
from db_interface.database import Database
from domain.reconciliation import reconciliation_jobs as jobs
from domain.reconciliation.cdr_arrivals import WRONG
from domain.reconciliation.register_findings import reconcile_registers
from domain.rounds import Rounds

logger = logging.getLogger("cpo.reconciliation")

PAUSE_S = 30.0


class Reconciling:
    """`rounds.start` and `rounds.stop` the background work."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        cdrs: CdrReconciliation,
        *,
        pause_s: float = PAUSE_S,
    ) -> None:
        self._db = db
        self._cdrs = cdrs
        self._settings = settings
        self._owner = uuid.uuid4().hex
        self.rounds = Rounds("reconciliation", self.round, pause_s, logger=logger)

    async def round(self) -> None:
        """Do what is due."""
        every_s = self._settings.CPO_RECONCILE_REGISTERS_S
        if every_s:
            await self._registers(timedelta(seconds=every_s))
        hour = self._settings.CPO_RECONCILE_CDRS_HOUR
        if hour >= 0:
            await self._peers_cdrs(hour)

    async def _registers(self, every: timedelta) -> None:
        db, now = self._db, self._db.now()
        if not await jobs.claim(db, "registers", self._owner, now):
            return
        since = now - timedelta(days=self._settings.CPO_RECONCILE_DAYS)
        report = await reconcile_registers(db, since, now)
        await jobs.finished(db, "registers", self._owner, now + every)
        if report.findings:
            logger.warning(
                "registers: %d of %d sessions do not add up; cpo reconcile registers says which",
                len(report.findings),
                report.sessions,
            )

    async def _peers_cdrs(self, hour: int) -> None:
        db, now = self._db, self._db.now()
        if not await jobs.claim(db, "cdrs", self._owner, jobs.next_hour(now, hour)):
            return
        since = now - timedelta(days=self._settings.CPO_RECONCILE_DAYS)
        results = await self._cdrs.all(since, now)
        await jobs.finished(db, "cdrs", self._owner, jobs.next_hour(now, hour))
        for result in results:
            if result.number(*WRONG):
                logger.warning(
                    "peer %s: of %d CDRs %d have to be looked at; cpo reconcile cdrs says which",
                    result.peer_id,
                    result.number(),
                    result.number(*WRONG),
                )
