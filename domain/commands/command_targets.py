"""What a command names (location, EVSE, connector, session), found as far as the asker may see.

What is not there and what the asker may not see get the same answer. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from db_interface.collection import Where
from db_interface.interface import DbInterface
from db_interface.owned_objects import party_key
from domain.charge_points.charge_point_documents import ChargePoint
from domain.charge_points.evse_ids import charge_point_ids, states_of
from domain.errors import InvalidParameters, UnknownLocationInCommand
from domain.objects import OcpiObject
from domain.objects.locations import connector_of, evse_of, location_with_evse
from domain.rendered import Rendered
from domain.reservations.reservations import Reservation, admits, at_charge_points
from domain.sessions import session_records
from domain.sessions.session_document import ChargingSession
from domain.visibility import Reader, audiences, may_see, required

REMOVED = "REMOVED"
CONNECTOR_REQUIRED = "START_SESSION_CONNECTOR_REQUIRED"
OUT_OF_USE = ("INOPERATIVE", "OUTOFORDER")


@dataclass(frozen=True)
class Place:
    """An EVSE with its charge point, and who holds it.

    `charge_point` is None for one that Central never heard of; `cp_id` for an EVSE that no
    charge point of ours stands for (a location that was imported).
    """

    location: OcpiObject
    evse: OcpiObject
    cp_id: str | None
    charge_point: ChargePoint | None
    reservation: Reservation | None

    @property
    def status(self) -> str:
        return (self.charge_point or {}).get("ocpi_status") or "UNKNOWN"

    def can(self, capability: str) -> bool:
        return self.cp_id is not None and capability in self.evse.get("capabilities", ())

    def held_against(self, token: OcpiObject) -> bool:
        return self.reservation is not None and not admits(self.reservation, token)

    def connector(self, connector_id: str | None) -> OcpiObject:
        """The connector of that id, or the first where none is named.

        Raises UnknownLocationInCommand, InvalidParameters.
        """
        if connector_id is None:
            if CONNECTOR_REQUIRED in self.evse.get("capabilities", ()):
                raise InvalidParameters("connector_id: is required at this EVSE")
            first: OcpiObject = self.evse["connectors"][0]
            return first
        found = connector_of(self.evse, connector_id)
        if found is None:
            raise UnknownLocationInCommand("Unknown Connector")
        return found


async def location_of(
    store: DbInterface, location_id: str, reader: Reader, owners: Sequence[str] | None
) -> OcpiObject:
    """Raises UnknownLocationInCommand."""
    raw = await store.objects("locations").read(
        location_id, audiences("locations", reader), owners, required("locations", reader)
    )
    if raw is None:
        raise UnknownLocationInCommand
    return Rendered(raw).plain()


async def places_of(where: Where, location: OcpiObject, evse_uid: str | None) -> list[Place]:
    """The EVSE of that uid, or all of the location. Raises UnknownLocationInCommand."""
    evses = location.get("evses", [])
    if evse_uid is not None:
        named = evse_of(location, evse_uid)
        evses = [] if named is None else [named]
    present = [evse for evse in evses if evse["status"] != REMOVED]
    if not present:
        raise UnknownLocationInCommand("Unknown EVSE" if evse_uid else "No EVSE at this Location")
    return await _places(where, location, present)


async def place_of(where: Where, evse_uid: str) -> Place | None:
    """The EVSE of that uid at whichever location of ours, for inner use; None: gone."""
    location = await location_with_evse(where, evse_uid)
    evse = None if location is None else evse_of(location, evse_uid)
    if location is None or evse is None:
        return None
    [place] = await _places(where, location, [evse])
    return place


async def running_session_of(
    store: DbInterface, session_id: str, reader: Reader, owners: Sequence[str] | None
) -> tuple[OcpiObject | None, ChargingSession | None]:
    """(the OCPI Session, its inner document) that the reader may see; None for what is not there.

    A session of another party is not there.
    """
    raw = await store.objects("sessions").read(session_id, audiences("sessions", reader), owners)
    if raw is None:
        return None, None
    shown = Rendered(raw).plain()
    return shown, await session_records.get(store.db, shown["id"])


async def plugged_in_by_another(
    where: Where, place: Place, connector_id: str, reader: Reader
) -> bool:
    """Whether the session at the connector, or the latest one whose car still stands there, is
    not for the reader's eyes."""
    if place.cp_id is None:
        return False
    latest = await session_records.running_session(where, place.cp_id, connector_id)
    if latest is None and place.status == "BLOCKED":
        latest = await session_records.latest_session(where, place.cp_id, connector_id)
    if latest is None:
        return False
    token = latest["token"]
    audience = latest.get("audience") or party_key(token["country_code"], token["party_id"])
    return not may_see("sessions", reader, audience)


async def _places(where: Where, location: OcpiObject, evses: Sequence[OcpiObject]) -> list[Place]:
    """Three queries, however many EVSEs there are."""
    cp_ids = await charge_point_ids(where, location, [evse["uid"] for evse in evses])
    known = list(cp_ids.values())
    states = await states_of(where, known)
    held = await at_charge_points(where, known)
    places = []
    for evse in evses:
        cp_id = cp_ids.get(evse["uid"])
        if cp_id is None:
            places.append(Place(location, evse, None, None, None))
        else:
            places.append(Place(location, evse, cp_id, states.get(cp_id), held.get(cp_id)))
    return places
