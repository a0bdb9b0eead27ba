"""Retention in the background, every night: what was kept for as long as the settings say goes.

Runs in every worker; a lease in the store makes each pass one worker's.
"""

from __future__ import annotations

import logging
import uuid

from cpo_app.settings import Settings
from db_interface.database import Database
from domain.reconciliation import reconciliation_jobs as jobs
from domain.retention.retention import Keep, forget
from domain.rounds import Rounds

logger = logging.getLogger("cpo.retention")

JOB = "retention"
AT_HOUR = 2
"""UTC: before the night's reconciliation."""
PAUSE_S = 60.0


class Forgetting:
    """`rounds.start` and `rounds.stop` the background work."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._keep = Keep(
            status_changes=settings.CPO_KEEP_STATUS_HISTORY_DAYS,
            session_details=settings.CPO_KEEP_SESSION_DETAILS_DAYS,
            reservations=settings.CPO_KEEP_RESERVATIONS_DAYS,
            commands=settings.CPO_KEEP_COMMANDS_DAYS,
            tokens=settings.CPO_KEEP_TOKENS_DAYS,
            cards=settings.CPO_KEEP_CARDS_DAYS,
        )
        self._owner = uuid.uuid4().hex
        self.rounds = Rounds("retention", self.round, PAUSE_S, logger=logger)

    async def round(self) -> None:
        """Do what is due."""
        db, now = self._db, self._db.now()
        if not await jobs.claim(db, JOB, self._owner, jobs.next_hour(now, AT_HOUR)):
            return
        gone = await forget(db, self._keep)
        await jobs.finished(db, JOB, self._owner, jobs.next_hour(now, AT_HOUR))
        if gone.any:
            logger.info(
                "kept for long enough: %d changes of status, the details of %d sessions, %d "
                "reservations, %d commands, %d tokens and the cards in %d sessions are gone",
                gone.status_changes,
                gone.session_details,
                gone.reservations,
                gone.commands,
                gone.tokens,
                gone.cards,
            )
