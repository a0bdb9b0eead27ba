"""The OCPI Session of a reservation follows the reservation: opened with it, ended with it.

"A successful reservation will result in a new Session object" (mod_commands, ReserveNow); what
it costs is the session's business (charging_sessions). Implements reservations.Billing.
"""

from __future__ import annotations

from db_interface.transaction import Tx
from domain.commands.command_targets import place_of
from domain.reservations.reservations import Reservation, Status
from domain.sessions import charging_sessions
from domain.sessions.session_rules import Rules

COMMAND = "COMMAND"
"""OCPI's AuthMethod of what a peer's command authorized."""


class ReservationSessions:
    def __init__(self, rules: Rules = Rules()) -> None:
        self._rules = rules

    async def reserved(self, tx: Tx, reservation: Reservation) -> str | None:
        """The id of the Session; None where the EVSE is gone meanwhile."""
        place = await place_of(tx, reservation["evse_uid"])
        if place is None or place.cp_id is None or place.charge_point is None:
            return None
        return await charging_sessions.open_reservation(
            tx,
            cp_id=place.cp_id,
            location=place.location,
            evse=place.evse,
            connector=place.connector(reservation["connector_id"]),
            token=reservation["token"],
            auth_method=COMMAND,
            authorization_reference=reservation.get("authorization_reference"),
            reservation_id=reservation["_id"],
            peer_id=reservation["peer_id"],
            rules=self._rules,
        )

    async def ended(self, tx: Tx, reservation: Reservation) -> None:
        await charging_sessions.end_reservation(
            tx,
            reservation["_id"],
            expired=reservation["status"] == Status.EXPIRED.value,
            at=reservation["ended"],
            rules=self._rules,
        )
