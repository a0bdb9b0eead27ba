"""Registrations and states become one Location per site, in the transaction of the change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import orjson
import pytest

from cpo_app.settings import Party
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping
from db_interface.transaction import Tx
from domain.charge_points import registrations
from domain.charge_points.charge_point_events import Heartbeat, StateReported
from domain.charge_points.charge_points import apply
from domain.charge_points.evse_states import ConnectorState
from domain.charge_points.registration_store import REGISTRATIONS
from domain.charge_points.registrations import Application, Proof
from domain.objects.locations import owned_location
from domain.outbox.publishing import publish
from domain.sites import build_location
from tests.clock import Clock
from tests.conftest import Loop

PARTY = Party("DE", "ABC", "Example Charging")
START = datetime(2025, 3, 1, 12, 0, tzinfo=timezone.utc)
ADMIN = Proof(admin=True)
FIRST_REPORT_OF_THE_THIRD_CHANGE = "2025-03-01T12:03:00.001Z"
"""The first report makes two states, within one transaction and so at one instant: heard of
(AVAILABLE), then what was reported. The second bears a later timestamp than the first."""


class House:
    """The store with a clock that moves one minute per change."""

    def __init__(self, loop: Loop, db: Database) -> None:
        self.loop = loop
        self.store = DbInterface(db)
        self.clock = Clock(START)
        db.clock = self.clock

    def register(self, cp_id: str, location: str = "Berlin", **metadata: Any) -> None:
        self._tick()
        self.loop.run(self._register(Application(cp_id, location, metadata)))

    async def _register(self, application: Application) -> None:
        await registrations.register(
            self.store,
            application,
            proof=ADMIN,
            open_to_new=False,
            credentials_hash="0" * 64,
            party=PARTY,
        )

    def deregister(self, cp_id: str) -> None:
        self._tick()
        self.loop.run(registrations.deregister(self.store, cp_id, proof=ADMIN, party=PARTY))

    def report(self, cp_id: str, status: str) -> None:
        """What EV_Central does when a state changes."""
        self._tick()
        self.loop.run(self._report(cp_id, status))

    async def _report(self, cp_id: str, status: str) -> None:
        async def work(tx: Tx) -> None:
            for event in (
                Heartbeat(interval_s=5, missed=5),
                StateReported("1", ConnectorState(status), "unplugged", tx.now),
            ):
                await apply(tx, PARTY, cp_id, event)

        await self.store.transact(work)

    def document(self, site_id: str) -> JsonMapping | None:
        key = f"de/abc/{site_id}".lower()
        return self.loop.run(self.store.objects("locations").document(key))

    def location(self, site_id: str) -> dict[str, Any]:
        document = self.document(site_id)
        assert document is not None
        return orjson.loads(document["raw"])

    def statuses(self, site_id: str) -> dict[str, str]:
        return {evse["uid"]: evse["status"] for evse in self.location(site_id)["evses"]}

    def ocpi(self, cp_id: str) -> JsonMapping:
        record = self.loop.run(registrations.get(self.store.db, cp_id))
        assert record is not None
        return record["ocpi"]  # type: ignore[return-value]

    def _tick(self) -> None:
        self.clock.advance(60)


@pytest.fixture
def house(loop: Loop, db: Database) -> House:
    return House(loop, db)


def test_a_registered_charge_point_is_a_location_for_everybody(house: House) -> None:
    house.register("CP-001")

    document = house.document("CP-001")
    assert document is not None
    assert document["audience"] == "*"
    assert document["links"]["evse"] == ["cp-001"]
    location = house.location("CP-001")
    assert (location["country_code"], location["party_id"]) == ("DE", "ABC")
    assert house.statuses("CP-001") == {"CP-001": "UNKNOWN"}
    ocpi = house.ocpi("CP-001")
    assert (ocpi["offered"], ocpi["reasons"], ocpi["location_id"]) == (True, [], "CP-001")


def test_charge_points_of_one_site_are_one_location_whatever_the_case(house: House) -> None:
    house.register("CP-001", site_id="Hub")
    house.register("CP-002", site_id="HUB")

    assert house.statuses("hub") == {"CP-001": "UNKNOWN", "CP-002": "UNKNOWN"}
    assert house.location("hub")["id"] == "Hub"
    assert house.ocpi("CP-002")["location_id"] == "Hub"


def test_a_state_moves_its_evse_and_the_location_but_not_its_neighbour(house: House) -> None:
    house.register("CP-001", site_id="HUB")
    house.register("CP-002", site_id="HUB")
    before = house.location("HUB")

    house.report("CP-001", "CHARGING")

    after = house.location("HUB")
    assert house.statuses("HUB") == {"CP-001": "CHARGING", "CP-002": "UNKNOWN"}
    assert before["last_updated"] == "2025-03-01T12:02:00Z"
    assert after["last_updated"] == FIRST_REPORT_OF_THE_THIRD_CHANGE
    assert after["evses"][0]["last_updated"] == FIRST_REPORT_OF_THE_THIRD_CHANGE
    assert after["evses"][1] == before["evses"][1]


def test_what_changes_nothing_leaves_last_updated(house: House) -> None:
    house.register("CP-001")
    house.report("CP-001", "AVAILABLE")
    before = house.location("CP-001")

    house.report("CP-001", "AVAILABLE")
    house.register("CP-001")

    assert house.location("CP-001") == before


def test_a_deregistered_charge_point_is_removed_and_may_come_back(house: House) -> None:
    house.register("CP-001")
    house.report("CP-001", "AVAILABLE")

    house.deregister("CP-001")
    gone, standing = house.statuses("CP-001"), house.ocpi("CP-001")
    house.register("CP-001")

    assert gone == {"CP-001": "REMOVED"}
    assert (standing["offered"], standing["reasons"]) == (False, ["deregistered"])
    assert house.statuses("CP-001") == {"CP-001": "AVAILABLE"}
    assert house.ocpi("CP-001")["offered"] is True


def test_moving_to_another_site_removes_the_evse_at_the_old_one(house: House) -> None:
    house.register("CP-001", site_id="OLD")
    house.register("CP-002", site_id="OLD")

    house.register("CP-001", site_id="NEW")
    assert house.statuses("OLD") == {"CP-001": "REMOVED", "CP-002": "UNKNOWN"}
    assert house.statuses("NEW") == {"CP-001": "UNKNOWN"}

    house.register("CP-002", site_id="NEW")
    assert house.statuses("OLD") == {"CP-001": "REMOVED", "CP-002": "REMOVED"}
    assert house.location("OLD")["last_updated"] == "2025-03-01T12:04:00Z"
    assert house.statuses("NEW") == {"CP-001": "UNKNOWN", "CP-002": "UNKNOWN"}


def test_a_private_charge_point_is_kept_for_nobody(house: House) -> None:
    house.register("CP-001", roaming=False)

    document = house.document("CP-001")
    assert document is not None
    assert document["audience"] == ""
    assert house.ocpi("CP-001")["reasons"] == ["private: metadata.roaming is false"]


def test_going_private_hides_what_was_offered_and_back(house: House) -> None:
    audiences = []
    for roaming in (True, False, True):
        house.register("CP-001", roaming=roaming)
        document = house.document("CP-001")
        assert document is not None
        audiences.append(document["audience"])

    assert audiences == ["*", "", "*"]


def test_an_unknown_place_is_held_back_with_the_reason(house: House) -> None:
    house.register("CP-001", "Behind the moon")

    ocpi = house.ocpi("CP-001")
    assert house.document("CP-001") is None
    assert ocpi["offered"] is False
    assert ocpi["reasons"]
    assert ocpi["location_id"] is None


def test_a_location_that_was_offered_is_hidden_when_it_must_be_held_back(house: House) -> None:
    house.register("CP-001", "Berlin")
    offered = house.location("CP-001")

    house.register("CP-001", "Behind the moon")

    document = house.document("CP-001")
    assert document is not None
    assert document["audience"] == ""
    hidden = house.location("CP-001")
    assert hidden["last_updated"] > offered["last_updated"]
    assert {**hidden, "last_updated": None} == {**offered, "last_updated": None}
    assert house.ocpi("CP-001")["offered"] is False

    house.register("CP-001", "Berlin")
    restored = house.document("CP-001")
    assert restored is not None
    assert restored["audience"] == "*"


def test_an_imported_location_is_never_taken_over(house: House) -> None:
    house.register("CP-001", "Berlin")
    imported = {**house.location("CP-001"), "id": "LOC1", "name": "The operator's own"}
    house.loop.run(
        house.store.transact(
            lambda tx: publish(house.store, "locations", owned_location(imported), tx)
        )
    )

    house.register("loc1", "Rome")
    house.register("CP-002", "Rome", site_id="Loc1")

    assert house.location("LOC1") == imported
    for cp_id in ("loc1", "CP-002"):
        assert house.ocpi(cp_id)["offered"] is False
        assert "imported" in house.ocpi(cp_id)["reasons"][0]


def test_a_failure_on_the_way_leaves_nothing_half_done(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise RuntimeError("killed here")

    house.register("CP-001", site_id="OLD")
    location = house.location("OLD")
    monkeypatch.setattr("domain.charge_points.site_publishing._report", fail)

    with pytest.raises(RuntimeError):
        house.register("CP-001", site_id="NEW")
    with pytest.raises(RuntimeError):
        house.register("CP-002", site_id="OLD")

    assert house.location("OLD") == location
    assert house.document("NEW") is None
    assert house.loop.run(registrations.get(house.store.db, "CP-002")) is None
    record = house.loop.run(registrations.get(house.store.db, "CP-001"))
    assert record is not None
    assert (record["site_id"], record["token_version"]) == ("old", 1)


def test_a_status_change_derives_nothing_from_the_metadata_anew(house: House) -> None:
    """Neither metadata nor gazetteer are asked: what they would say now does not show."""
    house.register("CP-001", site_id="HUB")
    house.register("CP-002", site_id="HUB")
    before = house.location("HUB")
    spoilt = {"location": "Behind the moon", "metadata": {"site_id": "HUB", "power_rating": "?"}}
    house.loop.run(REGISTRATIONS.of(house.store.db).update_many({}, {"$set": spoilt}))

    house.report("CP-001", "CHARGING")

    after = house.location("HUB")
    moment = FIRST_REPORT_OF_THE_THIRD_CHANGE
    changed = {**before["evses"][0], "status": "CHARGING", "last_updated": moment}
    assert after == {
        **before,
        "evses": [changed, before["evses"][1]],
        "last_updated": moment,
    }
    assert house.ocpi("CP-001")["offered"] is True


def test_each_site_is_rebuilt_once_per_transaction(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    derived: list[list[str]] = []

    def counting(records: Any, *given: Any, **named: Any) -> Any:
        derived.append([record["cp_id"] for record in records])
        return build_location(records, *given, **named)

    monkeypatch.setattr("domain.charge_points.site_publishing.build_location", counting)

    house.register("CP-001", site_id="OLD")
    house.register("CP-002", site_id="OLD")
    house.report("CP-001", "AVAILABLE")
    assert derived == [["CP-001"], ["CP-001", "CP-002"]]

    derived.clear()
    house.deregister("CP-001")
    assert derived == [["CP-001", "CP-002"]]

    derived.clear()
    house.register("CP-001", site_id="NEW")
    assert derived == [["CP-002"], ["CP-001"]]


def test_states_reported_at_once_all_arrive(house: House) -> None:
    names = [f"CP-{number}" for number in range(8)]
    for name in names:
        house.register(name, site_id="HUB")

    async def all_at_once() -> None:
        house.clock.advance(60)
        await asyncio.gather(*(house._report(name, "CHARGING") for name in names))

    house.loop.run(all_at_once())

    assert house.statuses("HUB") == dict.fromkeys(names, "CHARGING")


def test_every_query_of_a_rebuild_has_its_index(house: House) -> None:
    house.register("CP-001", site_id="HUB")

    async def stages(make: Callable[[], Any]) -> str:
        plan = await make().explain()
        return str(plan["queryPlanner"]["winningPlan"])

    db = house.store.db
    of_site = house.loop.run(stages(lambda: db["registrations"].find({"site_id": "hub"})))
    by_id = house.loop.run(stages(lambda: db["registrations"].find({"folded_id": "cp-001"})))
    page = house.loop.run(
        stages(
            lambda: (
                db["registrations"]
                .find({"status": {"$in": ["REGISTERED", "DEREGISTERED"]}})
                .sort("registered_seq", 1)
            )
        )
    )

    for plan in (of_site, by_id, page):
        assert "COLLSCAN" not in plan
        assert "IXSCAN" in plan
    assert "'stage': 'SORT'" not in page
