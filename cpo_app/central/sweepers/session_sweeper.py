"""Ends sessions of which nothing is heard any more, and stops charging that should be over.

- PENDING for longer than CENTRAL_PENDING_TIMEOUT_S: INVALID.
- Running, and nothing heard of it for CENTRAL_SWEEP_AFTER_S, with its charge point silent as long
  or reporting that it does not run: COMPLETED at its latest meter value, with its CDR.
- A charge point that goes on with a session that is over is told to stop.

Runs in every worker: each session is looked at again inside the transaction that ends it, so who
comes first ends it and the others find nothing to do. Like the watch it blames nobody for a
silence of our own: it ends nothing before it has listened for as long itself.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cpo_app.central.link.link import LinkUnreachable
from cpo_app.central.service import Central
from db_interface.transaction import Tx
from domain.charge_points import charge_points
from domain.charge_points.evse_states import IN_SESSION
from domain.rounds import Listening, Rounds
from domain.sessions.charging_sessions import ChargingSession, Rules, abandon, get
from domain.sessions.session_records import quiet_for, stop_was_told, to_be_stopped

logger = logging.getLogger("cpo.central")

PAUSE_S = 2.0
MAX_AT_ONCE = 100
ASLEEP_AFTER_S = 30.0
"""Asleep for longer than this: nobody was listening in between."""
_STOP_TIMEOUT_S = 5.0

NEVER_BEGAN = "it did not begin in time"
VANISHED = "its charge point was not heard of any more"
FORGOTTEN = "its charge point does not know it any more"


class Sweeper:
    def __init__(self, central: Central, rules: Rules, *, pause_s: float = PAUSE_S) -> None:
        self._central = central
        self._store = central.store
        self._rules = rules
        self._pending = timedelta(seconds=central.settings.CENTRAL_PENDING_TIMEOUT_S)
        self._silent = timedelta(seconds=central.settings.CENTRAL_SWEEP_AFTER_S)
        self._listening = Listening(ASLEEP_AFTER_S, central.uptime)
        self.rounds = Rounds(
            "session sweeper", self.round, pause_s, logger=logger, listening=self._listening
        )

    async def round(self) -> list[str]:
        """End what is to be ended now; the ids of those sessions."""
        listened = timedelta(seconds=self._listening.awake())
        await self._stop_what_is_over()
        shortest = min(self._pending, self._silent)
        if listened < shortest:
            return []
        quiet = await quiet_for(self._store.db, shortest, MAX_AT_ONCE)
        return [session_id for session_id in quiet if await self._end(session_id, listened)]

    async def _end(self, session_id: str, listened: timedelta) -> bool:
        async def work(tx: Tx) -> str | None:
            document = await get(tx, session_id)
            if document is None or not document["running"]:
                return None
            charge_point = await charge_points.get(tx, document["cp_id"])
            reason = self._reason(document, charge_point, tx.now, listened)
            if reason is not None:
                await abandon(tx, session_id, reason, self._rules)
            return reason

        reason = await self._store.transact(work)
        if reason is not None:
            logger.warning("session %s swept: %s", session_id, reason)
        return reason is not None

    def _reason(
        self,
        document: ChargingSession,
        charge_point: Mapping[str, Any] | None,
        now: datetime,
        listened: timedelta,
    ) -> str | None:
        """Why the session is to be ended now, or None."""
        quiet = now - document["last_heard"]
        if document["started"] is None:
            over = quiet >= self._pending and listened >= self._pending
            return NEVER_BEGAN if over else None
        if quiet < self._silent or listened < self._silent:
            return None
        last_seen = max(
            (
                at
                for at in ((charge_point or {}).get(n) for n in ("last_seen", "telemetry_at"))
                if at
            ),
            default=None,
        )
        if last_seen is None or now - last_seen >= self._silent:
            return VANISHED
        return FORGOTTEN if _does_not_run(document, charge_point or {}) else None

    async def _stop_what_is_over(self) -> None:
        """Tell charge points that go on with a session that has ended; asked again until heard."""
        for row in await to_be_stopped(self._store.db, MAX_AT_ONCE):
            try:
                await self._central.link.stop(
                    row["cp_id"],
                    f"stop-{row['_id']}",
                    session_id=row["_id"],
                    timeout_s=_STOP_TIMEOUT_S,
                )
            except LinkUnreachable as error:
                logger.warning("session %s cannot be stopped yet: %s", row["_id"], error)
                continue
            await stop_was_told(self._store.db, row["_id"])


def _does_not_run(document: ChargingSession, charge_point: Mapping[str, Any]) -> bool:
    """Whether the charge point has said, after the latest meter value, that it does not run."""
    for connector in charge_point.get("connectors", ()):
        if connector["id"] == document["connector_id"]:
            runs = connector["state"] in {state.value for state in IN_SESSION}
            named = connector.get("session_id")
            return connector["at"] > document["last_at"] and (
                named != document["_id"] if named else not runs
            )
    return False
