"""How far the published charge points are complete, as it was found lately: for pages, which must
not read all locations to say it.

It is worked out every ten minutes by one of all processes that give out open data, bit by bit, and
more seldom where there are so many locations that it would take more than a hundredth of a core.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypedDict

from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.open_data.completeness import completeness
from domain.reconciliation import reconciliation_jobs as jobs
from domain.rounds import Rounds

logger = logging.getLogger("cpo.open_data")

JOB = "completeness"
MAX_NAMED = 500
EVERY = timedelta(minutes=10)
RESTS = 19.0
"""A twentieth of a core, as long as it lasts: others are to be served meanwhile."""
PAUSE_FACTOR = 5
"""So many times as long as it took it is left alone: less than a hundredth of a core in all."""
PAUSE_S = 30.0


class Lacks(TypedDict):
    """A published EVSE and the requirements (afir.py) that it does not meet."""

    location: str
    evse_uid: str
    missing: Sequence[str]
    mend: Sequence[str]
    """metadata keys"""


class KeptCompleteness(TypedDict, total=False):
    """A document of `completeness`."""

    _id: str
    """the parties that were asked about"""
    at: datetime
    of: int
    complete: int
    lacking: Mapping[str, int]
    items: Sequence[Lacks]
    """the first MAX_NAMED"""


COMPLETENESS: Collection[KeptCompleteness] = Collection("completeness")


class LookingForGaps:
    """`rounds.start` and `rounds.stop` the background work; `owners`: folded keys of parties."""

    def __init__(self, store: DbInterface, owners: Sequence[str]) -> None:
        self._store = store
        self._owners = owners
        self._worker = uuid.uuid4().hex
        self.rounds = Rounds("completeness", self.round, PAUSE_S, logger=logger)

    async def round(self) -> None:
        """Do what is due."""
        db = self._store.db
        if not await jobs.claim(db, JOB, self._worker, db.now()):
            return
        begun = time.monotonic()
        await self.look()
        took = timedelta(seconds=time.monotonic() - begun)
        await jobs.finished(db, JOB, self._worker, db.now() + max(EVERY, PAUSE_FACTOR * took))

    async def look(self) -> None:
        """Work it out and keep it."""
        db = self._store.db
        found = await completeness(self._store, self._owners, MAX_NAMED, _rest)
        kept: KeptCompleteness = {
            "_id": _key(self._owners),
            "at": db.now(),
            "of": found.of,
            "complete": found.complete,
            "lacking": found.lacking,
            "items": [
                {
                    "location": one.location,
                    "evse_uid": one.evse_uid,
                    "missing": one.missing,
                    "mend": one.mend,
                }
                for one in found.items
            ],
        }
        await COMPLETENESS.of(db).replace_one({"_id": kept["_id"]}, kept, upsert=True)


async def kept_completeness(db: Database, owners: Sequence[str]) -> KeptCompleteness | None:
    """What was found last; None: nothing yet."""
    return await COMPLETENESS.of(db).find_one({"_id": _key(owners)})


async def number_incomplete(db: Database, owners: Sequence[str]) -> int:
    """How many published EVSEs lacked something when that was worked out last."""
    found = await COMPLETENESS.of(db).find_one({"_id": _key(owners)}, {"of": 1, "complete": 1})
    return 0 if found is None else found["of"] - found["complete"]


async def _rest(after_s: float) -> None:
    await asyncio.sleep(RESTS * after_s)


def _key(owners: Sequence[str]) -> str:
    return ",".join(sorted(owners))
