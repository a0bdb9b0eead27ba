"""Which station comes in, by what it shows."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from auth.charge_point_credentials import CredentialHashes
from auth.station_access import ClientCertificate, Shown, StationAccess, StationRefused
from auth.throttle import Throttle, TooManyFailures
from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.charge_points import registrations
from domain.charge_points.registration_records import Application, Proof
from domain.ocpp import stations
from domain.ocpp.adding import add_station
from domain.ocpp.stations import Station
from tests.conftest import Loop
from tests.settings_of import settings_of

HASHES = CredentialHashes("k" * 40)
ENDS = datetime(2030, 1, 1, tzinfo=timezone.utc)
PASSWORD = "5b1f" * 10
PARTY = settings_of().parties[0]


class House:
    def __init__(self, loop: Loop, db: Database) -> None:
        self.loop, self.db, self.store = loop, db, DbInterface(db)
        self.throttle = Throttle("ocpp", 3)

    def add(self, station_id: str = "CP-007", password: str | None = PASSWORD) -> None:
        digest = None if password is None else HASHES.of(password)[0]
        self.loop.run(
            self.store.transact(
                lambda tx: add_station(
                    tx, station_id, party=PARTY, location="Utrecht", password_hash=digest
                )
            )
        )

    def admit(self, *, onboarding: bool = False, **shown: Any) -> Station:
        access = StationAccess(self.store, HASHES, self.throttle, onboarding=onboarding)
        told = {"station_id": "CP-007", "address": "192.0.2.1", "profile": 1, **shown}

        async def come_in() -> Station:
            station = await access.admit(Shown(**told))
            return await stations.came_in(
                self.db, station, protocol="ocpp1.6", profile=told["profile"], fingerprint=None
            )

        return self.loop.run(come_in())

    def refused(self, **shown: Any) -> tuple[int, str]:
        with pytest.raises(StationRefused) as refusal:
            self.admit(**shown)
        return refusal.value.status, str(refusal.value)


@pytest.fixture
def house(loop: Loop, db: Database) -> House:
    return House(loop, db)


def test_by_its_password_as_text_or_as_the_bytes_that_its_hex_digits_are(house: House) -> None:
    house.add()
    assert house.admit(password=PASSWORD.encode())["_id"] == "CP-007"
    assert house.admit(password=bytes.fromhex(PASSWORD))["_id"] == "CP-007"
    assert house.admit(station_id="cp-007", password=PASSWORD.encode())["_id"] == "CP-007"
    assert house.refused(password=b"5b1f") == (401, "wrong password")
    assert house.refused() == (401, "no password")


def test_by_its_credentials_at_ev_registry(house: House) -> None:
    house.loop.run(
        registrations.register(
            house.store,
            Application(cp_id="CP-007", location="Utrecht"),
            proof=Proof(admin=True),
            open_to_new=True,
            credentials_hash=HASHES.of("of the registry")[0],
            party=PARTY,
        )
    )
    assert house.refused(password=b"of the registry") == (401, "no such station")
    house.add()
    assert house.admit(password=b"of the registry")["_id"] == "CP-007"


def test_whoever_guesses_is_held_up_before_anything_is_looked_up(house: House) -> None:
    house.add()
    for _ in range(3):
        house.refused(password=b"a guess")
    with pytest.raises(TooManyFailures):
        house.admit(password=PASSWORD.encode())


def test_one_that_came_in_is_not_shut_out_by_a_neighbour_that_guesses(house: House) -> None:
    house.add()
    house.add("CP-008")
    fingerprint = ClientCertificate("f" * 64, "CP-008", ENDS)
    assert house.admit(password=PASSWORD.encode())
    assert house.admit(station_id="CP-008", profile=3, certificate=fingerprint)
    for _ in range(3):
        house.refused(station_id="CP-009", password=b"a guess")
    assert house.admit(password=PASSWORD.encode())
    assert house.admit(station_id="CP-008", profile=3, certificate=fingerprint)
    # What came in for one opens nothing for another, nor does another password.
    for shown in ({"station_id": "CP-008", "password": PASSWORD.encode()}, {"password": b"5b1f"}):
        with pytest.raises(TooManyFailures):
            house.admit(**shown)


def test_a_certificate_without_a_name_is_nobodys(house: House) -> None:
    house.add()
    station = house.admit(password=PASSWORD.encode())
    house.loop.run(
        stations.STATIONS.of(house.db).update_one({"_id": station["_id"]}, {"$set": {"serial": ""}})
    )
    nameless = ClientCertificate("f" * 64, "", ENDS)
    assert house.refused(profile=3, certificate=nameless) == (401, "no password")


def test_its_security_profile_never_falls(house: House) -> None:
    house.add()
    assert house.admit(password=PASSWORD.encode(), profile=2)["security_profile"] == 2
    status, why = house.refused(password=PASSWORD.encode(), profile=1)
    assert (status, why) == (403, "security profile 1, after 2 before")
    assert house.admit(password=PASSWORD.encode(), profile=2)


def test_by_a_certificate_of_its_name(house: House) -> None:
    house.add()
    own = ClientCertificate("f" * 64, "cp-007", ENDS)
    assert house.admit(profile=3, certificate=own)["security_profile"] == 3
    renewed = ClientCertificate("e" * 64, "CP-007", ENDS)
    assert house.admit(profile=3, certificate=renewed)
    others = ClientCertificate("d" * 64, "CP-008", ENDS)
    assert house.refused(profile=3, certificate=others) == (401, "no password")
    assert house.admit(profile=3, certificate=others, password=PASSWORD.encode())


def test_a_deregistered_one_with_the_right_password_hears_so(house: House) -> None:
    house.add()
    deregister = registrations.deregister(
        house.store, "CP-007", proof=Proof(admin=True), party=PARTY
    )
    house.loop.run(deregister)
    assert house.refused(password=PASSWORD.encode()) == (403, "deregistered")
    assert house.refused(password=b"a guess") == (401, "wrong password")
    house.add()
    assert house.admit(password=PASSWORD.encode())["status"] == "APPROVED"


def test_one_that_nobody_added_is_held_where_that_is_set(house: House) -> None:
    assert house.refused(password=b"its own") == (401, "no such station")
    assert house.admit(onboarding=True, password=b"its own")["status"] == "HELD"
    assert house.refused(onboarding=True, password=b"another") == (401, "wrong password")
    # Added, it keeps the password that it showed.
    house.add(password=None)
    assert house.admit(password=b"its own")["status"] == "APPROVED"


def test_only_so_many_are_held(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stations, "MAX_HELD", 1)
    house.admit(onboarding=True, password=b"its own")
    status, why = house.refused(onboarding=True, station_id="CP-008", password=b"its own")
    assert (status, why) == (403, "too many stations wait to be added")
