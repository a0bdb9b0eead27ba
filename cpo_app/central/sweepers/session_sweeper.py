"""Finds the sessions of which nothing is heard any more. Silence ends none of them.

- PENDING for longer than CENTRAL_PENDING_TIMEOUT_S, or running with nothing heard of it for
  CENTRAL_SWEEP_AFTER_S, whatever else its charge point says: suspect.
- Suspect for CENTRAL_ESTIMATE_AFTER_DAYS: closed on what was measured, as an estimate.

Runs in every worker: each session is looked at again inside the transaction that changes it, so
who comes first changes it and the others find nothing to do. Like the watch it blames nobody for
a silence of our own: it changes nothing before it has listened for as long itself. It calls no
charge point (session_stopper does), and a session that cannot be dealt with keeps no other
waiting.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial

from cpo_app.central.service import Central
from db_interface.backoff import Backoff
from db_interface.database import STORE_ERRORS
from db_interface.transaction import Tx
from domain.rounds import Listening, Rounds
from domain.sessions.charging_sessions import ChargingSession, get
from domain.sessions.session_doubts import fell_silent, give_up
from domain.sessions.session_records import quiet_for, suspect_for
from domain.sessions.session_rules import Rules
from domain.trouble_backoff import TroubleBackoff

logger = logging.getLogger("cpo.central")

PAUSE_S = 2.0
MAX_AT_ONCE = 100
ASLEEP_AFTER_S = 30.0
"""Asleep for longer than this: nobody was listening in between."""
AGAIN = Backoff(first_s=10.0, max_s=600.0)
"""A session that could not be dealt with."""

NEVER_BEGAN = "it did not begin in time"
VANISHED = "nothing is heard of it any more"


class Sweeper:
    def __init__(self, central: Central, rules: Rules, *, pause_s: float = PAUSE_S) -> None:
        settings = central.settings
        self._store = central.store
        self._rules = rules
        self._pending = timedelta(seconds=settings.CENTRAL_PENDING_TIMEOUT_S)
        self._silent = timedelta(seconds=settings.CENTRAL_SWEEP_AFTER_S)
        self._given_up = timedelta(days=settings.CENTRAL_ESTIMATE_AFTER_DAYS)
        self._listening = Listening(ASLEEP_AFTER_S, central.uptime)
        self._troubled = TroubleBackoff(AGAIN, central.uptime)
        self.rounds = Rounds(
            "session sweeper", self.round, pause_s, logger=logger, listening=self._listening
        )

    async def round(self) -> list[str]:
        """Change what is to be changed now; the ids of those sessions."""
        listened = timedelta(seconds=self._listening.awake())
        db, swept = self._store.db, []
        shortest = min(self._pending, self._silent)
        if listened >= shortest:
            quiet = await quiet_for(db, shortest, MAX_AT_ONCE, self._troubled.names())
            swept += await self._each(quiet, lambda one, tx: self._listen_for(tx, one, listened))
        if listened >= self._silent:
            lost = await suspect_for(db, self._given_up, MAX_AT_ONCE, self._troubled.names())
            swept += await self._each(lost, lambda one, tx: give_up(tx, one, self._rules))
        return swept

    async def _each(
        self, session_ids: Sequence[str], change: Callable[[str, Tx], Awaitable[bool]]
    ) -> list[str]:
        """Those that were changed, each in a transaction of its own."""
        changed = []
        for session_id in session_ids:
            try:
                if await self._store.transact(partial(change, session_id)):
                    changed.append(session_id)
                self._troubled.well(session_id)
            except STORE_ERRORS:
                raise
            except Exception:  # the sessions behind it are nobody's hostages
                logger.exception("session %s could not be swept", session_id)
                self._troubled.failed(session_id)
        return changed

    async def _listen_for(self, tx: Tx, session_id: str, listened: timedelta) -> bool:
        document = await get(tx, session_id)
        if document is None or not document["running"]:
            return False
        began = document["started"] is not None
        limit = self._silent if began else self._pending
        if listened < limit or not _quiet(document, tx, limit):
            return False
        return await fell_silent(tx, session_id, VANISHED if began else NEVER_BEGAN)


def _quiet(document: ChargingSession, tx: Tx, limit: timedelta) -> bool:
    return tx.now - document["last_heard"] >= limit
