"""Heartbeats: those that change something at once, in a transaction; the others many at a time.

What a heartbeat says is held against the charge point's document as it stands in the store, so
that it is news in every worker or in none. One that says no more than that the monitor lives is
kept in memory, and with all others of that second written as a sign of life. What a process that
dies takes with it is one second of them; a monitor is silent after several intervals.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from db_interface.database import STORE_ERRORS, Database
from db_interface.gathered import Gathered
from domain.charge_points import charge_point_documents, signs_of_life
from domain.charge_points.charge_point_documents import ChargePoint
from domain.charge_points.charge_point_events import Heartbeat
from domain.rounds import Rounds

logger = logging.getLogger("cpo.central")

WRITTEN_EVERY_S = 1.0
GATHERED_FOR_S = 0.2
"""A monitor does not mind when the answer comes."""
_COMPARED = (
    "presence",
    "heartbeat_due",
    "heartbeat_interval_s",
    "silence_s",
    "engine_state",
    "faults",
    "operative",
    "operative_told",
    "connectors.state",
)

Apply = Callable[[str, Heartbeat], Awaitable[ChargePoint]]
"""Let the heartbeat happen to the charge point, in a transaction; the charge point after it."""


class _Heard(NamedTuple):
    at: datetime
    heartbeat: Heartbeat | None
    """None: it was turned away unread."""


class Heartbeats:
    def __init__(self, db: Database, apply: Apply, *, gather_s: float = GATHERED_FOR_S) -> None:
        self._db = db
        self._apply = apply
        self._heard: dict[str, _Heard] = {}
        self._writing = asyncio.Lock()
        self._documents: Gathered[ChargePoint] = Gathered(db, self._known, gather_s)
        self.rounds = Rounds("heartbeats", self.write, WRITTEN_EVERY_S, logger=logger)

    async def take(self, cp_id: str, heartbeat: Heartbeat) -> ChargePoint:
        """The charge point after it (some of its fields)."""
        known = await self._documents.get(cp_id)
        if known is None or heartbeat.is_news(known):
            return await self._apply(cp_id, heartbeat)
        self._heard[known["_id"]] = _Heard(self._db.now(), heartbeat)
        return known

    def turned_away(self, cp_id: str) -> None:
        """Something of it had to be turned away unread: it lives."""
        before = self._heard.get(cp_id)
        heartbeat = None if before is None else before.heartbeat
        self._heard[cp_id] = _Heard(self._db.now(), heartbeat)

    async def write(self) -> None:
        """Write what was heard since the last time; returns when the store has it."""
        async with self._writing:
            heard, self._heard = self._heard, {}
            if not heard:
                return
            try:
                silent = await signs_of_life.keep(
                    self._db, {cp_id: one.at for cp_id, one in heard.items()}
                )
            except BaseException:
                self._heard = {**heard, **self._heard}
                raise
        for cp_id in silent:
            heartbeat = heard[cp_id].heartbeat
            if heartbeat is not None:
                await self._apply(cp_id, heartbeat)

    async def stop(self) -> None:
        """Write what is left, if the store is there."""
        await self.rounds.stop()
        with contextlib.suppress(*STORE_ERRORS), self._db.no_waiting():
            await self.write()

    async def _known(self, cp_ids: Sequence[str]) -> Mapping[str, ChargePoint]:
        found = await charge_point_documents.some(self._db, cp_ids, _COMPARED)
        return {row["_id"]: row for row in found}
