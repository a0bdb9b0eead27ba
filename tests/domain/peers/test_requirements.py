"""What a peer insists on beyond the specification decides what it is pushed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from db_interface.database import Database
from domain.objects.location_fields import FIELDS, PROFILES, fields_of
from domain.operator import not_offered
from domain.peers.peer_document import UnknownPeer
from domain.peers.requirements import require
from domain.peers.switches import NotPossible
from tests.conftest import Loop
from tests.cpo_app.ocpi.push.conftest import House
from tests.cpo_app.ocpi.push.objects import evse, location
from tests.cpo_app.ocpi.push.receiving_emsp import Receiver

LATER = "2024-05-01T11:00:00Z"
OWNED: dict[str, Any] = {"owner": {"name": "Owner"}}


@pytest.fixture
def house(db: Database, loop: Loop) -> Iterator[House]:
    with contextlib.ExitStack() as stack:
        yield House(db, loop, stack)


def demand(house: House, peer_id: str, *fields: str) -> int:
    return house.loop.run(require(house.store, peer_id, fields))


def statuses(emsp: Receiver, location_id: str) -> set[str]:
    """Of the EVSEs of a location as the peer has it."""
    return {each["status"] for each in emsp.held("locations")[location_id]["evses"]}


def complete(**changes: Any) -> dict[str, Any]:
    whole = {
        **evse("E1"),
        "evse_id": "NL*EVC*E1",
        "capabilities": ["RFID_READER"],
        "parking_restrictions": ["EV_ONLY"],
        "connectors": [{"id": "1", "tariff_ids": ["T1"], "max_electric_power": 22000}],
    }
    gone = evse("E2", "REMOVED")
    fields = {
        "owner": {"name": "Owner"},
        "operator": {"name": "Operator"},
        "postal_code": "1234AB",
        "opening_times": {"twentyfourseven": True},
        "energy_mix": {"is_green_energy": True},
    }
    return location("LOC1", **{"evses": [whole, gone], **fields, **changes})


def test_a_location_has_a_field_when_all_its_parts_that_are_there_have_it() -> None:
    assert fields_of(complete()) == list(FIELDS)
    assert {name for profile in PROFILES.values() for name in profile} <= set(FIELDS)
    second = {**evse("E3"), "connectors": [{"id": "1", "tariff_ids": []}]}
    lacking = {"evse_id", "capabilities", "parking_restrictions", "max_electric_power"}
    whole = complete()["evses"][0]
    for changes, missing in (
        ({"owner": {}}, {"owner.name"}),
        ({"operator": None}, {"operator.name"}),
        ({"postal_code": ""}, {"postal_code"}),
        ({"evses": [whole, second]}, {*lacking, "tariff_ids"}),
    ):
        assert set(FIELDS) - set(fields_of(complete(**changes))) == missing


def test_what_lacks_a_required_field_is_taken_away_and_sent_once_it_has_it(house: House) -> None:
    emsp, peer_id = house.peer()
    other, _ = house.peer("DE*GUT")
    house.locations(location("FULL", **OWNED), location("BARE"))
    house.push()
    house.until_nothing_is_left()

    assert demand(house, peer_id, "owner.name") == 1
    house.until_nothing_is_left()
    assert statuses(emsp, "BARE") == {"REMOVED"}
    assert statuses(emsp, "FULL") == {"AVAILABLE"}
    assert statuses(other, "BARE") == {"AVAILABLE"}

    house.locations(location("BARE", name="Still bare", at=LATER))
    house.until_nothing_is_left()
    assert emsp.held("locations")["BARE"]["name"] == "Here"
    house.locations(location("BARE", name="Owned", at="2024-05-01T12:00:00Z", **OWNED))
    house.until_nothing_is_left()
    assert emsp.held("locations")["BARE"]["name"] == "Owned"
    assert statuses(emsp, "BARE") == {"AVAILABLE"}

    house.locations(location("BARE", name="Lost", at="2024-05-01T13:00:00Z"))
    house.until_nothing_is_left()
    assert statuses(emsp, "BARE") == {"REMOVED"}
    assert demand(house, peer_id) == 1
    house.until_nothing_is_left()
    assert statuses(emsp, "BARE") == {"AVAILABLE"}


def test_what_the_peer_never_had_is_not_shown_to_be_taken_away(house: House) -> None:
    emsp, peer_id = house.peer()
    demand(house, peer_id, "owner.name")
    house.push()
    house.locations(location("BARE"))
    assert demand(house, peer_id, "owner.name") == 1
    house.until_nothing_is_left()
    assert emsp.held("locations") == {}


def test_a_location_of_an_earlier_release_is_looked_through(house: House) -> None:
    _, peer_id = house.peer()
    house.locations(location("FULL", **OWNED), location("BARE"))

    async def as_an_earlier_release_left_it() -> None:
        await house.db["locations"].update_many({}, {"$unset": {"links.has": ""}})

    house.loop.run(as_an_earlier_release_left_it())
    demand(house, peer_id, "owner.name")
    withheld = house.loop.run(not_offered.from_peer(house.db, peer_id, 10))
    assert (withheld.number, withheld.first) == (
        1,
        [{"key": "nl/evc/bare", "location": "NL/EVC/BARE", "because": "lacks owner.name"}],
    )


def test_only_fields_that_are_looked_at_can_be_required(house: House) -> None:
    _, peer_id = house.peer()
    with pytest.raises(NotPossible, match=r"colour cannot be required; there are: owner\.name"):
        demand(house, peer_id, "colour")
    with pytest.raises(UnknownPeer):
        demand(house, "peer-404", "owner.name")
