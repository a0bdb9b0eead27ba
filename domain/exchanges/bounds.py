"""Exchanges are kept for so many days, and no more than so many: the oldest go first, in small
parts. One process does it at a time."""

from __future__ import annotations

import asyncio
import logging
import uuid
from datetime import timedelta

from db_interface.database import Database
from domain.exchanges.exchange import EXCHANGES, first_id
from domain.reconciliation import reconciliation_jobs as jobs
from domain.rounds import Rounds

logger = logging.getLogger("cpo.exchanges")

JOB = "exchanges"
EVERY = timedelta(minutes=1)
PAUSE_S = 20.0
AT_ONCE = 500
BREATH_S = 0.02


class ExchangeBounds:
    """`rounds.start` and `rounds.stop` the background work. `days`, `most`: 0 is without end."""

    def __init__(self, db: Database, *, days: float, most: int) -> None:
        self._db = db
        self._days = days
        self._most = most
        self._owner = uuid.uuid4().hex
        self.rounds = Rounds("exchanges' bounds", self.round, PAUSE_S, logger=logger)

    async def round(self) -> None:
        """Do what is due."""
        db, now = self._db, self._db.now()
        if not await jobs.claim(db, JOB, self._owner, now):
            return
        await self.forget()
        await jobs.finished(db, JOB, self._owner, db.now() + EVERY)

    async def forget(self) -> int:
        """Delete what is too old, or too many; how many there were."""
        gone = await self._older() if self._days else 0
        return gone + (await self._beyond() if self._most else 0)

    async def _older(self) -> int:
        before = first_id(self._db.now() - timedelta(days=self._days))
        gone = 0
        while number := await self._delete_first({"$lt": before}, AT_ONCE):
            gone += number
        return gone

    async def _beyond(self) -> int:
        left = await EXCHANGES.of(self._db).estimated_count() - self._most
        gone = 0
        while left > 0 and (number := await self._delete_first({}, min(left, AT_ONCE))):
            gone, left = gone + number, left - number
        return gone

    async def _delete_first(self, ids: dict[str, str], number: int) -> int:
        documents = EXCHANGES.of(self._db)
        query = {"_id": ids} if ids else {}
        last = await documents.find(query, {"_id": 1}, sort=[("_id", 1)], limit=number)
        if not last:
            return 0
        gone = await documents.delete_many({"_id": {"$lte": last[-1]["_id"], **ids}})
        await asyncio.sleep(BREATH_S)
        return gone
