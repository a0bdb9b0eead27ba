"""Money that needs a look: sessions whose bill is missing, guessed, or in doubt, with what to do.

Read by the console, the command line, the doctor and the metrics alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from db_interface.database import Database
from domain.charge_points import dead_letters
from domain.metering.signatures import Verdict
from domain.operator.reconciliation import needs_a_look
from domain.sessions.session_document import ChargingSession
from domain.sessions.session_records import SESSIONS
from domain.sessions.session_signatures import DROPPED

DEAD_LETTER = "dead letter"
"""Telemetry that could not be taken: what it says of a session is on no bill."""


class Kind(str, Enum):
    """Of sessions, the most urgent first."""

    HELD = "held"
    WITHOUT_CDR = "without CDR"
    UNBILLED = "unbilled"
    SUSPECT = "suspect"
    ESTIMATED = "estimated"
    SIGNATURE = "signature"


# Each served by an index.
QUERIES: Mapping[Kind, dict[str, Any]] = {
    Kind.HELD: {"held.since": {"$exists": True}},
    Kind.WITHOUT_CDR: {"cdr_problem": {"$exists": True}},
    Kind.UNBILLED: {"unbilled.at": {"$exists": True}},
    Kind.SUSPECT: {"suspect.since": {"$exists": True}},
    Kind.ESTIMATED: {"estimated": True},
    Kind.SIGNATURE: {"signature.verdict": {"$in": [DROPPED, Verdict.WRONG.value]}},
}
WHAT_TO_DO: Mapping[Kind, str] = {
    Kind.HELD: "if it is right: cpo sessions release ID; with another energy: cpo sessions end ID"
    " --energy KWH; if nobody is to pay: cpo sessions write-off ID",
    Kind.WITHOUT_CDR: "put right what is said (most often a tariff), and bill it outside, or"
    " cpo sessions write-off ID",
    Kind.UNBILLED: "look at the charge point; correct the bill with cpo cdrs credit, then"
    " cpo sessions write-off ID",
    Kind.SUSPECT: "nothing, if its charge point comes back; else cpo sessions end ID --energy KWH",
    Kind.ESTIMATED: "it corrects itself when its charge point comes back; if it never will, and"
    " the energy is right: cpo sessions release ID",
    Kind.SIGNATURE: "look at the meter and at its public key (cpo charge-points meter-key)",
}
_OF_A_FAILED_MESSAGE = "once its cause is mended: cpo charge-points dead-letters replay "
_OF_A_LOST_SESSION = (
    "its session is not known here (a restored store has lost what came after its backup): bill it"
    " outside, then cpo charge-points dead-letters drop "
)
_UNBILLED = (Kind.HELD, Kind.WITHOUT_CDR)


@dataclass(frozen=True)
class Entry:
    """`session_id` is None of what is not about one session."""

    kind: str
    session_id: str | None
    cp_id: str
    connector_id: str | None
    since: datetime | None
    energy_wh: float
    why: str
    do: str
    status: str | None = None
    letter_id: str | None = None
    """Of a dead letter."""

    @property
    def actions(self) -> tuple[str, ...]:
        """What can be done with it by hand, by the names that the console and CLI give it."""
        return ACTIONS.get(self.kind, ())


ACTIONS: Mapping[str, tuple[str, ...]] = {
    Kind.HELD.value: ("release", "end", "write-off"),
    Kind.WITHOUT_CDR.value: ("write-off",),
    Kind.UNBILLED.value: ("write-off",),
    Kind.SUSPECT.value: ("end",),
    Kind.ESTIMATED.value: ("release",),
}


@dataclass(frozen=True)
class MoneyCounts:
    """`unbilled_wh`: delivered, as far as is known, and on no CDR (what is suspect is not
    counted: it is not over)."""

    by_kind: Mapping[str, int]
    unbilled_wh: float

    @property
    def total(self) -> int:
        return sum(self.by_kind.values())


async def counts(db: Database) -> MoneyCounts:
    sessions = SESSIONS.of(db)
    numbers = await asyncio.gather(*(sessions.count(query) for query in QUERIES.values()))
    totals = [
        *(_sum(db, QUERIES[kind], "$energy_wh") for kind in _UNBILLED),
        _sum(db, QUERIES[Kind.UNBILLED], "$unbilled.energy_wh"),
        dead_letters.lost_wh(db),
    ]
    letters = await dead_letters.counts(db)
    return MoneyCounts(
        {
            **{kind.value: number for kind, number in zip(QUERIES, numbers, strict=True)},
            DEAD_LETTER: letters[dead_letters.FAILED],
        },
        round(sum(await asyncio.gather(*totals)), 3),
    )


async def entries(db: Database, limit: int) -> list[Entry]:
    """At most `limit` of each kind, the longest known first; then telemetry that could not be
    taken, and what registers do not explain."""
    found: list[Entry] = []
    for kind, query in QUERIES.items():
        rows = await SESSIONS.of(db).find(query, FACTS, limit=limit)
        shown = [_entry(kind, row) for row in rows]
        found += sorted(shown, key=lambda one: (one.since is None, one.since))
    for letter in await dead_letters.failed(db, limit):
        found.append(
            Entry(
                kind=DEAD_LETTER,
                session_id=letter.session_id,
                cp_id=letter.cp_id,
                connector_id=None,
                since=letter.happened,
                energy_wh=letter.energy_wh or 0.0,
                why=f"{letter.kind} message: {letter.reason}",
                do=(_OF_A_LOST_SESSION if letter.lost_session else _OF_A_FAILED_MESSAGE)
                + letter.id,
                letter_id=letter.id,
            )
        )
    for finding in await needs_a_look(db, limit):
        found.append(
            Entry(
                kind=f"register: {finding.kind}",
                session_id=finding.session_id,
                cp_id=finding.cp_id,
                connector_id=None,
                since=finding.at,
                energy_wh=finding.energy_wh,
                why=finding.said,
                do="look at the charge point: cpo reconcile registers",
            )
        )
    return found


async def _sum(db: Database, query: Mapping[str, Any], what: str) -> float:
    stages: list[Mapping[str, Any]] = [
        {"$match": query},
        {"$group": {"_id": None, "wh": {"$sum": what}}},
    ]
    rows = await SESSIONS.of(db).aggregate(stages)
    return float(rows[0]["wh"]) if rows else 0.0


def _entry(kind: Kind, row: ChargingSession) -> Entry:
    since, why, energy_wh = row.get("ended"), "", row.get("energy_wh", 0.0)
    held, suspect, unbilled = row.get("held"), row.get("suspect"), row.get("unbilled")
    signature = row.get("signature")
    if kind is Kind.HELD and held is not None:
        since, why = held["since"], held["why"]
    elif kind is Kind.SUSPECT and suspect is not None:
        since, why = suspect["since"], suspect["why"]
    elif kind is Kind.UNBILLED and unbilled is not None:
        since, why, energy_wh = unbilled["at"], unbilled["why"], unbilled["energy_wh"]
    elif kind is Kind.WITHOUT_CDR:
        why = row.get("cdr_problem") or ""
    elif kind is Kind.ESTIMATED:
        why = row.get("end_reason", "")
    elif signature is not None:
        why = f"signature {signature['verdict']}: {signature['reason'] or ''}"
    return Entry(
        kind=kind.value,
        session_id=row["_id"],
        cp_id=row["cp_id"],
        connector_id=row["connector_id"],
        since=since,
        energy_wh=energy_wh,
        why=why,
        do=WHAT_TO_DO[kind].replace("ID", row["_id"]),
        status=row["status"],
    )


FACTS = dict.fromkeys(
    (
        "_id",
        "cp_id",
        "connector_id",
        "status",
        "running",
        "token.uid",
        "auth_method",
        "source",
        "created",
        "started",
        "ended",
        "last_heard",
        "energy_wh",
        "end_reason",
        "closed",
        "estimated",
        "suspect",
        "held",
        "unbilled",
        "cdr_problem",
        "signature",
        "by_hand",
    ),
    1,
)
