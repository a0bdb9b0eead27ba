"""Meter values of running sessions with which nothing turns: of many sessions in one go.

Most readings only move a session's energy on. As long as no price component begins or ends and no
doubt arises, what follows is a change of the session's own document and, now and then, of its
Session. Whatever is more than that goes through charging_sessions.meter_reading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from db_interface.bulk import update_each
from db_interface.transaction import Tx
from domain.counters import ENERGY_WH
from domain.sessions.charging_sessions import quiet_reading
from domain.sessions.power_samples import is_early
from domain.sessions.session_document import ChargingSession
from domain.sessions.session_records import (
    SESSIONS,
    can_wait,
    change_of,
    grown_by_wh,
    is_due,
    is_shown,
    publish_grown,
    sampled,
)
from domain.sessions.session_rules import Rules
from domain.sessions.session_segments import Reading

MAX_PUBLISHED = 20
"""So many Sessions are published with the readings of one transaction, where the others can wait:
those that began together would be published together each time, and hold up everybody else."""


class QuietReadings:
    """The sessions of one transaction, as its readings have left them so far."""

    def __init__(self, tx: Tx, rules: Rules, sessions: Sequence[ChargingSession]) -> None:
        self._tx = tx
        self._rules = rules
        self._found: Mapping[str, ChargingSession] = {row["_id"]: row for row in sessions}
        self._changes: dict[str, ChargingSession] = {}

    @classmethod
    async def of(cls, tx: Tx, rules: Rules, session_ids: Sequence[str]) -> QuietReadings:
        found = await SESSIONS.of(tx).find({"_id": {"$in": list(session_ids)}})
        return cls(tx, rules, found)

    def power_bound_w(self, session_id: str) -> float | None:
        """What its connector can give, where that is known."""
        found = self._found.get(session_id)
        return None if found is None else found.get("power_bound_w")

    def take(
        self,
        cp_id: str,
        readings: Sequence[tuple[str, Reading, float | None, float | None]],
    ) -> bool:
        """(session id, reading, register_wh, soc) in order, of one charge point. False: something
        turns with one of them, and none is taken."""
        taken: dict[str, ChargingSession] = {}
        for session_id, reading, register_wh, soc in readings:
            found = self._found.get(session_id)
            if found is None or found["cp_id"] != cp_id:
                return False
            known = taken.get(session_id) or self._changes.get(session_id) or {}
            changes = quiet_reading(
                self._tx,
                {**found, **known},
                reading,
                register_wh=register_wh,
                soc=soc,
                rules=self._rules,
            )
            if changes is None:
                return False
            taken[session_id] = {**known, **changes}
        self._changes.update(taken)
        return True

    async def write(self) -> None:
        """Keep what was taken, and publish those Sessions whose last publication is long ago."""
        grown_wh = sum(
            grown_by_wh(self._found[id_], changes) for id_, changes in self._changes.items()
        )
        self._tx.once_committed(ENERGY_WH.inc, grown_wh)
        due = self._to_be_published()
        grown: list[ChargingSession] = [{**self._found[id_], **self._changes[id_]} for id_ in due]
        await publish_grown(self._tx, [session for session in grown if is_shown(session)])
        for id_ in due:
            self._changes[id_]["published_at"] = self._tx.now
        for id_, changes in self._changes.items():
            found = self._found[id_]
            if "published_at" in changes or is_early(found.get("samples", b"")):
                after: ChargingSession = {**found, **changes}
                changes.update(sampled(found, after))
        await update_each(
            SESSIONS.of(self._tx),
            [
                ({"_id": session_id}, change_of(self._found[session_id], changes))
                for session_id, changes in self._changes.items()
            ],
        )

    def _to_be_published(self) -> list[str]:
        """Whose last publication is long ago; of too many that can wait, who has waited longest."""
        due = [id_ for id_ in self._changes if is_due(self._tx, self._found[id_], self._rules)]
        if len(due) <= MAX_PUBLISHED:
            return due
        patient = [id_ for id_ in due if can_wait(self._tx, self._found[id_], self._rules)]
        patient.sort(key=lambda id_: self._found[id_]["published_at"])
        room = max(0, MAX_PUBLISHED - (len(due) - len(patient)))
        waiting = {*patient[room:]}
        return [id_ for id_ in due if id_ not in waiting]
