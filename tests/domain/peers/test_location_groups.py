"""A peer that is given groups of locations has those of them, and no others, whatever changes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from db_interface.database import Database
from domain.operator import not_offered
from domain.peers import location_groups, switches
from domain.peers.location_groups import add, give, put_into, remove
from domain.peers.peer_document import UnknownPeer
from domain.peers.requirements import require
from domain.peers.switches import NotPossible
from domain.peers.terms import ANY_PARTY
from domain.secrets import new_token
from tests.conftest import Loop
from tests.cpo_app.ocpi.push.conftest import House
from tests.cpo_app.ocpi.push.objects import cdr, location, session, tariff
from tests.cpo_app.ocpi.push.receiving_emsp import Receiver
from tests.domain.peers.test_requirements import OWNED, statuses

LATER = "2024-05-01T11:00:00Z"
NORTH, SOUTH = "nl/evc/north", "nl/evc/south"


@pytest.fixture
def house(db: Database, loop: Loop) -> Iterator[House]:
    with contextlib.ExitStack() as stack:
        house = House(db, loop, stack)
        house.locations(location("NORTH"), location("SOUTH", **OWNED))
        loop.run(add(house.store, "up", [NORTH]))
        yield house


def test_what_is_in_no_group_of_its_own_is_taken_away_and_given_back(house: House) -> None:
    emsp, peer_id = house.peer()
    other, _ = house.peer("DE*GUT")
    house.push()
    house.locations(location("NORTH", at=LATER), location("SOUTH", at=LATER, **OWNED))
    house.until_nothing_is_left()

    assert house.loop.run(give(house.store, peer_id, ["UP"])) == 1
    house.until_nothing_is_left()
    assert (statuses(emsp, "SOUTH"), statuses(emsp, "NORTH")) == ({"REMOVED"}, {"AVAILABLE"})
    assert statuses(other, "SOUTH") == {"AVAILABLE"}

    # Written anew, a location stays in its groups; what is outside stays unseen.
    for name in ("NORTH", "SOUTH"):
        house.locations(location(name, name="Anew", at="2024-05-01T12:00:00Z", **OWNED))
    house.until_nothing_is_left()
    assert emsp.held("locations")["NORTH"]["name"] == "Anew"
    assert emsp.held("locations")["SOUTH"]["name"] == "Here"
    assert other.held("locations")["SOUTH"]["name"] == "Anew"

    assert house.loop.run(give(house.store, peer_id, None)) == 1
    house.until_nothing_is_left()
    assert statuses(emsp, "SOUTH") == {"AVAILABLE"}
    assert emsp.held("locations")["SOUTH"]["name"] == "Anew"


def test_given_before_it_registers_it_never_hears_of_the_others(house: House) -> None:
    emsp = house.emsp()
    invited, _ = house.loop.run(house.peers.invite("New", house.db.now(), ANY_PARTY))
    assert house.loop.run(give(house.store, invited.peer_id, ["up"])) == 0
    house.loop.run(registers(house, invited.peer_id, emsp))
    house.push()
    house.loop.run(switches.resync(house.store, invited.peer_id))
    house.locations(location("SOUTH", at=LATER))
    house.until_nothing_is_left()
    assert set(emsp.held("locations")) == {"NORTH"}
    assert [got.path for got in emsp.got if "SOUTH" in got.path.upper()] == []


async def registers(house: House, peer_id: str, emsp: Receiver) -> None:
    role = {"role": "EMSP", "country_code": "DE", "party_id": "TNM"}
    await house.peers.connect(
        peer_id,
        our_token=new_token(),
        their_token=new_token(),
        now=house.db.now(),
        roles=[{**role, "business_details": {"name": "New"}}],
        endpoints=emsp.endpoints(),
        versions_url="https://peer.example/versions",
    )


def test_a_location_comes_and_goes_with_the_group(house: House) -> None:
    emsp, peer_id = house.peer()
    other, _ = house.peer("DE*GUT")
    house.loop.run(give(house.store, peer_id, ["up"]))
    house.push()
    house.until_nothing_is_left()
    assert statuses(emsp, "SOUTH") == {"REMOVED"}, "it may have pulled it until now"

    assert house.loop.run(add(house.store, "up", [NORTH, SOUTH])) == 1
    house.until_nothing_is_left()
    assert statuses(emsp, "SOUTH") == {"AVAILABLE"}
    assert house.loop.run(remove(house.store, "up", [SOUTH])) == 1
    house.until_nothing_is_left()
    assert statuses(emsp, "SOUTH") == {"REMOVED"}
    house.loop.run(put_into(house.store, SOUTH, ["Down", "up"]))
    house.until_nothing_is_left()
    assert statuses(emsp, "SOUTH") == {"AVAILABLE"}
    assert house.loop.run(location_groups.counts(house.store)) == {"down": 1, "up": 2}
    assert house.loop.run(location_groups.members(house.store, "UP", 9)) == [NORTH, SOUTH]
    # Whom groups do not concern is told of the new last_updated, and of nothing else.
    assert set(other.held("locations")) == {"SOUTH"}
    assert not any(b"REMOVED" in got.body for got in other.got)


def test_fields_that_are_required_count_within_the_groups(house: House) -> None:
    emsp, peer_id = house.peer()
    house.loop.run(require(house.store, peer_id, ["owner.name"]))
    house.loop.run(add(house.store, "both", [NORTH, SOUTH]))
    house.loop.run(give(house.store, peer_id, ["both"]))
    house.push()
    house.loop.run(switches.resync(house.store, peer_id))
    house.until_nothing_is_left()
    assert (statuses(emsp, "NORTH"), statuses(emsp, "SOUTH")) == ({"REMOVED"}, {"AVAILABLE"})
    withheld = house.loop.run(not_offered.from_peer(house.db, peer_id, 9))
    assert [row["key"] for row in withheld.first] == [NORTH]
    house.loop.run(remove(house.store, "both", [NORTH]))
    assert house.loop.run(not_offered.from_peer(house.db, peer_id, 9)).number == 0
    document = house.loop.run(house.store.objects("locations").document(NORTH))
    assert document is not None
    assert [row[2] for row in house.loop.run(not_offered.peers_without(house.db, document))] == [
        "is in none of its groups (both)"
    ]


def test_sessions_cdrs_and_tariffs_are_its_own_wherever_they_are_of(house: House) -> None:
    emsp, peer_id = house.peer()
    house.loop.run(give(house.store, peer_id, ["up"]))
    house.push()
    house.publish("sessions", session("S1", location_id="SOUTH"))
    house.publish("cdrs", cdr("C1", "S1"))
    house.publish("tariffs", tariff("T1"))
    house.until_nothing_is_left()
    assert set(emsp.held("sessions")) == {"S1"}
    assert set(emsp.held("tariffs")) == {"T1"}
    assert len(emsp.cdrs) == 1


def test_a_blocked_peer_loses_what_it_may_not_have_and_is_sent_nothing(house: House) -> None:
    emsp, peer_id = house.peer()
    house.push()
    house.loop.run(switches.resync(house.store, peer_id))
    house.until_nothing_is_left()
    house.loop.run(switches.block(house.store, peer_id))
    assert house.loop.run(give(house.store, peer_id, ["up"])) == 1
    assert [mark["key"] for mark in house.marks(peer_id=peer_id)] == [SOUTH]
    house.loop.run(add(house.store, "up", [SOUTH]))
    house.loop.run(remove(house.store, "up", [SOUTH]))
    house.loop.run(switches.resume(house.store, peer_id))
    house.until_nothing_is_left()
    assert (statuses(emsp, "SOUTH"), statuses(emsp, "NORTH")) == ({"REMOVED"}, {"AVAILABLE"})


def test_a_group_has_a_name_and_a_location_in_it(house: House) -> None:
    _, peer_id = house.peer()
    for group in ("", "all", "no spaces", "a" * 41, "-x"):
        with pytest.raises(NotPossible, match="cannot be a group's name"):
            house.loop.run(add(house.store, group, [NORTH]))
    with pytest.raises(NotPossible, match="no location is in a group down"):
        house.loop.run(give(house.store, peer_id, ["up", "down"]))
    with pytest.raises(NotPossible, match="name the groups"):
        house.loop.run(give(house.store, peer_id, []))
    with pytest.raises(UnknownPeer):
        house.loop.run(give(house.store, "peer-404", ["up"]))
    with pytest.raises(KeyError):
        house.loop.run(put_into(house.store, "nl/evc/404", ["up"]))
