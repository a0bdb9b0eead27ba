"""`cpo charge-points dead-letters`: telemetry that was not taken is looked at and settled."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.charge_points import dead_letters
from domain.charge_points.dead_letters import letter
from domain.sessions.session_records import SESSIONS
from domain.sessions.session_rules import Rules
from tests.conftest import Loop
from tests.cpo_app.cli.conftest import Cpo
from tests.domain.sessions.worlds import World, reading, tariff

AT = datetime(2025, 5, 1, 12, tzinfo=timezone.utc)
HALF = "\ud800"


def keep(db: Database, loop: Loop, seq: int, message: dict[str, Any], cp_id: str = "CP-001") -> str:
    async def work(tx: Tx) -> str:
        whole = {"seq": seq, "at": AT, **message}
        kept = letter(tx, cp_id, "boot-1", whole, "RuntimeError: no", refused=False)
        await dead_letters.keep(tx, [kept])
        return kept["_id"]

    return loop.run(DbInterface(db).transact(work))


def meter(session_id: str) -> dict[str, Any]:
    return {
        "kind": "meter",
        "connector_id": "1",
        "session_id": session_id,
        "energy_wh": 100.0,
        "register_wh": 5100.0,
        "power_w": 11000.0,
        "current_a": 16.0,
        "voltage_v": 230.0,
        "phases": 3,
    }


def test_they_are_listed_and_shown_whatever_they_hold(db: Database, loop: Loop, cpo: Cpo) -> None:
    first = keep(db, loop, 1, meter(HALF))
    keep(db, loop, 2, meter("S"), cp_id="CP-002")
    table = cpo("charge-points", "dead-letters")
    assert (table.code, table.err) == (0, "2 not taken\n")
    assert first in table.out and "RuntimeError: no" in table.out

    of_one = cpo("charge-points", "dead-letters", "list", "--charge-point", "CP-001", "--json")
    (row,) = of_one.json()
    assert (row["id"], row["session_id"], row["refused"]) == (first, "\\ud800", False)
    shown = cpo("charge-points", "dead-letters", "show", first).json()
    assert shown["message"]["session_id"] == HALF
    assert shown["reason"] == "RuntimeError: no"


def test_one_is_dropped(db: Database, loop: Loop, cpo: Cpo) -> None:
    kept = keep(db, loop, 1, meter("S"))
    assert cpo("charge-points", "dead-letters", "drop", kept).out == f"{kept}: dropped\n"
    gone = cpo("charge-points", "dead-letters", "show", kept)
    assert (gone.code, gone.err) == (1, f"cpo: {kept}: no such dead letter\n")


def test_those_that_are_replayed_are_billed(db: Database, loop: Loop, cpo: Cpo) -> None:
    """The meter value and the end of a session were set aside; its bill comes from the replay."""
    world = World(db, loop, tariff(), rules=Rules())
    session_id = world.open()
    world.begin(session_id)
    world.meter(session_id, reading(60, 50.0))
    document = loop.run(SESSIONS.of(db).find_one({"_id": session_id}))
    assert document is not None
    cp_id, last = document["cp_id"], document["last_at"]
    stopped = {
        "kind": "session_stopped",
        "connector_id": document["connector_id"],
        "session_id": session_id,
        "energy_wh": 100.0,
        "register_wh": 5100.0,
        "reason": "EV_DISCONNECTED",
        "at": last,
    }
    metered = {**meter(session_id), "at": last}
    ids = [keep(db, loop, 7, metered, cp_id), keep(db, loop, 8, stopped, cp_id)]

    done = cpo("charge-points", "dead-letters", "replay", *ids)
    assert (done.code, done.out) == (0, "".join(f"{one}: taken\n" for one in ids))
    assert [cdr["total_energy"] for cdr in world.cdrs()] == [0.1]
    assert loop.run(dead_letters.listed(db, None, 10)) == []


def test_one_that_is_not_taken_again_says_why(db: Database, loop: Loop, cpo: Cpo) -> None:
    kept = keep(db, loop, 1, meter("S-UNKNOWN"))
    done = cpo("charge-points", "dead-letters", "replay", kept)
    assert (done.code, done.out) == (1, "")
    assert done.err.endswith(f"cpo: {kept}: not taken: its session is not known\n")
    (row,) = loop.run(dead_letters.listed(db, None, 10))
    assert row.reason == "its session is not known"


def test_the_doctor_says_that_there_are_some(db: Database, loop: Loop, cpo: Cpo) -> None:
    keep(db, loop, 1, meter("S"))
    findings = {one["check"]: one for one in cpo("doctor", "--json").json()}
    assert findings["telemetry"]["level"] == "WARN"
    assert findings["telemetry"]["said"] == "messages that were not taken: 1 failed"
