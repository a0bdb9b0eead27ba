"""The OCPI Session of a reservation follows the reservation: opened with it, ended with it.

"A successful reservation will result in a new Session object" (mod_commands, ReserveNow); what
it costs is the session's business (charging_sessions). Implements reservations.Billing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.commands.command_targets import place_of
from domain.reservations.reservations import Status
from domain.sessions import charging_sessions
from domain.sessions.charging_sessions import Rules

COMMAND = "COMMAND"
"""OCPI's AuthMethod of what a peer's command authorized."""


class ReservationSessions:
    def __init__(self, store: DbInterface, rules: Rules = Rules()) -> None:
        self._store = store
        self._rules = rules

    async def reserved(self, reservation: Mapping[str, Any], now: datetime, tx: Tx) -> str | None:
        """The id of the Session; None where the EVSE is gone meanwhile."""
        place = await place_of(self._store, reservation["evse_uid"], now, tx)
        if place is None or place.charge_point is None:
            return None
        return await charging_sessions.open_reservation(
            self._store,
            charge_point=place.charge_point,
            location=place.location,
            evse=place.evse,
            connector=place.connector(reservation["connector_id"]),
            token=reservation["token"],
            auth_method=COMMAND,
            authorization_reference=reservation.get("authorization_reference"),
            reservation_id=reservation["_id"],
            now=now,
            tx=tx,
            peer_id=reservation["peer_id"],
            rules=self._rules,
        )

    async def ended(self, reservation: Mapping[str, Any], now: datetime, tx: Tx) -> None:
        await charging_sessions.end_reservation(
            self._store,
            reservation["_id"],
            expired=reservation["status"] == Status.EXPIRED.value,
            at=reservation["ended"],
            now=now,
            tx=tx,
            rules=self._rules,
        )
