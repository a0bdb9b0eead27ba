"""What a command names (location, EVSE, connector, session), found as far as the asker may see.

What is not there and what the asker may not see get the same answer. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.owned_objects import fold
from db_interface.transaction import Tx, mongo_session
from domain.charge_points import charge_points
from domain.errors import InvalidParameters, UnknownLocationInCommand
from domain.objects.locations import connector_of, evse_of
from domain.reservations import reservations
from domain.reservations.reservations import admits
from domain.sites.identifiers import ocpi_id
from domain.visibility import Reader, audiences

Document = dict[str, Any]

REMOVED = "REMOVED"
CONNECTOR_REQUIRED = "START_SESSION_CONNECTOR_REQUIRED"
OUT_OF_USE = ("INOPERATIVE", "OUTOFORDER")


@dataclass(frozen=True)
class Place:
    """An EVSE with its charge point, and who holds it.

    `charge_point` is None for one that Central never heard of; `cp_id` for an EVSE that no
    charge point of ours stands for (a location that was imported).
    """

    location: Mapping[str, Any]
    evse: Mapping[str, Any]
    cp_id: str | None
    charge_point: charge_points.ChargePoint | None
    reservation: Document | None

    @property
    def status(self) -> str:
        return (self.charge_point or {}).get("ocpi_status") or "UNKNOWN"

    def can(self, capability: str) -> bool:
        return self.cp_id is not None and capability in self.evse.get("capabilities", ())

    def held_against(self, token: Mapping[str, Any]) -> bool:
        return self.reservation is not None and not admits(self.reservation, token)

    def connector(self, connector_id: str | None) -> Document:
        """The connector of that id, or the first where none is named.

        Raises UnknownLocationInCommand, InvalidParameters.
        """
        if connector_id is None:
            if CONNECTOR_REQUIRED in self.evse.get("capabilities", ()):
                raise InvalidParameters("connector_id: is required at this EVSE")
            return self.evse["connectors"][0]
        found = connector_of(self.evse, connector_id)
        if found is None:
            raise UnknownLocationInCommand("Unknown Connector")
        return found


async def location_of(
    store: DbInterface, location_id: str, reader: Reader, owners: Sequence[str] | None
) -> Document:
    """Raises UnknownLocationInCommand."""
    raw = await store.objects("locations").read(location_id, audiences("locations", reader), owners)
    if raw is None:
        raise UnknownLocationInCommand
    return orjson.loads(raw)


async def places_of(
    db: Database,
    location: Mapping[str, Any],
    evse_uid: str | None,
    now: datetime,
    tx: Tx | None = None,
) -> list[Place]:
    """The EVSE of that uid, or all of the location. Raises UnknownLocationInCommand."""
    evses = location.get("evses", [])
    if evse_uid is not None:
        named = evse_of(location, evse_uid)
        evses = [] if named is None else [named]
    present = [evse for evse in evses if evse["status"] != REMOVED]
    if not present:
        raise UnknownLocationInCommand("Unknown EVSE" if evse_uid else "No EVSE at this Location")
    return [await _place(db, location, evse, now, tx) for evse in present]


async def place_of(
    store: DbInterface, evse_uid: str, now: datetime, tx: Tx | None = None
) -> Place | None:
    """The EVSE of that uid at whichever location of ours, for inner use; None: gone."""
    found = await store.db["locations"].find_one(
        {"links.evse": evse_uid.lower()}, {"raw": 1}, session=mongo_session(tx)
    )
    if found is None:
        return None
    location = orjson.loads(found["raw"])
    evse = evse_of(location, evse_uid)
    return None if evse is None else await _place(store.db, location, evse, now, tx)


async def running_session_of(
    store: DbInterface, session_id: str, reader: Reader, owners: Sequence[str] | None
) -> tuple[Document | None, Document | None]:
    """(the OCPI Session, its inner document) that the reader may see; None for what is not there.

    A session of another party is not there.
    """
    raw = await store.objects("sessions").read(session_id, audiences("sessions", reader), owners)
    if raw is None:
        return None, None
    shown = orjson.loads(raw)
    return shown, await store.db["charging_sessions"].find_one({"_id": shown["id"]})


async def _place(
    db: Database,
    location: Mapping[str, Any],
    evse: Mapping[str, Any],
    now: datetime,
    tx: Tx | None,
) -> Place:
    cp_id = await _cp_id(db, location["id"], evse["uid"], tx)
    if cp_id is None:
        return Place(location, evse, None, None, None)
    return Place(
        location,
        evse,
        cp_id,
        await charge_points.get(tx or db, cp_id),
        await reservations.at_charge_point(db, cp_id, now, tx),
    )


async def _cp_id(db: Database, location_id: str, uid: str, tx: Tx | None) -> str | None:
    """An EVSE's uid is its cp_id; one that OCPI could not carry is found among its site's."""
    cp_id = await charge_points.canonical_id(tx or db, uid)
    if cp_id is not None:
        return cp_id
    found = db["registrations"].find(
        {"site_id": fold(location_id)}, {"_id": 1}, session=mongo_session(tx)
    )
    ids = [row["_id"] for row in await found.to_list(None)]
    return next((one for one in ids if ocpi_id(one).lower() == uid.lower()), None)
