"""A card at a simulated OCPP charge point: the central system decides, or the local list.

A card always stops its own session, also without a central system: nobody must be unable to end a
charge.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable

from cpo_app.charge_point.evse import Result
from cpo_app.charge_point.ocpp.dialect import Decision
from cpo_app.charge_point.ocpp.station import Place, Station
from db_interface.json_data import JsonObject

Ask = Callable[[str], Awaitable[Decision | None]]


class CardReader:
    """`ask` gives the central system's decision; None: it is away."""

    def __init__(self, station: Station, place: Place, ask: Ask) -> None:
        self._station = station
        self._place = place
        self._ask = ask

    async def swipe(self, token_uid: str) -> JsonObject:
        """{action: start|stop|none, allowed, session_id?, result?}; `allowed` in OCPP's words, or
        Offline."""
        if self._is_own(token_uid):
            return self._stop(token_uid, "Accepted")
        decision = await self._decision(token_uid)
        if decision is None:
            return {"action": "none", "allowed": "Offline"}
        if not decision.accepted:
            return {"action": "none", "allowed": decision.status}
        # Asking took a while: what is there now counts.
        session = self._place.evse.session
        if session is not None:
            group = self._place.facts.get("group")
            if decision.group is not None and decision.group == group:
                return self._stop(token_uid, decision.status)
            return {"action": "none", "allowed": decision.status, "result": "OCCUPIED"}
        return self._start(token_uid, decision)

    def _is_own(self, uid: str) -> bool:
        session = self._place.evse.session
        return session is not None and session.belongs_to(uid)

    async def _decision(self, uid: str) -> Decision | None:
        decision = await self._ask(uid)
        if decision is not None:
            return decision
        configuration, now = self._station.configuration, self._station.clock.now()
        if configuration.flag("LocalAuthListEnabled") and configuration.flag(
            "LocalAuthorizeOffline"
        ):
            entry = self._station.local_list.says(uid, now)
            if entry is not None:
                return Decision(entry.status, entry.group)
        unknown_may = configuration.flag("AllowOfflineTxForUnknownId")
        return Decision("Accepted") if unknown_may else None

    def _stop(self, uid: str, allowed: str) -> JsonObject:
        session = self._place.evse.session
        assert session is not None  # noqa: S101 (both callers have just looked)
        self._place.facts["stopped_by"] = uid
        result = self._place.evse.stop(session.session_id, "local")
        self._station.keep()
        return {
            "action": "stop",
            "allowed": allowed,
            "session_id": session.session_id,
            "result": result.value,
        }

    def _start(self, uid: str, decision: Decision) -> JsonObject:
        session_id = str(uuid.uuid4())
        result = self._station.start(self._place, session_id, "local", uid, decision.group)
        self._station.keep()
        outcome: JsonObject = {"action": "start", "allowed": decision.status}
        if result is Result.ACCEPTED:
            outcome["session_id"] = session_id
        return {**outcome, "result": result.value}
