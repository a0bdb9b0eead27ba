"""What is to be told, to whom: a document for each target, written with the matter that it tells.

Each target has a lane: one process at a time tells it, in order, one message after another; a
target that does not take one rests, and the others do not wait for it. What was told twice, for a
process died in between, bears the same id.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import TypedDict

from db_interface.backoff import Backoff
from db_interface.collection import Collection
from db_interface.database import STORE_ERRORS, Database
from db_interface.json_data import JsonObject
from db_interface.lease import Lease
from db_interface.transaction import Tx

LEASE_S = 15.0
"""Longer than any target may take for one message."""
PAUSES = Backoff(first_s=2.0, max_s=120.0)
LET_GO_WITHIN_S = 1.0
WATCH = "watch"
"""The lane of the watch."""
GIVEN_UP_AFTER = timedelta(hours=24)
_LEASE = Lease("owner", "until")
_LONG_AGO = datetime(2000, 1, 1, tzinfo=timezone.utc)
_EVENTS = ("opened", "worse", "over")


class Message(TypedDict):
    """What a target is told: the same for webhooks and mail."""

    event: str
    """opened, worse, over; test"""
    matter: str
    kind: str
    subject: str | None
    place: str | None
    number: int
    said: str
    do: str
    since: datetime
    at: datetime


class _Always(TypedDict):
    _id: str
    target: str
    message: Message
    at: datetime
    rank: int
    """Among those of one moment: opened, worse, over."""


class NoticeDelivery(_Always, total=False):
    """A document of `notice_deliveries`."""

    waiting: bool
    """There until it was told, or given up."""
    told: datetime
    given_up: str
    """Why the target did not take it at last."""


class NoticeLane(TypedDict, total=False):
    """A document of `notice_lanes`: of a target, or of the watch."""

    _id: str
    owner: str
    until: datetime
    failures: int
    retry_at: datetime
    reason: str
    last_told: datetime


DELIVERIES: Collection[NoticeDelivery] = Collection("notice_deliveries")
LANES: Collection[NoticeLane] = Collection("notice_lanes")


async def tell(tx: Tx, targets: Sequence[str], message: Message) -> None:
    """Have the targets told, in the transaction of what is told."""
    event, stamp = message["event"], f"{tx.now:%Y%m%dT%H%M%S.%f}"
    documents: list[NoticeDelivery] = [
        {
            "_id": f"{message['matter']} {event} {stamp} {target}",
            "target": target,
            "message": message,
            "at": tx.now,
            "rank": _EVENTS.index(event),
            "waiting": True,
        }
        for target in targets
    ]
    await DELIVERIES.of(tx).insert_many(documents)


async def anything_for(db: Database, target: str) -> bool:
    return await DELIVERIES.of(db).find_one(_waiting(target), {"_id": 1}) is not None


async def next_for(db: Database, target: str) -> NoticeDelivery | None:
    return await DELIVERIES.of(db).find_one(_waiting(target), sort=[("at", 1), ("rank", 1)])


async def claim(db: Database, lane: str, owner: str, for_s: float = LEASE_S) -> bool:
    """Take or keep the lane: False while another process has it, or while its target rests."""
    rested = {"$expr": {"$lte": [{"$ifNull": ["$retry_at", _LONG_AGO]}, "$$NOW"]}}
    for _ in range(2):
        found = await LANES.of(db).update_and_find(
            {"_id": lane, "$and": [_LEASE.free_for(owner), rested]},
            [{"$set": _LEASE.taken(owner, for_s)}],
        )
        if found is not None:
            return True
        new = {"$setOnInsert": {"owner": "", "until": _LONG_AGO, "failures": 0}}
        if await LANES.of(db).update_one({"_id": lane}, new, upsert=True):
            return False
    return False


async def let_go(db: Database, lane: str, owner: str) -> None:
    """Let another process have the lane at once. If the store does not answer, its lease ends:
    nobody who stops waits for that."""
    with contextlib.suppress(*STORE_ERRORS), db.within(LET_GO_WITHIN_S):
        await release(db, lane, owner)


async def release(db: Database, lane: str, owner: str) -> None:
    await LANES.of(db).update_one(
        {"_id": lane, **_LEASE.held_by(owner)}, {"$set": {"owner": "", "until": _LONG_AGO}}
    )


async def taken(tx: Tx, delivery: NoticeDelivery) -> None:
    """The target has it."""
    await DELIVERIES.of(tx).update_one(
        {"_id": delivery["_id"]}, {"$unset": {"waiting": 1}, "$set": {"told": tx.now}}
    )
    await LANES.of(tx).update_one(
        {"_id": delivery["target"]},
        {"$set": {"failures": 0, "last_told": tx.now}, "$unset": {"retry_at": 1, "reason": 1}},
    )


async def refused(tx: Tx, delivery: NoticeDelivery, why: str) -> bool:
    """The target did not take it: it rests. True where this message is given up."""
    lane = await LANES.of(tx).find_one({"_id": delivery["target"]})
    failures = (lane or {}).get("failures", 0) + 1
    # Measured on the server, as the claim is.
    rest_ms = round(PAUSES.after(failures) * 1000)
    change: JsonObject = {
        "failures": {"$literal": failures},
        "reason": {"$literal": why},
        "retry_at": {"$add": ["$$NOW", rest_ms]},
    }
    await LANES.of(tx).update_one({"_id": delivery["target"]}, [{"$set": change}])
    if tx.now - delivery["at"] < GIVEN_UP_AFTER:
        return False
    await DELIVERIES.of(tx).update_one(
        {"_id": delivery["_id"]}, {"$unset": {"waiting": 1}, "$set": {"given_up": why}}
    )
    return True


async def lanes(db: Database, targets: Sequence[str]) -> list[tuple[str, NoticeLane, int]]:
    """Of each target, and of those that other processes have told lately or have yet to tell: its
    lane, and how many messages wait."""
    found = {row["_id"]: row for row in await LANES.of(db).find({"_id": {"$ne": WATCH}})}
    lately = db.now() - GIVEN_UP_AFTER
    rows = []
    for target in (*targets, *sorted(found.keys() - set(targets))):
        lane = found.get(target, {})
        waiting = await DELIVERIES.of(db).count(_waiting(target))
        if target in targets or waiting or lane.get("last_told", _LONG_AGO) > lately:
            rows.append((target, lane, waiting))
    return rows


async def watched(db: Database) -> bool:
    """Whether any process watches now."""
    lane = await LANES.of(db).find_one({"_id": WATCH}, {"until": 1})
    return lane is not None and lane["until"] > db.now()


def _waiting(target: str) -> JsonObject:
    return {"target": target, "waiting": True}
