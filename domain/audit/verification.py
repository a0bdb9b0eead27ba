"""Is the audit log what was written? Every hash is worked out anew, from the anchor to the head."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from db_interface.database import Database
from domain.audit.chain import Head, hash_of, head_of
from domain.audit.entries import AUDIT, AuditEntry

SEALED_WITHIN = timedelta(minutes=1)
"""Servers seal every second: what waits for longer than this was not seen by any."""
MAX_PROBLEMS = 20


@dataclass
class Verified:
    """`head`: what to write down elsewhere; `first` and `last`: the places that are there."""

    head: str
    last: int
    first: int
    entries: int = 0
    unsealed: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return not self.problems


async def verify(db: Database, known_head: str | None = None) -> Verified:
    """Read the whole log. `known_head`: a head of before, which must be in the chain still."""
    while True:
        head = await head_of(db)
        found = await _followed(db, head, known_head)
        if (await head_of(db))["anchor_seq"] == head["anchor_seq"]:
            return found
        # Its beginning was dropped meanwhile, as the retention says: once more.


async def _followed(db: Database, head: Head, known_head: str | None) -> Verified:
    found = Verified(head=head["hash"], last=head["seq"], first=head["anchor_seq"] + 1)
    seq, last = head["anchor_seq"], head["anchor_hash"]
    known = {last}
    async for entry in _sealed(db, head["seq"]):
        found.entries += 1
        problem = _problem(entry, seq, last)
        if problem is not None:
            found.problems.append(problem)
            if len(found.problems) >= MAX_PROBLEMS:
                found.problems.append("and perhaps more")
                return found
        seq, last = entry["seq"], entry["hash"]
        if last == known_head:
            known.add(last)
    if (seq, last) != (head["seq"], head["hash"]):
        found.problems.append(f"it ends at {seq}, but the head is {head['seq']}")
    if known_head is not None and known_head not in known:
        found.problems.append(f"{known_head} is no longer (or never was) in the chain")
    await _look_at_unsealed(db, found)
    return found


def _sealed(db: Database, upto: int) -> AsyncIterator[AuditEntry]:
    return AUDIT.of(db).stream({"seq": {"$lte": upto}}, sort=[("seq", 1)])


def _problem(entry: AuditEntry, before: int, last: str) -> str | None:
    place = f"entry {entry['seq']} ({entry['_id']})"
    if entry["seq"] <= before:
        return f"{place} stands where nothing should be"
    if entry["seq"] != before + 1:
        return f"{_range(before + 1, entry['seq'] - 1)} missing"
    if entry["hash"] != hash_of(last, entry["seq"], entry):
        return f"{place} is not what was sealed"
    return None


def _range(first: int, last: int) -> str:
    return f"entry {first} is" if first == last else f"entries {first} to {last} are"


async def _look_at_unsealed(db: Database, found: Verified) -> None:
    found.unsealed = await AUDIT.of(db).count({"unsealed": True})
    oldest = await AUDIT.of(db).find_one({"unsealed": True}, {"at": 1}, sort=[("at", 1)])
    if oldest is not None and late(oldest["at"], db.now()):
        found.problems.append(
            f"{found.unsealed} entries wait for being sealed since {oldest['at']:%Y-%m-%d %H:%M} "
            "UTC: does a server run?"
        )
    stray = await AUDIT.of(db).count({"unsealed": None, "seq": None}, limit=1)
    if stray:
        found.problems.append("there is an entry that is neither sealed nor waits for it")


def late(written: datetime, now: datetime) -> bool:
    return now - written > SEALED_WITHIN
