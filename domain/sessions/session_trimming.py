"""Of sessions that were settled long ago the bulky parts go: how they ran is on their CDRs.

What stays tells who charged where and when, what the registers read (reconciliation follows
them), and what an operator did. Sessions that need a look, or may yet, keep everything.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from db_interface.database import Database
from db_interface.json_data import JsonMapping
from domain.metering.signatures import Verdict
from domain.sessions.session_records import SESSIONS
from domain.sessions.session_signatures import DROPPED
from domain.sessions.session_states import FINAL

BULKY = (
    "segments",
    "samples",
    "tariffs",
    "cdr_location",
    "capabilities",
    "signed_data",
    "preferences",
    "profile",
    "profile_peers",
    "measured",
)
AT_ONCE = 500

SETTLED: JsonMapping = {
    "status": {"$in": sorted(state.value for state in FINAL)},
    "running": False,
    "held": None,
    "suspect": None,
    "unbilled": None,
    "cdr_problem": None,
    "to_stop": None,
    "estimated": {"$ne": True},
    "signature.verdict": {"$nin": [DROPPED, Verdict.WRONG.value]},
}


async def trim(db: Database, before: datetime) -> AsyncIterator[int]:
    """Take the bulky parts of those that ended before that time; how many each time."""
    # Whole ones alone are in the index that serves this.
    whole = {**SETTLED, "ended": {"$lt": before}, "segments": {"$exists": True}}
    change = {"$unset": dict.fromkeys(BULKY, ""), "$set": {"trimmed": db.now()}}
    while found := await SESSIONS.of(db).find(whole, {"_id": 1}, limit=AT_ONCE):
        ids = [one["_id"] for one in found]
        yield await SESSIONS.of(db).update_many({**whole, "_id": {"$in": ids}}, change)
