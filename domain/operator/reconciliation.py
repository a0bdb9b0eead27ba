"""What an operator sees of reconciliation: energy that does not add up, CDRs that peers lack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from db_interface.database import Database
from db_interface.json_data import JsonMapping
from domain.reconciliation.cdr_arrivals import RESULTS, WRONG
from domain.reconciliation.reconciliation_jobs import last_done
from domain.reconciliation.register_chain import SAID, Kind
from domain.reconciliation.register_findings import FINDINGS, RegisterFinding

MAX_PEERS = 1000


@dataclass(frozen=True)
class KindTotal:
    kind: str
    said: str
    number: int
    energy_wh: float


@dataclass(frozen=True)
class NeedsALook:
    """One entry for the list of money that needs a look."""

    kind: str
    said: str
    cp_id: str
    session_id: str
    energy_wh: float
    at: datetime


async def register_totals(db: Database) -> list[KindTotal]:
    """Of every kind of finding, how many are unresolved and how much energy they are about."""
    rows = await FINDINGS.of(db).aggregate(
        [
            {"$match": {"kind": {"$in": [kind.value for kind in Kind]}}},
            {"$group": {"_id": "$kind", "number": {"$sum": 1}, "wh": {"$sum": "$energy_wh"}}},
        ]
    )
    known = {row["_id"]: row for row in rows}
    return [_total(kind, known.get(kind.value)) for kind in Kind]


async def register_findings(
    db: Database, limit: int
) -> tuple[Sequence[RegisterFinding], datetime | None]:
    """The largest unresolved ones first, and when they were looked for last."""
    rows = await FINDINGS.of(db).find({}, sort=[("energy_wh", -1)], limit=limit)
    return rows, await last_done(db, "registers")


async def cdr_results(db: Database) -> list[JsonMapping]:
    """Each peer's latest result, as cdr_arrivals.Arrivals.fields has it, and `at`."""
    rows = await RESULTS.of(db).find({}, sort=[("_id", 1)], limit=MAX_PEERS)
    return [{**row["result"], "at": row["at"]} for row in rows]


async def cdrs_to_look_at(db: Database) -> dict[str, int]:
    """By peer, how many CDRs its latest result says something is wrong with."""
    wrong = [outcome.value for outcome in WRONG]
    return {
        result["peer_id"]: sum(
            total["number"]
            for name in wrong
            for total in result["outcomes"].get(name, {"totals": ()})["totals"]
        )
        for result in await cdr_results(db)
    }


async def needs_a_look(db: Database, limit: int) -> list[NeedsALook]:
    """The largest unresolved findings, as entries of the list of money that needs a look."""
    rows, _ = await register_findings(db, limit)
    return [
        NeedsALook(
            row["kind"],
            SAID[Kind(row["kind"])],
            row["cp_id"],
            row["session_id"],
            row["energy_wh"],
            row["at"],
        )
        for row in rows
    ]


def _total(kind: Kind, row: JsonMapping | None) -> KindTotal:
    number, wh = (0, 0.0) if row is None else (row["number"], row["wh"])
    return KindTotal(kind.value, SAID[kind], number, round(wh, 3))
