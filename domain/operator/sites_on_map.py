"""Where the sites are and how they fare, for a map: read seldom, however often it is looked at."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from db_interface.counters import COUNTS
from db_interface.database import Database
from db_interface.json_data import JsonMapping
from db_interface.owned_objects import OwnedObjects
from domain.charge_points.charge_point_documents import CHARGE_POINTS
from domain.charge_points.registration_records import REGISTERED
from domain.charge_points.registration_store import REGISTRATIONS
from domain.operator.charge_points import TROUBLE

MAX_SITES = 20_000
MAX_CHARGE_POINTS = 50_000
MAX_IN_TROUBLE = 20_000
PLACES_KEPT_S = 1800.0
"""Where nothing was added or taken away: sites do not move."""
MANY = 1000
MANY_KEPT_S = 60.0
"""So many are not read again sooner, also while some are added."""
STATES_KEPT_S = 10.0
_AT_ONCE = 500
"""Rows that are in memory at a time, as they come."""


@dataclass(frozen=True, slots=True)
class Place:
    """A location with its coordinates in degrees."""

    key: str
    id: str
    name: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Site:
    """`state`: the worst OCPI status that is trouble among its charge points, None: none is."""

    place: Place
    state: str | None
    in_trouble: int


class SitesOnMap:
    """One per process."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._places: Sequence[Place] = ()
        self._site_of: Mapping[str, str] = {}
        self._number = -1
        self._places_read = self._states_read = 0.0
        self._sites: Sequence[Site] = ()
        self._lock = asyncio.Lock()

    async def all(self) -> Sequence[Site]:
        """As they were a few seconds ago. Locations without coordinates are none."""
        async with self._lock:  # whoever comes meanwhile gets what is read now
            if time.monotonic() - self._states_read < STATES_KEPT_S and self._states_read:
                return self._sites
            await self._read_places()
            self._sites = await self._with_states()
            self._states_read = time.monotonic()
            return self._sites

    async def _read_places(self) -> None:
        locations = OwnedObjects(self._db, "locations").of(self._db)
        counts = await COUNTS.of(self._db).find({"module": "locations"}, {"n": 1})
        number = sum(row["n"] for row in counts)
        age_s = time.monotonic() - self._places_read
        kept_s = MANY_KEPT_S if len(self._places) > MANY else 0.0
        if self._places_read and age_s < (PLACES_KEPT_S if number == self._number else kept_s):
            return
        places: list[Place] = []
        async for location in locations.stream(
            {}, _SHOWN, sort=[("seq", 1)], limit=MAX_SITES, batch=_AT_ONCE
        ):
            place = _place(location["_id"], location["fields"])
            if place is not None:
                places.append(place)
        self._places = places
        registered = await REGISTRATIONS.of(self._db).find(
            {"status": REGISTERED}, {"ocpi.location_id": 1}, limit=MAX_CHARGE_POINTS
        )
        site_of: dict[str, str] = {}
        for row in registered:
            offer = row.get("ocpi")
            if offer is not None and offer["location_id"] is not None:
                site_of[row["_id"]] = offer["location_id"]
        self._site_of = site_of
        self._number, self._places_read = number, time.monotonic()

    async def _with_states(self) -> Sequence[Site]:
        rank = {status.value: nth for nth, status in enumerate(TROUBLE)}
        worst: dict[str, str] = {}
        numbers: dict[str, int] = {}
        for row in await CHARGE_POINTS.of(self._db).find(
            {"ocpi_status": {"$in": list(rank)}},
            {"ocpi_status": 1},
            limit=MAX_IN_TROUBLE,
        ):
            site, status = self._site_of.get(row["_id"]), row["ocpi_status"]
            if site is None:
                continue
            numbers[site] = numbers.get(site, 0) + 1
            if site not in worst or rank[status] < rank[worst[site]]:
                worst[site] = status
        return [
            Site(place, worst.get(place.id), numbers.get(place.id, 0)) for place in self._places
        ]


def _place(key: str, fields: JsonMapping) -> Place | None:
    at = fields.get("coordinates") or {}
    try:
        latitude, longitude = float(at["latitude"]), float(at["longitude"])
    except (KeyError, TypeError, ValueError):
        return None
    name = fields.get("name") or fields.get("address") or fields["id"]
    city = fields.get("city")
    if city and city not in name:
        name = f"{name}, {city}"
    return Place(key, fields["id"], name, latitude, longitude)


_SHOWN = {f"fields.{name}": 1 for name in ("id", "name", "address", "city", "coordinates")}
