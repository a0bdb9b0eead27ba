"""Tells charge points to stop what must not charge: starts that were undone.

In rounds of its own, side by side and bounded: a charge point that hangs delays its own stop, and
nothing else. One that failed is left alone for a while, longer each time. Runs in every worker;
being told twice is harmless, for the command bears the session's id.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from cpo_app.central.link.link import LinkUnreachable
from cpo_app.central.service import Central
from db_interface.backoff import Backoff
from db_interface.database import STORE_ERRORS
from domain.rounds import Rounds
from domain.sessions.session_document import ChargingSession
from domain.sessions.session_records import stop_was_told, to_be_stopped
from domain.trouble_backoff import TroubleBackoff

logger = logging.getLogger("cpo.central")

PAUSE_S = 2.0
SIDE_BY_SIDE = 32
STOP_TIMEOUT_S = 5.0
AGAIN = Backoff(first_s=4.0, max_s=120.0)


class SessionStopper:
    def __init__(self, central: Central, *, pause_s: float = PAUSE_S) -> None:
        self._central = central
        self._db = central.store.db
        self._troubled = TroubleBackoff(AGAIN, central.uptime)
        self._busy: dict[str, asyncio.Task[None]] = {}
        self.rounds = Rounds("session stopper", self.round, pause_s, logger=logger)

    async def round(self) -> None:
        """Begin as many stops as there is room for; they go on beside the caller."""
        room = SIDE_BY_SIDE - len(self._busy)
        if room <= 0:
            return
        left_alone = [*self._busy, *self._troubled.names()]
        for row in await to_be_stopped(self._db, room, left_alone):
            cp_id = row["cp_id"]
            if cp_id in self._busy:
                continue  # one question at a time to each
            task = asyncio.create_task(self._stop(row), name=f"stop {row['_id']}")
            self._busy[cp_id] = task
            task.add_done_callback(partial(self._asked, cp_id))

    def _asked(self, cp_id: str, _: asyncio.Task[None]) -> None:
        self._busy.pop(cp_id, None)

    async def settled(self) -> None:
        """Return when no charge point is being asked any more."""
        await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def stop(self) -> None:
        """Break off what is under way."""
        await self.rounds.stop()
        for task in list(self._busy.values()):
            task.cancel()
        await self.settled()

    async def _stop(self, row: ChargingSession) -> None:
        cp_id, session_id = row["cp_id"], row["_id"]
        try:
            await self._central.link.stop(
                cp_id, f"stop-{session_id}", session_id=session_id, timeout_s=STOP_TIMEOUT_S
            )
            await stop_was_told(self._db, session_id)
            self._troubled.well(cp_id)
        except LinkUnreachable as error:
            self._troubled.failed(cp_id)
            logger.warning("session %s cannot be stopped yet: %s", session_id, error)
        except STORE_ERRORS as error:
            logger.warning("session %s: waiting for the store: %s", session_id, error)
        except Exception:  # nobody awaits this task: its error would be lost
            self._troubled.failed(cp_id)
            logger.exception("session %s cannot be stopped", session_id)
