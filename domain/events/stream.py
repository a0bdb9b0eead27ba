"""The event stream as a reader of ours, like a peer: there is a document of it, or nothing is kept
for it.

All processes that write go by that document, whatever their settings say: the server that has
brokers registers it, and from then on every change is marked (marks.py), also while that server is
down. It ends by the operator's word alone (`forget`), for a setting that was lost must not lose
events.

A process asks for it once in LOOKED_UP_EVERY. What was changed meanwhile, or was under way when it
was registered, is marked once `settles_at` has come, as with a peer.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TypedDict
from weakref import WeakKeyDictionary

from db_interface.backoff import Backoff
from db_interface.collection import Collection, Where
from db_interface.database import Database
from db_interface.json_data import JsonObject
from db_interface.lease import Lease
from db_interface.transaction import Tx
from domain.outbox.settling import CHANGES_END_WITHIN

KAFKA = "kafka"
LOOKED_UP_EVERY = timedelta(seconds=5)
LEASE_S = 3.0
PAUSES = Backoff(first_s=1.0, max_s=60.0)

_LEASE = Lease(owner="owner", until="until")
_LONG_AGO = datetime(2000, 1, 1, tzinfo=timezone.utc)


class Stream(TypedDict, total=False):
    """A document of `event_streams`. Always there: `_id`, `since`, `owner`, `until`, `failures`."""

    _id: str
    since: datetime
    """from when on changes are kept for it"""
    settles_at: datetime
    """when all have ended that did not know of it; gone once those are marked"""
    owner: str
    until: datetime
    """the lease: which process sends"""
    failures: int
    """in a row; 0: all is well"""
    retry_at: datetime | None
    reason: str | None
    opened: datetime | None
    """since when it fails"""
    last_sent: datetime
    brokers: str
    """where to, as the server that sends has it set"""


STREAMS: Collection[Stream] = Collection("event_streams")
_KNOWN: WeakKeyDictionary[Database, tuple[datetime, bool]] = WeakKeyDictionary()


async def is_kept_for(db: Database) -> bool:
    """Whether there is a stream that changes are kept for, as it was LOOKED_UP_EVERY ago at
    most."""
    known, now = _KNOWN.get(db), db.now()
    if known is not None and timedelta(0) <= now - known[0] < LOOKED_UP_EVERY:
        return known[1]
    there = await stream_of(db) is not None
    _KNOWN[db] = now, there
    return there


def look_again(db: Database) -> None:
    """This process has just registered it, or had it forgotten."""
    _KNOWN.pop(db, None)


async def stream_of(where: Where) -> Stream | None:
    return await STREAMS.of(where).find_one({"_id": KAFKA})


async def register(db: Database, brokers: str) -> datetime | None:
    """Have changes kept from now on, and since when that is; None: they were already. Who comes up
    with brokers tries them at once, whatever failed before."""
    now = db.now()
    there = await STREAMS.of(db).update_one(
        {"_id": KAFKA},
        {
            "$set": {"brokers": brokers, "retry_at": None},
            "$setOnInsert": {
                "since": now,
                "settles_at": now + CHANGES_END_WITHIN + LOOKED_UP_EVERY,
                "owner": "",
                "until": _LONG_AGO,
                "failures": 0,
            },
        },
        upsert=True,
    )
    look_again(db)
    return None if there else now


async def forget(tx: Tx) -> bool:
    """Keep nothing for it any more; whether there was one."""
    return await STREAMS.of(tx).delete_one({"_id": KAFKA})


async def settled(db: Database) -> None:
    await STREAMS.of(db).update_one({"_id": KAFKA}, {"$unset": {"settles_at": ""}})


# -- who sends -----------------------------------------------------------------------------


async def claim(db: Database, owner: str) -> Stream | None:
    """Take or renew the lease; None while another process has it, or there is no stream."""
    return await STREAMS.of(db).update_and_find(
        {"_id": KAFKA, **_LEASE.free_for(owner)}, [{"$set": _LEASE.taken(owner, LEASE_S)}]
    )


async def release(db: Database, owner: str) -> None:
    """Let another process send at once."""
    await _note(db, owner, [{"$set": {"owner": "", "until": "$$NOW"}}])


async def sent(db: Database, owner: str) -> None:
    """The brokers have taken what was sent."""
    well = {"failures": 0, "retry_at": None, "reason": None, "opened": None}
    await _note(db, owner, {"$set": {**well, "last_sent": db.now()}})


async def failed(db: Database, owner: str, stream: Stream, reason: str) -> None:
    """The brokers take nothing: they are left alone for a while, by all processes."""
    now, failures = db.now(), stream["failures"] + 1
    facts = {
        "failures": failures,
        "retry_at": now + timedelta(seconds=PAUSES.after(failures)),
        "reason": reason[:300],
        "opened": stream.get("opened") or now,
    }
    await _note(db, owner, {"$set": facts})


async def try_now(tx: Tx) -> None:
    """End a pause: the operator has put something right."""
    await STREAMS.of(tx).update_one({"_id": KAFKA}, {"$set": {"retry_at": None}})


async def _note(db: Database, owner: str, change: JsonObject | list[JsonObject]) -> None:
    await STREAMS.of(db).update_one({"_id": KAFKA, **_LEASE.held_by(owner)}, change)
