"""Telemetry that was not taken, as the console shows it and lets it be settled."""

from __future__ import annotations

import pytest

from db_interface.database import Database
from db_interface.transaction import Tx
from domain.charge_points import dead_letters
from domain.charge_points.dead_letters import DEAD_LETTERS, letter
from domain.operator import money
from tests.conftest import Loop
from tests.cpo_app.console.worlds import EVIL, NOW, Night

FAILED, REFUSED = "CP-001/boot-1/7", "CP-001/boot-1/8"


@pytest.fixture
def night(db: Database, loop: Loop) -> Night:
    night = Night(db, loop)
    night.register("CP-001", "Amsterdam")

    async def keep(tx: Tx) -> None:
        told = {"at": NOW, "session_id": EVIL, "energy_wh": 4200.0, "kind": "session_stopped"}
        seven, eight = {**told, "seq": 7}, {**told, "seq": 8, "kind": "meter"}
        letters = [
            letter(tx, "CP-001", "boot-1", seven, EVIL, refused=False),
            letter(tx, "CP-001", "boot-1", eight, EVIL, refused=True),
        ]
        await dead_letters.keep(tx, letters)

    loop.run(night.store.transact(keep))
    return night


def ids(night: Night) -> list[str]:
    rows = night.loop.run(dead_letters.listed(night.db, "CP-001", 10))
    return [row.id for row in rows]


def test_they_stand_on_their_charge_points_page(night: Night) -> None:
    page = night.visit().get("/console/charge-points/CP-001").text
    assert page.index(FAILED) < page.index(REFUSED)
    assert "4.200\u00a0kWh" in page
    assert EVIL not in page


def test_one_is_replayed_once_it_is_confirmed(night: Night) -> None:
    visit = night.visit()
    path = "/console/dead-letters/replay"
    form = {"form_token": visit.form_token(), "letter_id": FAILED}
    assert visit.post(path, {"letter_id": FAILED}).status_code == 403
    done = visit.post(path, form)
    assert (
        done.headers["location"]
        == "/console/charge-points/CP-001?done=charge_points.replay%3Ataken"
    )
    night.not_taken = "its session is not known"
    again = visit.post(path, form)
    assert (
        again.headers["location"]
        == "/console/charge-points/CP-001?done=charge_points.replay%3Anot%20taken"
    )
    assert night.replayed == [FAILED, FAILED]


def test_one_is_dropped_once(night: Night) -> None:
    visit = night.visit()
    path = "/console/dead-letters/drop"
    form = {"form_token": visit.form_token(), "letter_id": FAILED}
    done = visit.post(path, form)
    assert done.headers["location"] == "/console/charge-points/CP-001?done=charge_points.drop"
    assert ids(night) == [REFUSED]
    assert visit.post(path, form).status_code == 404


@pytest.mark.parametrize(
    ("action", "letter_id", "status"),
    [("burn", FAILED, 404), ("drop", "", 400), ("drop", "CP-001/boot-1/9", 404)],
)
def test_nothing_else_can_be_done(night: Night, action: str, letter_id: str, status: int) -> None:
    visit = night.visit()
    form = {"form_token": visit.form_token(), "letter_id": letter_id}
    assert visit.post(f"/console/dead-letters/{action}", form).status_code == status
    assert ids(night) == [FAILED, REFUSED]


def test_those_that_failed_are_money_that_needs_a_look(night: Night) -> None:
    counts = night.loop.run(money.counts(night.db))
    assert counts.by_kind["dead letter"] == counts.total == 1
    (entry,) = night.loop.run(money.entries(night.db, 10))
    assert (entry.kind, entry.cp_id, entry.since) == ("dead letter", "CP-001", NOW)
    assert (entry.energy_wh, entry.session_id) == (4200.0, EVIL)
    assert entry.do.endswith(f"cpo charge-points dead-letters replay {FAILED}")
    page = night.visit().get("/console/money").text
    assert FAILED in page
    assert EVIL not in page


def test_they_are_counted_for_monitoring(night: Night) -> None:
    lines = night.visit().get("/metrics").text.splitlines()
    assert 'cpo_dead_letters{kind="failed"} 1.0' in lines
    assert 'cpo_dead_letters{kind="refused"} 1.0' in lines
    assert 'cpo_money_needs_a_look{kind="dead letter"} 1.0' in lines


def test_what_is_asked_of_the_store_finds_its_index(night: Night) -> None:
    async def plan(query: dict[str, object]) -> str:
        found = await DEAD_LETTERS.of(night.db).driver.find(query).sort("at", -1).explain()
        return str(found["queryPlanner"]["winningPlan"])

    queries: tuple[dict[str, object], ...] = (
        {"refused": False},
        {"refused": True},
        {"cp_id": "CP-001", "refused": True},
    )
    for query in queries:
        stages = night.loop.run(plan(query))
        assert "COLLSCAN" not in stages
        assert "'stage': 'SORT'" not in stages
