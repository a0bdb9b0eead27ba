"""RESERVE_NOW and CANCEL_RESERVATION: who may use the EVSE until when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cpo_app.central.link.link import LinkResult
from db_interface.database import Database
from domain.charge_points.charge_point_events import OperativeSet
from tests.conftest import Loop
from tests.cpo_app.central.command_world import CommandWorld


@pytest.fixture
def world(db: Database, loop: Loop) -> CommandWorld:
    return CommandWorld(db, loop)


def said(answer: dict[str, Any]) -> str:
    return answer["result"]


def test_a_reservation_holds_the_evse_for_its_driver(world: CommandWorld) -> None:
    emsp, other = world.asker(), world.asker("nl*abc")
    assert said(emsp.reserve(evse_uid="CP-001", authorization_reference="REF-1")) == "ACCEPTED"
    world.settle()
    assert world.results() == ["ACCEPTED"]
    assert world.evse_status() == "RESERVED"
    held = world.reservation(emsp)
    assert held is not None and held["active"] and held["_id"] != "R1"
    assert world.link.engine("CP-001").reservation_id == held["_id"]
    [session] = world.sessions()
    assert (session["status"], session["authorization_reference"]) == ("RESERVATION", "REF-1")
    assert emsp.sees(session["_id"]) == "RESERVATION" and other.sees(session["_id"]) is None

    assert said(other.start(evse_uid="CP-001")) == "REJECTED"
    assert said(emsp.start("CARD-2", evse_uid="CP-001")) == "REJECTED"
    assert said(other.reserve("R1", evse_uid="CP-001")) == "REJECTED"
    assert said(emsp.start("CARD-1", evse_uid="CP-001")) == "ACCEPTED"
    world.settle()
    assert world.results() == ["ACCEPTED", "ACCEPTED"]
    held = world.reservation(emsp)
    assert held is not None and (held["status"], held["active"]) == ("USED", False)
    [session] = world.sessions()
    world.began(session["_id"])
    assert emsp.sees(session["_id"]) == "ACTIVE"
    assert world.sessions()[0]["authorization_reference"] == "REF-1"


def test_a_card_of_the_group_may_start_too(world: CommandWorld) -> None:
    emsp = world.asker()
    emsp.reserve(evse_uid="CP-001", token=emsp.token("CARD-1", group_id="FLEET"))
    world.settle()
    plain = {"location_id": "SITE-1", "evse_uid": "CP-001"}
    wrong = emsp.token("CARD-2", group_id="OTHERS")
    assert said(emsp.ask("START_SESSION", token=wrong, **plain)) == "REJECTED"
    fleet = emsp.token("CARD-2", group_id="fleet")
    assert said(emsp.ask("START_SESSION", token=fleet, **plain)) == "ACCEPTED"
    # Group ids of two parties have nothing to do with one another.
    other = world.asker("nl*abc")
    assert said(other.ask("START_SESSION", token=other.token(group_id="FLEET"), **plain)) == (
        "REJECTED"
    )
    world.settle()
    assert world.results() == ["ACCEPTED", "ACCEPTED"]


def test_a_driver_at_the_location_gets_his_reserved_evse(world: CommandWorld) -> None:
    emsp, other = world.asker(), world.asker("nl*abc")
    emsp.reserve(evse_uid="CP-002")
    world.settle()
    emsp.start()
    other.start()
    world.settle()
    assert [(cp, fields["id_tag"]) for cp, kind, fields in world.link.done if kind == "start"] == [
        ("CP-002", "CARD-1"),
        ("CP-001", "CARD-1"),
    ] or sorted(cp for cp, kind, _ in world.link.done if kind == "start") == ["CP-001", "CP-002"]
    peers = {s["cp_id"]: s["token"]["country_code"] for s in world.sessions()}
    assert peers == {"CP-002": "DE", "CP-001": "NL"}


def test_a_reservation_of_any_evse_takes_a_free_one(world: CommandWorld) -> None:
    emsp = world.asker()
    for number in range(3):
        emsp.reserve(f"R{number}")
        world.settle()
    assert world.results() == ["ACCEPTED", "ACCEPTED", "EVSE_OCCUPIED"]
    assert (world.evse_status("CP-001"), world.evse_status("CP-002")) == ("RESERVED", "RESERVED")


def test_the_same_id_replaces_the_reservation(world: CommandWorld) -> None:
    emsp = world.asker()
    emsp.reserve(evse_uid="CP-001", minutes=10)
    world.settle()
    emsp.reserve(evse_uid="CP-001", minutes=60)
    world.settle()
    held = world.reservation(emsp)
    assert held is not None and held["expiry_date"] == world.clock.at + timedelta(minutes=60)
    emsp.reserve(evse_uid="CP-002", minutes=60)
    world.settle()
    assert world.results() == ["ACCEPTED"] * 3
    assert (world.evse_status("CP-001"), world.evse_status("CP-002")) == ("AVAILABLE", "RESERVED")
    assert world.link.engine("CP-001").reservation_id is None
    assert world.link.engine("CP-002").reservation_id == held["_id"]
    assert [s["status"] for s in world.sessions()].count("RESERVATION") == 1


def test_the_same_id_of_another_peer_is_another_reservation(world: CommandWorld) -> None:
    emsp, other = world.asker(), world.asker("nl*abc")
    emsp.reserve("R1", evse_uid="CP-001")
    other.reserve("R1", evse_uid="CP-002")
    world.settle()
    other.ask("CANCEL_RESERVATION", reservation_id="R1")
    world.settle()
    assert world.results() == ["ACCEPTED"] * 3
    assert (world.evse_status("CP-001"), world.evse_status("CP-002")) == ("RESERVED", "AVAILABLE")


def test_a_reservation_is_canceled_by_its_peer_alone(world: CommandWorld) -> None:
    emsp, other = world.asker(), world.asker("nl*abc")
    emsp.reserve(evse_uid="CP-001")
    world.settle()
    assert said(other.ask("CANCEL_RESERVATION", reservation_id="R1")) == "ACCEPTED"
    world.settle()
    assert world.results() == ["ACCEPTED", "UNKNOWN_RESERVATION"]
    assert world.evse_status() == "RESERVED"
    emsp.ask("CANCEL_RESERVATION", reservation_id="r1")
    world.settle()
    assert world.results()[2:] == ["ACCEPTED"]
    assert world.evse_status() == "AVAILABLE"
    held = world.reservation(emsp)
    assert held is not None and held["status"] == "CANCELED"
    assert [s["status"] for s in world.sessions()] == ["COMPLETED"]
    emsp.ask("CANCEL_RESERVATION", reservation_id="R1")
    world.settle()
    assert world.results()[3:] == ["UNKNOWN_RESERVATION"]


def test_a_charge_point_that_has_lost_the_reservation_cancels_it_all_the_same(
    world: CommandWorld,
) -> None:
    emsp = world.asker()
    emsp.reserve(evse_uid="CP-001")
    world.settle()
    world.link.engine("CP-001").reservation_id = None
    emsp.ask("CANCEL_RESERVATION", reservation_id="R1")
    world.settle()
    assert world.results() == ["ACCEPTED", "ACCEPTED"] and world.evse_status() == "AVAILABLE"


def test_what_the_charge_point_refuses_is_not_reserved(world: CommandWorld) -> None:
    emsp = world.asker()
    world.link.says["CP-001"] = LinkResult.OCCUPIED
    emsp.reserve(evse_uid="CP-001")
    world.settle()
    assert world.results() == ["EVSE_OCCUPIED"]
    assert world.reservation(emsp) is None and world.sessions() == []
    assert world.evse_status() == "AVAILABLE"


def test_a_reservation_in_the_past_is_rejected(world: CommandWorld) -> None:
    assert said(world.asker().reserve(minutes=-1)) == "REJECTED"


def sweep(world: CommandWorld) -> int:
    return world.run(world.parts.reservations.round())


def test_a_reservation_that_expires_frees_the_evse(world: CommandWorld) -> None:
    emsp, other = world.asker(), world.asker("nl*abc")
    emsp.reserve(evse_uid="CP-001", minutes=10)
    world.settle()
    world.clock.advance(599)
    assert sweep(world) == 0
    world.clock.advance(1)
    assert said(other.start(evse_uid="CP-001")) == "ACCEPTED", "it holds nothing any more"
    assert sweep(world) == 1 and sweep(world) == 0
    held = world.reservation(emsp)
    assert held is not None and held["status"] == "EXPIRED"
    assert world.evse_status() == "AVAILABLE"
    assert [s["status"] for s in world.sessions()] == ["COMPLETED"]
    emsp.reserve(evse_uid="CP-002", minutes=10)
    world.settle()
    held = world.reservation(emsp)
    assert held is not None and held["active"], "the id may be used again"


def test_a_reservation_that_we_cannot_keep_is_canceled_and_told(world: CommandWorld) -> None:
    emsp = world.asker()
    emsp.reserve(evse_uid="CP-001")
    world.settle()
    url = world.peers.got[0].url
    world.happen("CP-001", OperativeSet(False))
    assert sweep(world) == 1
    world.settle()
    assert world.results() == ["ACCEPTED", "CANCELED_RESERVATION"]
    assert world.peers.got[1].url == url
    assert world.link.engine("CP-001").reservation_id is None
    assert sweep(world) == 0


def test_a_reservation_that_timed_out_is_taken_back(world: CommandWorld) -> None:
    emsp = world.asker()
    world.link.deaf["CP-001"] = "mute"
    emsp.reserve(evse_uid="CP-001")
    world.settle()
    assert world.link.engine("CP-001").reservation_id is not None
    world.clock.advance(30)
    world.settle()
    assert world.results() == ["TIMEOUT"]
    world.link.deaf.clear()
    world.clock.advance(6)
    world.settle()
    assert world.link.engine("CP-001").reservation_id is None
    assert world.reservation(emsp) is None and world.evse_status() == "AVAILABLE"


def test_a_cancel_that_timed_out_leaves_the_reservation(world: CommandWorld) -> None:
    emsp = world.asker()
    emsp.reserve(evse_uid="CP-001")
    world.settle()
    world.link.deaf["CP-001"] = "mute"
    emsp.ask("CANCEL_RESERVATION", reservation_id="R1")
    world.settle()
    assert world.link.engine("CP-001").reservation_id is None
    world.clock.advance(30)
    world.settle()
    assert world.results() == ["ACCEPTED", "TIMEOUT"]
    world.link.deaf.clear()
    world.clock.advance(6)
    world.settle()
    held = world.reservation(emsp)
    assert held is not None and held["active"]
    assert world.link.engine("CP-001").reservation_id == held["_id"]
