"""Which CDRs a peer should have, and what is known of each: the receipts are read in bulk, so that
only what they leave open has to be asked (cpo_app/ocpi/peer_services/cdr_reconciliation.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TypedDict

from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import OwnedObjects
from domain.outbox import deliveries
from domain.outbox.marks import MARKS, mark_id
from domain.peers.peer_document import PeerDocument
from domain.reconciliation.cdr_totals import SUMMED_FIELDS, CdrTotals

_BATCH = 1000
MAX_NAMED = 100
"""CDRs that a result names; it counts them all."""


class Outcome(str, Enum):
    """What is known of a CDR that the peer should have."""

    PROVEN = "proven"
    CONFIRMED = "confirmed"
    WAITING = "waiting"
    REFUSED = "refused"
    MISSING = "missing"
    DIFFERENT = "different"
    UNCLEAR = "unclear"
    UNREACHABLE = "unreachable"
    LATER = "later"


SAID: Mapping[Outcome, str] = {
    Outcome.PROVEN: "the peer's receipt is kept",
    Outcome.CONFIRMED: "asked now, the peer has shown it",
    Outcome.WAITING: "not sent yet: the push has it to send",
    Outcome.REFUSED: "the peer has read it and does not want it",
    Outcome.MISSING: "the peer says that it has not got it: it is sent again",
    Outcome.DIFFERENT: "what the peer shows has another energy or cost",
    Outcome.UNCLEAR: "the peer cannot tell whether it has it",
    Outcome.UNREACHABLE: "the peer could not be asked",
    Outcome.LATER: "too many to ask for at once: the next pass goes on",
}
ARRIVED = frozenset({Outcome.PROVEN, Outcome.CONFIRMED})


WRONG = (Outcome.REFUSED, Outcome.MISSING, Outcome.DIFFERENT, Outcome.UNCLEAR)
"""What somebody should look at."""


@dataclass(frozen=True)
class Expected:
    """A CDR that the peer should have; `cdr` has its ids and SUMMED_FIELDS."""

    key: str
    audience: str
    last_updated: datetime
    cdr: JsonMapping


@dataclass
class Arrivals:
    """The result for one peer, and CDRs issued in `since` <= moment < `until`."""

    peer_id: str
    since: datetime
    until: datetime
    totals: dict[Outcome, CdrTotals] = field(default_factory=dict)
    named: list[JsonObject] = field(default_factory=list)
    """[{cdr_id, outcome}] of what has not arrived, MAX_NAMED at most."""
    requests: int = 0
    problem: str | None = None
    """Why the peer could not be asked on."""

    def note(self, cdr: JsonMapping, outcome: Outcome) -> None:
        self.totals.setdefault(outcome, CdrTotals()).add(cdr)
        if outcome not in ARRIVED and len(self.named) < MAX_NAMED:
            self.named.append({"cdr_id": cdr["id"], "outcome": outcome.value})

    def number(self, *outcomes: Outcome) -> int:
        wanted = outcomes or tuple(Outcome)
        rows = [
            row for outcome in wanted if (sums := self.totals.get(outcome)) for row in sums.rows()
        ]
        return sum(row.number for row in rows)

    def fields(self) -> JsonObject:
        """For JSON and for the store."""
        return {
            "peer_id": self.peer_id,
            "from": self.since,
            "to": self.until,
            "expected": self.number(),
            "arrived": self.number(*ARRIVED),
            "outcomes": {
                outcome.value: {"said": SAID[outcome], "totals": self.totals[outcome].fields()}
                for outcome in Outcome
                if outcome in self.totals
            },
            "named": self.named,
            "requests": self.requests,
            "problem": self.problem,
        }


class CdrReconciliation(TypedDict, total=False):
    """A document of `cdr_reconciliations`: a peer's latest result."""

    _id: str
    """the peer's id"""
    at: datetime
    result: JsonObject
    """Arrivals.fields"""


RESULTS: Collection[CdrReconciliation] = Collection("cdr_reconciliations")


async def sift(db: Database, peer: PeerDocument, arrivals: Arrivals) -> list[Expected]:
    """Note in `arrivals` what is known of the peer's CDRs; those are left that have to be asked
    for. What was issued before the peer was there it fetches, or a resync sends it."""
    wanted = dict.fromkeys(
        (
            "audience",
            "last_updated",
            *(f"fields.{name}" for name in ("id", "country_code", "party_id", *SUMMED_FIELDS)),
        ),
        1,
    )
    since = max(arrivals.since, peer.get("created") or arrivals.since)
    match = {
        "audience": {"$in": sorted(peer.get("parties") or ())},
        "last_updated": {"$gte": since, "$lt": arrivals.until},
    }
    open_: list[Expected] = []
    batch: list[Expected] = []
    async for row in OwnedObjects(db, "cdrs").of(db).stream(match, wanted):
        batch.append(Expected(row["_id"], row["audience"], row["last_updated"], row["fields"]))
        if len(batch) == _BATCH:
            open_ += await _sifted(db, peer["_id"], batch, arrivals)
            batch = []
    return open_ + await _sifted(db, peer["_id"], batch, arrivals)


async def keep(db: Database, arrivals: Arrivals) -> None:
    """As the peer's latest result."""
    await RESULTS.of(db).replace_one(
        {"_id": arrivals.peer_id},
        {"_id": arrivals.peer_id, "at": db.now(), "result": arrivals.fields()},
        upsert=True,
    )


async def confirm(
    db: Database, peer_id: str, expected: Expected, cdr_id: str, location: str | None
) -> None:
    """Keep that the peer has shown it, under that id: the receipt that was missing."""
    await deliveries.keep_proof(
        db,
        _Shown(mark_id(peer_id, "cdrs", expected.key), peer_id, expected.key),
        cdr_id,
        location,
        db.now(),
    )


@dataclass(frozen=True)
class _Shown:
    """As much of a mark as a receipt needs."""

    id: str
    peer_id: str
    key: str
    module: str = "cdrs"


async def _sifted(
    db: Database, peer_id: str, batch: Sequence[Expected], arrivals: Arrivals
) -> list[Expected]:
    ids = [mark_id(peer_id, "cdrs", one.key) for one in batch]
    # The marks first: one that is taken away in between has left its receipt by then.
    marks = {
        row["key"]: bool((row.get("error") or {}).get("refused"))
        for row in await MARKS.of(db).find({"_id": {"$in": ids}}, {"key": 1, "error.refused": 1})
    }
    proven = await deliveries.proven(db, ids)
    left = []
    for one in batch:
        if one.key in proven:
            arrivals.note(one.cdr, Outcome.PROVEN)
        elif one.key in marks:
            arrivals.note(one.cdr, Outcome.REFUSED if marks[one.key] else Outcome.WAITING)
        else:
            left.append(one)
    return left
