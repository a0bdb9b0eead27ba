"""What a reservation is in OCPI's Sessions and CDRs: the `Billing` that reservations are told to.

A reservation is a Session of status RESERVATION from the start (mod_sessions, 9.1.4); when nobody
charges on it, it ends as COMPLETED, with a CDR if the tariff asks for its price.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crud.charging_sessions import Rules, end_reservation, open_reservation
from crud.unannounced_sessions import place_of
from db_interface.database import Session
from db_interface.interface import DbInterface

_COMMAND = "COMMAND"
_EXPIRED = "EXPIRED"


class SessionBilling:
    """crud.reservations.Billing on the charging sessions; `_id` of a reservation is its key."""

    def __init__(self, store: DbInterface, rules: Rules = Rules()) -> None:
        self._store = store
        self._rules = rules

    async def reserved(
        self, reservation: Mapping[str, Any], now: datetime, session: Session
    ) -> str | None:
        """It was made, or replaced; the id of its Session. Raises NotEnough for a charge point
        without a location."""
        location, evse, connector = await place_of(
            self._store, reservation["cp_id"], reservation.get("connector_id"), session
        )
        return await open_reservation(
            self._store,
            charge_point={"_id": reservation["cp_id"]},
            location=location,
            evse=evse,
            connector=connector,
            token=reservation["token"],
            auth_method=_COMMAND,
            authorization_reference=reservation.get("authorization_reference"),
            reservation_id=reservation["_id"],
            peer_id=reservation.get("peer_id"),
            now=now,
            session=session,
            rules=self._rules,
        )

    async def ended(self, reservation: Mapping[str, Any], now: datetime, session: Session) -> None:
        """It expired or was canceled without a charge."""
        await end_reservation(
            self._store,
            reservation["_id"],
            expired=reservation["status"] == _EXPIRED,
            now=now,
            session=session,
            rules=self._rules,
        )
