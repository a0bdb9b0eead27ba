"""Tariffs that the operator assigns: they go over registrations and imports, and are kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from db_interface.database import Database
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.audit.entries import AUDIT
from domain.imports.file_import import Importing
from domain.imports.location_import import (
    guard_charge_points,
    read_location,
    with_assigned_tariffs,
)
from domain.imports.report import Report
from domain.objects import tariff_assignment
from domain.objects.finding import NotFoundById, find_object
from domain.objects.tariff_assignment import NotAssigned
from domain.objects.tariff_removal import TariffInUse, remove_tariff
from domain.objects.tariffs import owned_tariff
from domain.outbox.publishing import publish
from domain.sessions.tariff_choice import tariffs_of
from tests.conftest import Loop
from tests.domain.charge_points.test_site_publishing import PARTY, House
from tests.domain.schemas.samples import connector, evse, location
from tests.domain.sessions.worlds import tariff

Say = Callable[..., Awaitable[str]]


class Prices:
    """Tariffs T1, T2 and OLD of a house with one registered site."""

    def __init__(self, db: Database, loop: Loop) -> None:
        self.house, self.db, self.loop = House(loop, db), db, loop
        for name in ("T1", "T2", "OLD"):
            self.publish_tariff(name)

    def publish_tariff(self, name: str) -> None:
        made = owned_tariff(tariff(name, country_code=PARTY.country_code, party_id=PARTY.party_id))
        store = self.house.store
        self.loop.run(store.transact(lambda tx: publish(store, "tariffs", made, tx)))

    def assign(self, location_id: str, *tariff_ids: str, **place: Any) -> None:
        self.house._tick()
        self._say(lambda tx: tariff_assignment.assign(tx, location_id, tariff_ids, **place))

    def unassign(self, location_id: str, **place: Any) -> None:
        self.house._tick()
        self._say(lambda tx: tariff_assignment.unassign(tx, location_id, **place))

    def _say(self, work: Callable[[Tx], Awaitable[str]]) -> None:
        self.loop.run(self.house.store.transact(work))

    def location(self, location_id: str) -> JsonObject:
        """As peers read it."""
        found = self.loop.run(find_object(self.house.store, "locations", location_id))
        read: JsonObject = orjson.loads(found["raw"])
        return read

    def named(self, location_id: str) -> list[list[str]]:
        """The tariffs of each connector, as peers read them."""
        return [
            one.get("tariff_ids", [])
            for each in self.location(location_id)["evses"]
            for one in each["connectors"]
        ]

    def sources(self, location_id: str) -> list[str]:
        async def read() -> JsonObject:
            found = await find_object(self.house.store, "locations", location_id)
            return await tariff_assignment.tariffs_at(self.db, found)

        return [row["source"] for row in self.loop.run(read())["connectors"]]

    def import_location(self, row: JsonObject, *, dry_run: bool = False) -> Report:
        self.house._tick()
        importing = Importing(
            "locations",
            read_location,
            frozenset({f"{PARTY.country_code}*{PARTY.party_id}".lower()}),
            guard=guard_charge_points,
            amend=with_assigned_tariffs,
        )
        report = Report()
        objects = list(importing.understood([row], report))
        write = importing.try_over if dry_run else importing.take_over
        self.loop.run(write(self.house.store, objects, report))
        return report


@pytest.fixture
def prices(db: Database, loop: Loop) -> Prices:
    return Prices(db, loop)


def imported(**fields: Any) -> JsonObject:
    return location(
        country_code=PARTY.country_code,
        party_id=PARTY.party_id,
        id="IMP",
        evses=[
            evse(uid="I1", connectors=[connector(tariff_ids=["OLD"]), connector(id="2")]),
            evse(uid="I2"),
        ],
        **fields,
    )


def test_it_goes_over_the_registration_and_is_kept_when_that_comes_anew(prices: Prices) -> None:
    prices.house.register("CP-1", tariff_ids=["OLD"])
    before = prices.location("CP-1")
    assert prices.named("CP-1") == [["OLD"]] and prices.sources("CP-1") == ["given"]

    prices.assign("cp-1", "t1", "T2")

    after = prices.location("CP-1")
    assert prices.named("CP-1") == [["T1", "T2"]] and prices.sources("CP-1") == ["location"]
    for part in (after, after["evses"][0], after["evses"][0]["connectors"][0]):
        assert part["last_updated"] > before["last_updated"]
    prices.house.register("CP-1", tariff_ids=["T2"], floor_level="2")
    assert prices.location("CP-1")["evses"][0]["floor_level"] == "2"
    assert prices.named("CP-1") == [["T1", "T2"]]
    prices.house.report("CP-1", "CHARGING")
    assert prices.named("CP-1") == [["T1", "T2"]]
    # Taken back, there is what the registration says now.
    prices.unassign("CP-1")
    assert prices.named("CP-1") == [["T2"]] and prices.sources("CP-1") == ["given"]


def test_it_goes_over_an_import_and_is_kept_when_that_comes_anew(prices: Prices) -> None:
    prices.import_location(imported())
    prices.assign("IMP", "T1")
    prices.assign("IMP", "T2", evse_uid="i1", connector_id="2")
    assert prices.named("IMP") == [["T1"], ["T2"], ["T1"]]
    stamp = prices.location("IMP")["last_updated"]

    assert prices.import_location(imported()).unchanged == 1
    assert prices.location("IMP")["last_updated"] == stamp
    assert prices.import_location(imported(name="Dry"), dry_run=True).updated == 1
    assert prices.import_location(imported(name="New")).updated == 1

    assert prices.location("IMP")["name"] == "New"
    assert prices.named("IMP") == [["T1"], ["T2"], ["T1"]]
    assert prices.sources("IMP") == ["location", "connector", "location"]
    prices.unassign("IMP")
    assert prices.named("IMP") == [["OLD"], ["T2"], []]
    prices.unassign("IMP", evse_uid="I1", connector_id="2")
    assert prices.named("IMP") == [["OLD"], [], []]


def test_a_session_is_priced_by_what_is_assigned(prices: Prices) -> None:
    prices.house.register("CP-1")
    prices.assign("CP-1", "T2", evse_uid="CP-1")

    async def chosen(tx: Tx) -> list[str]:
        connector = prices_read["evses"][0]["connectors"][0]
        owner = (PARTY.country_code, PARTY.party_id)
        return [one["id"] for one in await tariffs_of(tx, connector, *owner)]

    prices_read = prices.location("CP-1")
    assert prices.loop.run(prices.house.store.transact(chosen)) == ["T2"]


def test_a_charge_point_that_comes_to_the_site_later_has_it_too(prices: Prices) -> None:
    prices.house.register("CP-1", site_id="S")
    prices.assign("S", "T1")
    prices.house.register("CP-2", site_id="S")
    assert prices.named("S") == [["T1"], ["T1"]]


def test_what_cannot_be_assigned_says_why(prices: Prices) -> None:
    prices.house.register("CP-1")
    for place, said in (
        ({"evse_uid": "CP-9"}, "CP-1 has no EVSE CP-9"),
        ({"evse_uid": "CP-1", "connector_id": "9"}, "EVSE CP-1 has no connector 9"),
        ({"connector_id": "1"}, "evse_uid: is needed"),
    ):
        with pytest.raises(NotAssigned, match=said):
            prices.assign("CP-1", "T1", **place)
    with pytest.raises(NotFoundById, match="no tariff T9"):
        prices.assign("CP-1", "T9")
    with pytest.raises(NotFoundById, match="no location CP-9"):
        prices.assign("CP-9", "T1")
    with pytest.raises(NotAssigned, match="no tariff is assigned to location CP-1, EVSE CP-1"):
        prices.unassign("CP-1", evse_uid="CP-1")


def test_it_is_listed_written_down_and_its_tariff_not_removed(prices: Prices) -> None:
    prices.house.register("CP-1", tariff_ids=["OLD"])
    prices.assign("CP-1", "T1", evse_uid="CP-1")
    [row] = prices.loop.run(tariff_assignment.listed(prices.db, limit=10))
    assert row["location_id"] == "CP-1" and row["assigned"][0]["tariff_ids"] == ["T1"]
    with pytest.raises(TariffInUse, match="T1 is named by connectors of 1 locations"):
        prices.loop.run(remove_tariff(prices.house.store, "T1"))
    # Also where no connector bears it any more: it would come back with the EVSE.
    prices.house.deregister("CP-1")
    prices.assign("CP-1", "T2")
    entries = prices.loop.run(AUDIT.of(prices.db).find({"action": "tariffs.assign"}))
    assert {one["kind"] for one in entries[0]["about"]} == {"location", "tariff"}
    assert '"T1"' in str(entries[0]["after"])
