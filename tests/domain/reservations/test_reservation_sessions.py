"""Reservations as Sessions: taken up, expired, canceled, and what they cost."""

from __future__ import annotations

import pytest

from db_interface.database import Database
from tests.conftest import Loop
from tests.domain.sessions.worlds import TOKEN, World, element, reading, tariff

RESERVATIONS_COST = (
    element("FLAT", 2.0, reservation="RESERVATION_EXPIRES"),
    element("TIME", 6.0, 60, reservation="RESERVATION"),
    element("ENERGY", 0.5),
)


@pytest.fixture
def world(db: Database, loop: Loop) -> World:
    return World(db, loop, tariff("T1", *RESERVATIONS_COST))


def test_a_reservation_that_is_taken_up_becomes_the_session(world: World) -> None:
    session_id = world.reserve()
    reserved = world.session(session_id)
    assert (reserved["status"], reserved["auth_method"]) == ("RESERVATION", "COMMAND")
    assert not world.inner(session_id)["running"]

    assert world.open(600, reservation_id="R1", authorization_reference="REF-2") == session_id
    assert world.session(session_id)["status"] == "RESERVATION"
    world.begin(session_id, 600)
    world.meter(session_id, reading(1200, 2000.0))
    world.end(session_id, 1200, 2000.0)

    done = world.session(session_id)
    assert (done["status"], done["auth_method"]) == ("COMPLETED", "WHITELIST")
    assert done["start_date_time"] == "2025-05-05T14:40:00Z"
    [cdr] = world.cdrs()
    assert cdr["start_date_time"] == "2025-05-05T14:30:00Z"
    assert cdr["authorization_reference"] == "REF-2"
    assert [p["dimensions"][0]["type"] for p in cdr["charging_periods"]] == [
        "RESERVATION_TIME",
        "ENERGY",
    ]
    assert cdr["total_reservation_cost"]["excl_vat"] == 1.0  # ten minutes
    assert cdr["total_energy_cost"]["excl_vat"] == 1.0
    assert cdr["total_cost"]["excl_vat"] == 2.0


@pytest.mark.parametrize(("expired", "cost"), [(True, 5.0), (False, 3.0)])
def test_a_reservation_that_nobody_took_up_is_billed_as_the_tariff_says(
    world: World, expired: bool, cost: float
) -> None:
    session_id = world.reserve()
    assert world.end_reservation(1800, expired=expired) == session_id
    assert world.session(session_id)["status"] == "COMPLETED"
    [cdr] = world.cdrs()
    assert cdr["total_cost"]["excl_vat"] == cost
    assert (cdr["session_id"], cdr["total_energy"]) == (session_id, 0.0)
    assert world.end_reservation(1900, expired=expired) is None
    assert len(world.cdrs()) == 1


def test_nobody_pays_for_an_expiry_that_was_noticed_late(world: World) -> None:
    session_id = world.reserve()
    world.end_reservation(9000, over=1800, expired=False)
    assert world.session(session_id)["end_date_time"] == "2025-05-05T15:00:00Z"
    [cdr] = world.cdrs()
    assert cdr["total_cost"]["excl_vat"] == 3.0  # half an hour

    # Nor where a start was under way then, which came to nothing
    session_id = world.reserve(10_000)
    world.open(10_600, reservation_id="R1")
    world.end_reservation(10_900, over=10_800, expired=False)
    assert world.abandon(session_id, 99_000) == "COMPLETED"
    assert world.session(session_id)["end_date_time"] == "2025-05-05T17:30:00Z"


def test_a_reservation_that_costs_nothing_has_no_cdr(db: Database, loop: Loop) -> None:
    world = World(db, loop, tariff())
    session_id = world.reserve()
    world.end_reservation(1800, expired=True)
    assert world.session(session_id)["status"] == "COMPLETED"
    assert world.cdrs() == []


def test_another_of_the_group_who_takes_it_up_has_a_session_of_his_own(world: World) -> None:
    reserved = world.reserve()
    other = world.open(600, reservation_id="R1", token={**TOKEN, "uid": "CARD-2"})
    assert other != reserved
    assert world.session(reserved)["status"] == "COMPLETED"
    assert world.session(other)["status"] == "PENDING"
    [cdr] = world.cdrs()
    assert (cdr["id"], cdr["cdr_token"]["uid"]) == (reserved, "CARD-1")


def test_a_start_that_fails_leaves_the_reservation(world: World) -> None:
    session_id = world.reserve()
    world.open(600, reservation_id="R1")
    assert world.abandon(session_id, 610) == "RESERVATION"
    assert not world.inner(session_id)["running"]
    assert world.open(620, reservation_id="R1") == session_id
    # It expires while the start is under way: the start decides.
    world.end_reservation(630, expired=True)
    assert world.session(session_id)["status"] == "RESERVATION"
    assert world.abandon(session_id, 640) == "COMPLETED"
    assert len(world.cdrs()) == 1


def test_a_reservation_for_another_token_is_another_session(world: World) -> None:
    first = world.reserve()
    assert world.reserve(60) == first
    second = world.reserve(120, token={**TOKEN, "uid": "CARD-9"})
    assert second != first
    assert world.session(first)["status"] == "COMPLETED"
    assert world.session(second)["status"] == "RESERVATION"
