"""The EVSEs that a command may mean are found in few queries, however many a location has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import monitoring

from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.commands.command_targets import Place, location_of, places_of
from domain.errors import UnknownLocationInCommand
from domain.objects.locations import owned_location
from domain.peers.location_groups import add
from domain.sites.identifiers import ocpi_id
from domain.visibility import Reader
from tests.conftest import Loop
from tests.cpo_app.ocpi.push.objects import location

EVSES = 50
ODD = "CP 007/é"
"""An id that OCPI cannot carry: its EVSE has another uid."""


class Queries(monitoring.CommandListener):
    def __init__(self) -> None:
        self.asked: list[str] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name in ("find", "aggregate", "getMore"):
            self.asked.append(str(event.command[event.command_name]))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Was counted when it started."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Was counted when it started."""


@pytest.fixture
def queries() -> Queries:
    return Queries()


@pytest.fixture
def watched(db: Database, store_url: str, loop: Loop, queries: Queries) -> Iterator[Database]:
    """The database on a client that counts."""

    async def connect() -> Database:
        client: Any = AsyncIOMotorClient(store_url, event_listeners=[queries], tz_aware=True)
        return Database(client, db.name)

    database = loop.run(connect())
    yield database
    database.close()


def test_fifty_evses_are_found_in_three_queries(
    db: Database, watched: Database, queries: Queries, loop: Loop
) -> None:
    cp_ids = [f"CP-{number:03}" for number in range(EVSES - 1)] + [ODD]
    location = {
        "country_code": "NL",
        "party_id": "EVC",
        "id": "SITE-1",
        "evses": [{"uid": ocpi_id(cp_id), "status": "AVAILABLE"} for cp_id in cp_ids]
        + [{"uid": "IMPORTED", "status": "AVAILABLE"}, {"uid": "GONE", "status": "REMOVED"}],
    }
    later = datetime.now(timezone.utc) + timedelta(hours=1)

    async def fill() -> None:
        await db["registrations"].insert_many(
            {"_id": cp_id, "folded_id": cp_id.lower(), "site_id": "site-1"} for cp_id in cp_ids
        )
        await db["charge_points"].insert_one({"_id": ODD, "ocpi_status": "CHARGING"})
        await db["reservations"].insert_one(
            {"_id": "R", "cp_id": "CP-001", "active": True, "expiry_date": later}
        )

    async def find() -> list[Place]:
        return await places_of(watched, location, None)

    loop.run(fill())
    places = loop.run(find())
    assert [place.cp_id for place in places] == [*cp_ids, None]
    assert [place.status for place in places[-3:]] == ["UNKNOWN", "CHARGING", "UNKNOWN"]
    held = [place.cp_id for place in places if place.reservation is not None]
    assert held == ["CP-001"]
    assert queries.asked == ["registrations", "charge_points", "reservations"]


def test_a_location_that_is_not_offered_to_a_peer_is_unknown_to_its_commands(
    db: Database, loop: Loop
) -> None:
    store = DbInterface(db)
    loop.run(store.create("locations", owned_location(location("BARE"))))
    loop.run(store.create("locations", owned_location(location("FULL", owner={"name": "Owner"}))))
    insists, takes_all = Reader(("de*tnm",), requires=("owner.name",)), Reader(("de*tnm",))

    assert loop.run(location_of(store, "FULL", insists, None))["id"] == "FULL"
    assert loop.run(location_of(store, "BARE", takes_all, None))["id"] == "BARE"
    with pytest.raises(UnknownLocationInCommand):
        loop.run(location_of(store, "BARE", insists, None))

    loop.run(add(store, "up", ["nl/evc/bare"]))
    given = Reader(("de*tnm",), groups=("up",))
    assert loop.run(location_of(store, "BARE", given, None))["id"] == "BARE"
    with pytest.raises(UnknownLocationInCommand):
        loop.run(location_of(store, "FULL", given, None))
