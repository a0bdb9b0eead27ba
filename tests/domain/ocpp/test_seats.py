"""Which charge point an EVSE of a station is; new ones are registered."""

from __future__ import annotations

from typing import Any

import pytest

from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.owned_objects import fold
from domain.charge_points import registration_store, registrations
from domain.charge_points.registration_records import Application, Proof
from domain.ocpp import connections, stations
from domain.ocpp.adding import add_station
from domain.ocpp.seats import MAX_EVSES, Seat, seat_of
from tests.conftest import Loop
from tests.settings_of import settings_of

PARTY = settings_of().parties[0]


class House:
    def __init__(self, loop: Loop, db: Database) -> None:
        self.loop, self.db, self.store = loop, db, DbInterface(db)

    def add(self, station_id: str = "CP-007", **given: Any) -> None:
        told: dict[str, Any] = {"location": "Utrecht", "password_hash": "h" * 64, **given}
        self.loop.run(
            self.store.transact(lambda tx: add_station(tx, station_id, party=PARTY, **told))
        )

    def seat(self, protocol: str, evse: int, connector: int) -> Seat | None:
        return self.loop.run(
            self.store.transact(lambda tx: seat_of(tx, "CP-007", protocol, evse, connector, PARTY))
        )

    def record(self, cp_id: str) -> Any:
        return self.loop.run(registration_store.get(self.db, cp_id))


@pytest.fixture
def house(loop: Loop, db: Database) -> House:
    return House(loop, db)


def test_each_connector_of_a_box_of_1_6_is_an_evse(house: House) -> None:
    house.add(metadata={"power_rating": "22kW", "evse_id": "NL*EVC*E7"})
    assert house.seat("ocpp1.6", 0, 0) is None
    assert house.seat("ocpp1.6", 0, 1) == Seat("CP-007", "1", 1, is_new=True)
    assert house.seat("ocpp1.6", 0, 2) == Seat("CP-007-2", "1", 2, is_new=True)
    assert house.seat("ocpp1.6", 0, 2) == Seat("CP-007-2", "1", 2)
    second = house.record("CP-007-2")
    assert (second["location"], second["station"]) == ("Utrecht", "CP-007")
    # What names the first EVSE names no other.
    assert second["metadata"] == {"power_rating": "22kW", "site_id": "CP-007"}
    found = house.loop.run(stations.of_charge_point(house.db, "CP-007-2"))
    assert found is not None and (found[0]["_id"], found[1]) == ("CP-007", 2)


def test_they_stand_in_one_location(house: House) -> None:
    house.add(metadata={"power_rating": "22kW"})
    for connector in (1, 2):
        house.seat("ocpp1.6", 0, connector)
    key = fold(PARTY.country_code, PARTY.party_id, "CP-007")
    location = house.loop.run(house.store.get("locations", key))
    assert location is not None
    assert [evse["uid"] for evse in location["evses"]] == ["CP-007", "CP-007-2"]


def test_connectors_of_one_evse_where_the_operator_says_so(house: House) -> None:
    house.add(one_evse=True)
    assert house.seat("ocpp1.6", 0, 1) == Seat("CP-007", "1", 1, is_new=True)
    assert house.seat("ocpp1.6", 0, 2) == Seat("CP-007", "2", 1, is_new=True)


def test_2_0_1_tells_evse_and_connector(house: House) -> None:
    house.add()
    assert house.seat("ocpp2.0.1", 0, 0) is None
    assert house.seat("ocpp2.0.1", 2, 1) == Seat("CP-007-2", "1", 2, is_new=True)
    assert house.seat("ocpp2.0.1", 1, 2) == Seat("CP-007", "2", 1, is_new=True)
    assert house.seat("ocpp2.0.1", 1, 0) == Seat("CP-007", "1", 1, is_new=True)


def test_no_box_makes_more_charge_points_than_a_box_has(house: House) -> None:
    house.add()
    assert house.seat("ocpp1.6", 0, MAX_EVSES + 1) is None
    assert house.seat("ocpp1.6", 0, -1) is None
    assert house.record("CP-007-33") is None


def test_another_charge_point_is_not_taken_over(house: House) -> None:
    house.loop.run(
        registrations.register(
            house.store,
            Application(cp_id="CP-007-2", location="Berlin"),
            proof=Proof(admin=True),
            open_to_new=True,
            credentials_hash="c" * 64,
            party=PARTY,
        )
    )
    house.add()
    assert house.seat("ocpp1.6", 0, 2) is None
    assert house.record("CP-007-2")["location"] == "Berlin"


def test_who_deregisters_the_station_deregisters_them_all_and_cuts_its_connection(
    house: House,
) -> None:
    house.add()
    for connector in (1, 2):
        house.seat("ocpp1.6", 0, connector)

    async def connected() -> None:
        await connections.take(
            house.db,
            {
                "_id": "CP-007",
                "connection": "c1",
                "holder": "here",
                "protocol": "ocpp1.6",
                "address": "192.0.2.1",
                "since": house.db.now(),
            },
        )
        await connections.renew(house.db, "here", "host", 1)

    house.loop.run(connected())
    house.loop.run(
        registrations.deregister(house.store, "CP-007", proof=Proof(admin=True), party=PARTY)
    )
    assert house.record("CP-007")["status"] == house.record("CP-007-2")["status"] == "DEREGISTERED"
    assert house.loop.run(connections.lost(house.db, "here", {"CP-007": "c1"})) == ["CP-007"]
