"""What the store tells of trouble: what was heard of once, what a person has to look at."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db_interface.database import Database
from db_interface.json_data import JsonObject
from domain.charge_points.charge_point_documents import CHARGE_POINTS
from domain.charge_points.registration_store import REGISTRATIONS
from domain.notices.sources import ChargePointTroubles, disk_trouble, sources_of
from domain.notices.troubles import WORDS, Kind, Trouble
from domain.operator import charge_points
from domain.outbox.push_lanes import LANES
from domain.peers.peer_document import PEERS
from domain.peers.statuses import CONNECTED, SUSPENDED
from domain.sessions.session_records import SESSIONS
from tests.conftest import Loop


class Store:
    def __init__(self, db: Database, loop: Loop) -> None:
        self.db, self.loop = db, loop

    def put(self, collection: str, **document: object) -> None:
        async def insert() -> None:
            await self.db[collection].insert_one(document)

        self.loop.run(insert())

    def charge_point(self, cp_id: str, status: str, presence: str = "SILENT") -> None:
        now = self.db.now()
        self.put(
            REGISTRATIONS.name, _id=cp_id, folded_id=cp_id, location="Berlin", status="REGISTERED"
        )
        self.put(
            CHARGE_POINTS.name,
            _id=cp_id,
            ocpi_status=status,
            presence=presence,
            status_updated=now,
        )

    def found(self) -> list[Trouble]:
        async def look() -> list[Trouble]:
            return [one for source in sources_of(self.db) for one in await source.look()]

        # How full the disk of these tests is, is no matter.
        return [one for one in self.loop.run(look()) if one.kind is not Kind.DISK_LOW]


@pytest.fixture
def store(db: Database, loop: Loop) -> Store:
    return Store(db, loop)


def test_a_quiet_night_has_no_trouble(store: Store) -> None:
    store.charge_point("CP-1", "AVAILABLE", "ONLINE")
    assert store.found() == []


def test_charge_points_that_were_heard_of_once(store: Store) -> None:
    store.charge_point("CP-1", "UNKNOWN")
    store.charge_point("CP-2", "OUTOFORDER", "ONLINE")
    store.charge_point("CP-NEVER", "UNKNOWN", "NEVER_SEEN")
    store.charge_point("CP-OFF", "INOPERATIVE", "ONLINE")
    assert [(one.id, one.place, one.said) for one in store.found()] == [
        ("charge_point_silent:CP-1", "Berlin", "charge point CP-1 (Berlin) is silent"),
        ("charge_point_faulty:CP-2", "Berlin", "charge point CP-2 (Berlin) is out of order"),
    ]


def test_a_fleet_that_stays_silent_is_read_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.charge_point("CP-1", "UNKNOWN")
    source = ChargePointTroubles(store.db)
    read: list[str] = []
    heard_of_in = charge_points.heard_of_in

    async def counted(db: Database, status: str) -> list[str]:
        read.append(status)
        return await heard_of_in(db, status)

    monkeypatch.setattr(charge_points, "heard_of_in", counted)
    for _ in range(3):
        assert len(store.loop.run(source.look())) == 1
    assert read == ["UNKNOWN", "OUTOFORDER"]
    store.charge_point("CP-2", "UNKNOWN")
    assert len(store.loop.run(source.look())) == 2
    change: JsonObject = {"$set": {"ocpi_status": "AVAILABLE", "status_updated": store.db.now()}}
    store.loop.run(CHARGE_POINTS.of(store.db).update_one({"_id": "CP-1"}, change))
    assert [one.subject for one in store.loop.run(source.look())] == ["CP-2"]


def test_peers_that_do_not_take_what_is_pushed(store: Store) -> None:
    for peer_id, status in (("p1", CONNECTED), ("p2", SUSPENDED), ("p3", CONNECTED)):
        store.put(PEERS.name, _id=peer_id, name=f"Peer {peer_id}", status=status)
    store.put(LANES.name, _id="p1", failures=3, reason="HTTP 500")
    store.put(LANES.name, _id="p2", failures=3, reason="HTTP 500")
    late = store.db.now() - timedelta(minutes=5)
    store.put("marks", _id="m", peer_id="p3", since=late, due=late)
    assert [one.said for one in store.found()] == [
        "peer Peer p1: push fails: HTTP 500",
        "peer Peer p3: push is 5 min behind",
    ]


def test_sessions_and_money(store: Store) -> None:
    now = store.db.now()
    facts: JsonObject = {"cp_id": "CP-1", "connector_id": "1", "status": "COMPLETED"}
    held = {"since": now, "why": "900 kWh at 22 kW"}
    store.put(SESSIONS.name, _id="s1", **{**facts, "held": held})
    problem = {"connector_id": "2", "cdr_problem": "no tariff"}
    store.put(SESSIONS.name, _id="s2", **{**facts, **problem})
    assert [(one.id, one.said) for one in store.found()] == [
        ("session_held:s1", "session s1 at CP-1 is held: nobody is billed (900 kWh at 22 kW)"),
        ("session_without_cdr:s2", "session s2 at CP-1 ended without a CDR (no tariff)"),
    ]
    assert "cpo sessions release s1" in store.found()[0].do


def test_a_disk_is_low_below_a_twentieth_or_one_gb() -> None:
    assert disk_trouble("it", 60e9, 1000e9) == []
    (low,) = disk_trouble("it", 40e9, 1000e9)
    assert low.said == "the disk of it is nearly full: 40 of 1000 GB are free"
    assert disk_trouble("it", 0.9e9, 5e9) and not disk_trouble("it", 1.1e9, 5e9)


def test_the_server_tells_how_full_its_disk_is(store: Store) -> None:
    room = store.loop.run(store.db.room())
    assert room is not None and 0 < room[0] < room[1]


def test_each_kind_has_its_words() -> None:
    assert set(WORDS) == set(Kind)
