"""Silence is not an end: what becomes of sessions that their charge points are silent about."""

from __future__ import annotations

import pytest

from db_interface.database import Database
from domain.objects.cdrs import reprice
from domain.sessions import charging_sessions
from tests.conftest import Loop
from tests.domain.sessions.worlds import World, after, element, reading, tariff

DAYS = 7 * 86400


@pytest.fixture
def world(db: Database, loop: Loop) -> World:
    return World(db, loop, tariff())


def begun(world: World, energy_wh: float = 400.0) -> str:
    session_id = world.open()
    world.begin(session_id)
    world.meter(session_id, reading(120, energy_wh))
    return session_id


def net_kwh(world: World) -> float:
    """The energy on all CDRs, credits counted."""
    return round(
        sum(-c["total_energy"] if c.get("credit") else c["total_energy"] for c in world.cdrs()), 4
    )


def test_a_suspect_session_lets_go_of_its_connector_and_peers_see_no_change(world: World) -> None:
    session_id = begun(world)
    before = world.session(session_id)
    assert world.fall_silent(session_id, 900)
    assert not world.fall_silent(session_id, 950)
    assert world.session(session_id) == before
    inner = world.inner(session_id)
    assert (inner["status"], inner["running"]) == ("ACTIVE", False)
    assert inner["suspect"] == {"since": after(900), "why": "not heard of"}
    assert world.cdrs() == []
    assert world.open(1000) != session_id


def test_the_charge_points_word_closes_a_suspect_session_days_later_with_its_own_times(
    world: World,
) -> None:
    session_id = begun(world)
    world.fall_silent(session_id, 900)
    world.clock.at = after(3 * 86400)
    for second in (130, 1800):
        world.transact(
            lambda tx, at=second: charging_sessions.meter_reading(  # type: ignore[misc]
                tx, session_id, reading(at, at * 3.2)
            )
        )
    inner = world.inner(session_id)
    assert (inner["running"], inner.get("suspect")) == (True, None)
    world.transact(
        lambda tx: charging_sessions.session_ended(
            tx, session_id, at=after(3600), energy_wh=7000.0, reason="local"
        )
    )
    [cdr] = world.cdrs()
    assert (cdr["total_energy"], cdr["end_date_time"]) == (7.0, "2025-05-05T15:30:00Z")
    assert world.session(session_id)["status"] == "COMPLETED"


def test_a_suspect_session_is_billed_right_while_another_holds_its_connector(world: World) -> None:
    session_id = begun(world)
    world.fall_silent(session_id, 900)
    other = world.open(1000)
    assert world.meter(session_id, reading(1010, 3000.0)) == "ACTIVE"
    inner = world.inner(session_id)
    assert (inner["running"], inner["suspect"]["why"]) == (  # type: ignore[index]
        False,
        f"session {other} holds its connector",
    )
    assert world.inner(other)["running"]
    assert world.end(session_id, 1020, 3010.0) == "COMPLETED"
    assert "suspect" not in world.inner(session_id)
    assert world.inner(other)["running"]
    assert [cdr["total_energy"] for cdr in world.cdrs()] == [3.01]


def test_a_start_that_nothing_is_heard_of_is_suspect_and_begins_when_the_word_comes(
    world: World,
) -> None:
    session_id = world.open()
    assert world.fall_silent(session_id, 200, "it did not begin in time")
    assert world.session(session_id)["status"] == "PENDING"
    assert world.begin(session_id, 20) == "ACTIVE"
    assert world.inner(session_id)["running"]
    world.end(session_id, 300, 800.0)
    assert [cdr["total_energy"] for cdr in world.cdrs()] == [0.8]


def test_after_days_a_session_is_closed_on_what_was_measured_and_marked(world: World) -> None:
    session_id = begun(world)
    assert not world.give_up(session_id, 500)  # nothing is wrong with it
    world.fall_silent(session_id, 900, "nothing is heard of it any more")
    assert world.give_up(session_id, 900 + DAYS)
    assert not world.give_up(session_id, 901 + DAYS)
    inner = world.inner(session_id)
    assert (inner["status"], inner["estimated"], inner.get("suspect")) == ("COMPLETED", True, None)
    [cdr] = world.cdrs()
    assert (cdr["end_date_time"], cdr["total_energy"]) == ("2025-05-05T14:32:00Z", 0.4)
    assert cdr["remark"] == "estimated: nothing is heard of it any more"


def test_the_truth_after_an_estimate_makes_the_credit_and_the_right_cdr_once(world: World) -> None:
    session_id = begun(world)
    world.fall_silent(session_id, 900)
    world.give_up(session_id, 900 + DAYS)
    shown = world.session(session_id)
    for second in (1000, 2000, 3000):
        world.transact(
            lambda tx, at=second: charging_sessions.meter_reading(  # type: ignore[misc]
                tx, session_id, reading(at, at * 3.2)
            )
        )
    assert len(world.cdrs()) == 1  # it is corrected when all is known, not at each value
    for _ in range(2):
        world.transact(
            lambda tx: charging_sessions.session_ended(
                tx, session_id, at=after(3600), energy_wh=10_000.0, reason="local"
            )
        )
    estimate, credit, right = world.cdrs()
    assert credit["credit_reference_id"] == estimate["id"]
    assert credit["total_cost"]["excl_vat"] == -estimate["total_cost"]["excl_vat"]
    assert (right["total_energy"], right["end_date_time"]) == (10.0, "2025-05-05T15:30:00Z")
    assert right["remark"] == "ended: local"
    assert right["id"] not in (estimate["id"], credit["id"])
    priced = reprice(right, "Europe/Amsterdam")
    assert priced is not None
    assert priced.totals().items() <= right.items()
    assert net_kwh(world) == 10.0
    assert world.session(session_id) == shown  # COMPLETED: "no more modifications"
    inner = world.inner(session_id)
    assert (inner["energy_wh"], inner["estimated"], inner.get("to_stop")) == (10_000.0, False, None)


def test_a_word_that_confirms_the_estimate_changes_no_bill(world: World) -> None:
    session_id = begun(world)
    world.fall_silent(session_id, 900)
    world.give_up(session_id, 900 + DAYS)
    world.end(session_id, 120, 400.0)
    assert len(world.cdrs()) == 1
    assert not world.inner(session_id)["estimated"]


def test_a_start_given_up_after_days_is_revived_when_it_turns_out_to_have_begun(
    world: World,
) -> None:
    session_id = world.open()
    world.fall_silent(session_id, 200)
    assert world.give_up(session_id, 200 + DAYS)
    assert world.session(session_id)["status"] == "INVALID"
    assert world.cdrs() == []
    assert world.meter(session_id, reading(300 + DAYS, 700.0)) == "ACTIVE"
    assert world.inner(session_id).get("to_stop") is None  # nobody stops a car that we did not hear
    world.end(session_id, 400 + DAYS, 900.0)
    assert world.session(session_id)["status"] == "COMPLETED"
    assert net_kwh(world) == 0.9


def test_a_correction_that_again_falls_silent_is_estimated_anew(world: World) -> None:
    session_id = begun(world)
    world.fall_silent(session_id, 900)
    world.give_up(session_id, 900 + DAYS)
    world.meter(session_id, reading(1000 + DAYS, 5000.0))
    world.fall_silent(session_id, 2000 + DAYS)
    world.give_up(session_id, 2000 + 2 * DAYS)
    assert [bool(cdr.get("credit")) for cdr in world.cdrs()] == [False, True, False]
    assert net_kwh(world) == 5.0


def test_a_bill_that_was_credited_by_hand_is_not_made_again_without_the_operator(
    world: World,
) -> None:
    from domain.sessions.credits import credit_cdr
    from domain.sessions.session_bills import CREDITED_BY_HAND

    session_id = begun(world)
    world.fall_silent(session_id, 900)
    world.give_up(session_id, 900 + DAYS)
    world.loop.run(credit_cdr(world.store, session_id))
    world.end(session_id, 1000 + DAYS, 9000.0)
    assert net_kwh(world) == 0.0
    assert world.inner(session_id)["cdr_problem"] == CREDITED_BY_HAND


def test_a_reservation_whose_start_is_suspect_waits_for_the_word_before_it_is_billed(
    db: Database, loop: Loop
) -> None:
    world = World(db, loop, tariff("T1", element("ENERGY", 0.4), element("FLAT", 1.0)))
    session_id = world.reserve()
    world.open(60, reservation_id="R1")
    world.fall_silent(session_id, 300)
    world.end_reservation(600, expired=True)
    assert world.session(session_id)["status"] == "RESERVATION"
    assert world.begin(session_id, 70) == "ACTIVE"
    world.end(session_id, 700, 1000.0)
    assert [cdr["total_energy"] for cdr in world.cdrs()] == [1.0]
    inner = world.inner(session_id)
    assert not inner["reservation_expired"]


def test_a_reservation_whose_suspect_start_is_given_up_is_over_since_it_was(
    world: World,
) -> None:
    session_id = world.reserve()
    world.open(60, reservation_id="R1")
    world.fall_silent(session_id, 300)
    world.end_reservation(600, expired=True)
    assert world.give_up(session_id, 300 + DAYS)
    inner = world.inner(session_id)
    assert (inner["status"], inner["ended"]) == ("COMPLETED", after(600))
