"""Registers against sessions and CDRs: what does not add up is named; what does is not."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from db_interface.database import Database
from domain.operator import reconciliation as shown
from domain.reconciliation.register_chain import Difference, Kind, Link, differences
from domain.reconciliation.register_findings import FINDINGS, reconcile_registers
from domain.sessions.credits import credit_cdr
from domain.sessions.session_registers import note_register_end
from tests.conftest import Loop
from tests.domain.sessions.worlds import World, after, reading, tariff

T0 = datetime(2026, 11, 1, tzinfo=timezone.utc)


def link(number: int, start_wh: float, end_wh: float, **more: Any) -> Link:
    given: dict[str, Any] = {
        "session_id": f"S{number}",
        "cp_id": "CP-001",
        "connector_id": "1",
        "created": T0 + timedelta(hours=number),
        "started": T0 + timedelta(hours=number),
        "ended": True,
        "start_wh": start_wh,
        "end_wh": end_wh,
        "meter_id": "M1",
        "billed_wh": end_wh - start_wh,
        **more,
    }
    return Link(**given)


def named(*links: Link, previous: Link | None = None) -> list[tuple[Kind, str, float]]:
    found = differences(links, previous=previous)
    return [(one.kind, one.session_id, one.energy_wh) for one in found]


def test_a_chain_without_gaps_says_nothing() -> None:
    assert named(link(1, 0, 500), link(2, 500.4, 800), link(3, 800, 800)) == []


@pytest.mark.parametrize(
    ("second", "kind", "energy_wh"),
    [
        (link(2, 750, 900), Kind.GAP, 250),
        (link(2, 300, 900), Kind.OVERLAP, 200),
        (link(2, 0, 900), Kind.RESET, 500),
        (link(2, 0, 900, meter_id="M2"), Kind.NEW_METER, 500),
        (link(2, 7000, 7900, meter_id="M2"), Kind.NEW_METER, 0),
        (link(2, 500, 900, billed_wh=None), Kind.NOT_BILLED, 400),
        (link(2, 500, 900, billed_wh=150), Kind.BILLED_LESS, 250),
        (link(2, 500, 900, billed_wh=500), Kind.BILLED_MORE, 100),
    ],
)
def test_each_difference_has_its_name(second: Link, kind: Kind, energy_wh: float) -> None:
    assert named(link(1, 100, 500), second) == [(kind, "S2", energy_wh)]


def test_what_still_runs_owes_no_cdr_and_the_first_link_is_held_against_the_one_before() -> None:
    assert named(link(2, 500, 900, ended=False, billed_wh=None)) == []
    assert named(link(2, 500, 900), previous=link(1, 0, 400)) == [(Kind.GAP, "S2", 100)]


# --- In the store -------------------------------------------------------------------------------


@pytest.fixture
def world(db: Database, loop: Loop) -> World:
    return World(db, loop, tariff())


def charged(world: World, at: float, register_wh: float, energy_wh: float) -> str:
    """A session as the charge point tells of it; the register's readings at both its ends."""
    session_id = world.open(at)
    world.begin(session_id, at)
    world.meter(session_id, reading(at + 60, energy_wh / 2))
    world.end(session_id, at + 3600, energy_wh)
    end_wh = register_wh + energy_wh
    world.transact(lambda tx: note_register_end(tx, session_id, end_wh, energy_wh))
    return session_id


def reconciled(world: World, since: float = -3600) -> list[Difference]:
    report = world.loop.run(reconcile_registers(world.db, after(since), after(10**6)))
    return list(report.findings)


def test_energy_between_two_sessions_is_found_kept_and_shown(world: World) -> None:
    first = charged(world, 0, 1000, 5000)
    assert reconciled(world) == []
    second = world.open(7200)
    world.begin(second, 7200)
    # World.begin says 1000 Wh: what the register said when the first session began.
    [found] = reconciled(world)
    assert (found.kind, found.session_id, found.previous_id) == (Kind.OVERLAP, second, first)
    assert found.energy_wh == 5000
    totals = {row.kind: row for row in world.loop.run(shown.register_totals(world.db))}
    assert (totals["overlap"].number, totals["overlap"].energy_wh) == (1, 5000)
    [entry] = world.loop.run(shown.needs_a_look(world.db, 10))
    assert (entry.kind, entry.session_id, entry.energy_wh) == ("overlap", second, 5000)


def test_cdrs_are_held_against_the_register_credits_counted_until_it_adds_up(world: World) -> None:
    session_id = charged(world, 0, 1000, 5000)
    [cdr] = world.cdrs()
    world.loop.run(credit_cdr(world.store, cdr["id"]))
    [found] = reconciled(world)
    assert (found.kind, found.energy_wh) == (Kind.BILLED_LESS, 5000)
    first_found = world.loop.run(FINDINGS.of(world.db).find({}))[0]["found"]
    world.clock.at = after(50_000)
    assert len(reconciled(world)) == 1
    [kept] = world.loop.run(FINDINGS.of(world.db).find({}))
    assert (kept["session_id"], kept["found"]) == (session_id, first_found)

    async def corrected() -> None:
        wrong = {"energy_wh": 0.0, "register_end_wh": 1000.0}
        await world.db["charging_sessions"].update_one({"_id": session_id}, {"$set": wrong})

    world.loop.run(corrected())
    assert reconciled(world) == []
    assert world.loop.run(FINDINGS.of(world.db).find({})) == []


def test_a_later_pass_over_another_time_leaves_what_was_found_before(world: World) -> None:
    charged(world, 0, 1000, 5000)
    charged(world, 7200, 1000, 100)
    assert [one.kind for one in reconciled(world)] == [Kind.OVERLAP]
    assert reconciled(world, since=900_000) == []
    assert len(world.loop.run(FINDINGS.of(world.db).find({}))) == 1
    # From the second session on: the link to the first is still judged.
    assert Kind.OVERLAP in [one.kind for one in reconciled(world, since=7000)]


def test_a_start_that_was_never_heard_follows_from_the_energy(world: World) -> None:
    session_id = world.open(0)
    world.end(session_id, 3600, 5000.0)
    world.transact(lambda tx: note_register_end(tx, session_id, 9000.0, 5000.0))
    inner = world.inner(session_id)
    assert (inner["register_start_wh"], inner["register_end_wh"]) == (4000.0, 9000.0)
