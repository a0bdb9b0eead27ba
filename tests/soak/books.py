"""The judgement: what the charge points' journals say was delivered, against what was billed."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from db_interface.database import Database
from domain.commands.command_states import TABLE
from domain.reconciliation.register_findings import reconcile_registers
from domain.sessions.session_states import FINAL
from tests.soak.receiver import Receiver

ROUNDED_WH = 0.06
"""A CDR bears tenths of a Wh."""
UNFINISHED = [state.value for state, row in TABLE.items() if row]
TO_LOOK_AT = ("suspect", "held", "cdr_problem", "unbilled", "to_stop")


@dataclass(frozen=True)
class Journal:
    """What an engine knows, whoever asks: its register, and the energy of each session."""

    cp_id: str
    register_wh: float
    delivered_wh: Mapping[str, float]
    running: str | None

    @classmethod
    def of(cls, path: Path) -> Journal:
        with sqlite3.connect(path) as db:
            [(body,)] = db.execute("SELECT body FROM state").fetchall()
            rows = db.execute("SELECT session_id, body FROM ended").fetchall()
        db.close()
        state = json.loads(body)
        delivered = {session_id: json.loads(end)["energy_wh"] for session_id, end in rows}
        running = state["session"]["session_id"] if state["session"] else None
        cp_id = path.stem.removeprefix("engine-")
        return cls(cp_id, state["register_wh"], delivered, running)


async def unsettled(db: Database) -> list[str]:
    """What is still under way in the store; empty when all has come to rest."""
    found: list[str] = []
    final = [status.value for status in FINAL]
    async for row in db["charging_sessions"].find({"status": {"$nin": final}}):
        found.append(f"session {row['_id']} at {row['cp_id']} is {row['status']}")
    for name in ("suspect", "to_stop"):
        async for row in db["charging_sessions"].find({name: {"$exists": True}}):
            found.append(f"session {row['_id']} at {row['cp_id']}: {name} {row[name]}")
    async for row in db["marks"].find({}):
        found.append(f"mark {row['_id']}: {row.get('error')}")
    async for row in db["commands"].find({"state": {"$in": UNFINISHED}}):
        found.append(f"command {row['kind']} {row['_id']} is {row['state']}")
    return found


async def differences(db: Database, journals: list[Journal], server: Receiver) -> list[str]:
    """Everything that is not as it has to be, one line each."""
    found = [*_registers(journals), *_bills(journals, server), *_arrivals(server)]
    for name in TO_LOOK_AT:
        async for row in db["charging_sessions"].find({name: {"$exists": True}}):
            found.append(f"session {row['_id']} at {row['cp_id']}: {name} {row[name]}")
    billed = {row["fields"]["id"] async for row in db["cdrs"].find({}, {"fields.id": 1})}
    for cdr_id in billed ^ server.told("cdrs").keys():
        found.append(f"CDR {cdr_id} is {'not at the eMSP' if cdr_id in billed else 'unknown'}")
    now = db.now()
    report = await reconcile_registers(db, now - timedelta(days=2), now + timedelta(days=1))
    found += [f"register: {one}" for one in report.findings]
    return found + server.protests


def _registers(journals: list[Journal]) -> Iterator[str]:
    """All energy flows in sessions, so a register is the sum of its sessions."""
    for one in journals:
        total = sum(one.delivered_wh.values())
        if one.running is not None:
            yield f"{one.cp_id} still has session {one.running}"
        if abs(total - one.register_wh) > 0.001 * (len(one.delivered_wh) + 1):
            yield f"{one.cp_id}: register {one.register_wh:.3f} Wh, its sessions {total:.3f} Wh"


def _bills(journals: list[Journal], server: Receiver) -> Iterator[str]:
    """Session by session, and so in sum: credits counted, what was delivered is billed."""
    delivered = {
        session_id: energy_wh
        for one in journals
        for session_id, energy_wh in one.delivered_wh.items()
    }
    billed = billed_wh(server)
    for session_id in delivered.keys() | billed.keys():
        there, here = delivered.get(session_id, 0.0), billed.get(session_id, 0.0)
        if abs(there - here) > ROUNDED_WH:
            yield f"session {session_id}: delivered {there:.3f} Wh, billed {here:.3f} Wh"


def billed_wh(server: Receiver) -> dict[str, float]:
    billed: Counter[str] = Counter()
    for cdr in server.told("cdrs").values():
        tenths = round(cdr["total_energy"] * 10_000)
        billed[cdr["session_id"]] += -tenths if cdr.get("credit") else tenths
    return {session_id: tenths / 10 for session_id, tenths in billed.items()}


def _arrivals(server: Receiver) -> Iterator[str]:
    for cdr_id, request_ids in server.arrivals.items():
        if len(request_ids) != 1:
            yield f"CDR {cdr_id} arrived {len(request_ids)} times"
        states: list[Any] = server.objects["cdrs", cdr_id]
        if any(state != states[0] for state in states):
            yield f"CDR {cdr_id} was not the same at each repeat"
