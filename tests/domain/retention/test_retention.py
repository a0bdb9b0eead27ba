"""What was kept for long enough goes; nothing that is younger, nothing that money still needs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from db_interface.database import Database
from domain.charge_points import evse_history
from domain.charge_points.charge_point_documents import CHARGE_POINTS
from domain.charge_points.evse_history import HISTORY, Change
from domain.operator.money import QUERIES, Kind
from domain.reservations.reservations import RESERVATIONS
from domain.retention.retention import Keep, forget
from domain.sessions.session_records import SESSIONS
from domain.sessions.session_trimming import BULKY
from tests.clock import Clock
from tests.conftest import Loop

KEEP = Keep(
    status_changes=400, session_details=400, reservations=90, commands=30, tokens=400, cards=0
)


@pytest.fixture
def clock(db: Database) -> Clock:
    clock = Clock()
    db.clock = clock
    return clock


def ago(db: Database, days: float) -> datetime:
    return db.now() - timedelta(days=days)


def change(cp_id: str, n: int, at: datetime, to: str) -> Change:
    return {
        "_id": f"{cp_id}/{n}",
        "cp_id": cp_id,
        "n": n,
        "at": at,
        "from": None,
        "to": to,
        "why": "",
    }


def test_of_the_status_changes_the_old_ones_go_and_uptime_stays_true(
    db: Database, loop: Loop, clock: Clock
) -> None:
    since, until = ago(db, 390), ago(db, 380)

    async def work() -> list[str]:
        # The one has been silent for years, the other changes all the time.
        for cp_id in ("QUIET", "BUSY", "NEW"):
            await CHARGE_POINTS.of(db).driver.insert_one({"_id": cp_id})
        await HISTORY.of(db).insert_many(
            [
                change("QUIET", 1, ago(db, 900), "UNKNOWN"),
                change("QUIET", 2, ago(db, 800), "AVAILABLE"),
                *(
                    change("BUSY", n, ago(db, 500 - n / 12), "CHARGING" if n % 2 else "AVAILABLE")
                    for n in range(1, 1101)
                ),
                change("NEW", 1, ago(db, 1), "AVAILABLE"),
            ]
        )
        before = [await evse_history.uptime(db, cp_id, since, until) for cp_id in ("QUIET", "BUSY")]
        gone = await forget(db, KEEP, pause_s=0)
        after = [await evse_history.uptime(db, cp_id, since, until) for cp_id in ("QUIET", "BUSY")]
        assert before == after
        assert after[0].uptime_percent == 100.0
        assert gone.status_changes == 1 + 1099
        assert (await forget(db, KEEP, pause_s=0)).any is False
        return [row["_id"] for row in await HISTORY.of(db).find({}, sort=[("_id", 1)])]

    assert loop.run(work()) == ["BUSY/1100", "NEW/1", "QUIET/2"]


def session(id_: str, created: datetime, **more: Any) -> dict[str, Any]:
    return {
        "_id": id_,
        "cp_id": "CP-001",
        "connector_id": "1",
        "status": "COMPLETED",
        "running": False,
        "created": created,
        "started": created,
        "ended": created,
        "token": {"uid": "K1"},
        "time_zone": "Europe/Berlin",
        "register_start_wh": 0.0,
        "register_end_wh": 10.0,
        "energy_wh": 10.0,
        **{name: [1] for name in BULKY},
        **more,
    }


TROUBLE: Mapping[Kind, dict[str, Any]] = {
    Kind.HELD: {"held": {"since": 1, "why": ""}},
    Kind.WITHOUT_CDR: {"cdr_problem": "no tariff"},
    Kind.UNBILLED: {"unbilled": {"energy_wh": 1.0, "at": 1, "why": ""}},
    Kind.SUSPECT: {"suspect": {"since": 1, "why": ""}},
    Kind.ESTIMATED: {"estimated": True},
    Kind.SIGNATURE: {"signature": {"verdict": "wrong", "reason": None, "problem": None}},
}


def test_settled_sessions_lose_their_details_and_all_others_none(
    db: Database, loop: Loop, clock: Clock
) -> None:
    old = ago(db, 401)

    async def work() -> dict[str, bool]:
        put = SESSIONS.of(db).driver.insert_one
        await put(session("settled", old))
        await put(session("never-began", old, status="INVALID"))
        await put(session("young", ago(db, 399)))
        await put(session("runs", old, status="ACTIVE", running=True))
        await put(session("must-stop", old, to_stop=True))
        for kind, facts in TROUBLE.items():
            await put(session(kind.name, old, **facts))
            assert await SESSIONS.of(db).count(QUERIES[kind]) == 1
        assert (await forget(db, KEEP, pause_s=0)).session_details == 2
        assert (await forget(db, KEEP, pause_s=0)).session_details == 0
        rows = await SESSIONS.of(db).find({})
        settled = next(row for row in rows if row["_id"] == "settled")
        assert not set(BULKY) & set(settled)
        whole = {name for name in session("x", old) if name not in BULKY}
        assert set(settled) == {*whole, "trimmed"}
        return {row["_id"]: "trimmed" in row for row in rows}

    trimmed = {one for one, is_trimmed in loop.run(work()).items() if is_trimmed}
    assert trimmed == {"settled", "never-began"}
    assert set(TROUBLE) == set(QUERIES)


def test_trimming_reads_no_session_that_it_leaves_alone(db: Database, loop: Loop) -> None:
    async def plan() -> list[str]:
        whole = {"ended": {"$lt": db.now()}, "segments": {"$exists": True}}
        explained = await SESSIONS.of(db).driver.find(whole).explain()
        return str(explained["queryPlanner"]["winningPlan"]).split("'indexName': '")[1:]

    assert [name.split("'")[0] for name in loop.run(plan())] == ["ended_1"]


def test_reservations_that_are_over_go(db: Database, loop: Loop, clock: Clock) -> None:
    async def work() -> list[str]:
        for id_, active, expiry, ended in (
            ("over", False, 100, 100),
            ("just-over", False, 100, 10),
            ("young", False, 80, 80),
            ("holds", True, 100, None),
        ):
            row: dict[str, Any] = {"_id": id_, "active": active, "expiry_date": ago(db, expiry)}
            if ended is not None:
                row["ended"] = ago(db, ended)
            await RESERVATIONS.of(db).driver.insert_one(row)
        assert (await forget(db, KEEP, pause_s=0)).reservations == 1
        return sorted(row["_id"] for row in await RESERVATIONS.of(db).find({}))

    assert loop.run(work()) == ["holds", "just-over", "young"]


def test_zero_days_are_for_ever(db: Database, loop: Loop, clock: Clock) -> None:
    async def work() -> bool:
        await SESSIONS.of(db).driver.insert_one(session("settled", ago(db, 9000)))
        return (await forget(db, Keep(0, 0, 0, 0, 0, 0), pause_s=0)).any

    assert loop.run(work()) is False
