"""Holds the plans of sessions that charge CHEAP against what has become of them; makes them anew.

A car that draws less than was thought is let charge for longer, and one that has got what its
driver asked for is let charge no more. A charge point that took only a part of a plan, or of a
profile, for it holds no longer one, is told what follows before that part ends. Runs in every
worker; a plan that two of them look at is made anew twice to the same end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.rounds import Rounds
from domain.sessions import charging_plans, charging_profiles, session_records

logger = logging.getLogger("cpo.central")

PAUSE_S = 5.0
MAX_AT_ONCE = 100
WITHIN = timedelta(minutes=2)
"""Until then the charge point may obey a new plan; then there is another one."""


class PlanSweeper:
    """`wake` is called when a worker has something to ask."""

    def __init__(
        self, store: DbInterface, wake: Callable[[], None], *, pause_s: float = PAUSE_S
    ) -> None:
        self._store = store
        self._wake = wake
        self.rounds = Rounds("charging plans", self.round, pause_s, logger=logger)

    async def round(self) -> int:
        """Look at what is due; how many charge points are told something."""
        due = await charging_plans.due(self._store.db, MAX_AT_ONCE)
        anew = [row for row in due if await self._look(row["_id"])]
        for row in await charging_profiles.to_be_told(self._store.db, MAX_AT_ONCE):
            if await self._tell_more(row["_id"]):
                anew.append(row)
        if anew:
            self._wake()
        return len(anew)

    async def _tell_more(self, session_id: str) -> bool:
        return await self._store.transact(
            lambda tx: charging_profiles.tell_more(tx, session_id, WITHIN)
        )

    async def _look(self, session_id: str) -> bool:
        async def work(tx: Tx) -> bool:
            session = await session_records.get(tx, session_id)
            if session is None or "plan" not in session or session["plan"]["look_at"] > tx.now:
                return False
            plan = charging_plans.best_effort(session, tx.now) if session["running"] else None
            if plan is None:
                await charging_plans.over(tx, session_id)
                return False
            stands = charging_plans.is_the_same(session["plan"], plan, tx.now)
            if stands or "profile" in session:
                await charging_plans.look_again(tx, session_id, plan["look_at"])
                return False
            await charging_plans.look_again(tx, session_id, tx.now + WITHIN)
            await charging_plans.ask_for(tx, session, session["preferences"], plan, WITHIN)
            return True

        return await self._store.transact(work)
