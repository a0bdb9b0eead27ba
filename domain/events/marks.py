"""Marks of the event stream: "the stream has not been told of the present state of this object".

Written in the transaction of the change, as a peer's are (domain/outbox/marks.py), and taken away
once the brokers have the event, if the object has not changed meanwhile. Where no stream is
registered nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from db_interface.bulk import delete_each, upsert_each
from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.events.stream import is_kept_for
from domain.outbox.crash_points import crash_point
from domain.outbox.fresh_marks import fresh_mark


class EventMark(TypedDict, total=False):
    """A document of `event_marks`."""

    _id: str
    """ "kind/key": one mark, however often the object changes"""
    kind: str
    key: str
    version: str
    """another one with every change, never reused"""
    since: datetime
    """when the stream fell behind"""
    changed: datetime
    """the latest change"""
    due: datetime
    """not to be sent before; a change brings it forward"""
    attempts: int
    """in vain since the latest change"""
    error: str
    """of the last of them"""
    gone: Mapping[str, str]
    """{country_code, party_id, id} of an object that was deleted, as it was written"""


EVENT_MARKS: Collection[EventMark] = Collection("event_marks")


@dataclass(frozen=True)
class Touched:
    """An object that has changed; `gone`: it was deleted, and bore these ids."""

    kind: str
    key: str
    gone: Mapping[str, str] | None = None

    @property
    def id(self) -> str:
        return f"{self.kind}/{self.key}"


def mark_event(touched: Touched, tx: Tx) -> None:
    """Have the stream told of it; call in the transaction that changes it. Written at its end, all
    at once."""
    tx.at_end(_mark_all, touched)


async def _mark_all(tx: Tx, touched: list[Touched]) -> None:
    if await is_kept_for(tx.db):
        await upsert_each(EVENT_MARKS.of(tx), _marks(touched, tx.now))
        crash_point("event-marks-written")


async def mark_again(db: Database, touched: Sequence[Touched]) -> int:
    """Have the stream told of these once more, as they are. How many."""
    updates = _marks(touched, db.now())
    await upsert_each(EVENT_MARKS.of(db), updates)
    return len(updates)


def _marks(touched: Iterable[Touched], now: datetime) -> list[tuple[str, JsonObject]]:
    """Of several changes of one object the last one counts."""
    return [(id_, _mark(one, now)) for id_, one in {one.id: one for one in touched}.items()]


def _mark(touched: Touched, now: datetime) -> JsonObject:
    gone = None if touched.gone is None else {"gone": dict(touched.gone)}
    return fresh_mark(now, first={"kind": touched.kind, "key": touched.key}, also=gone)


async def due(db: Database, now: datetime, limit: int) -> list[EventMark]:
    """What is to be told, longest behind first; as a majority has it, so that nothing is told that
    an election could undo."""
    wanted = {"due": {"$lte": now}}
    return await EVENT_MARKS.of(db).settled().find(wanted, sort=[("due", 1)], limit=limit)


async def clear(db: Database, told: Sequence[EventMark]) -> int:
    """Take away those whose object has not changed since. How many."""
    return await delete_each(
        EVENT_MARKS.of(db), [{"_id": one["_id"], "version": one["version"]} for one in told]
    )


async def put_off(db: Database, mark: EventMark, until: datetime, why: str) -> None:
    """It cannot be told now, and holds up no other; a change meanwhile brings it forward."""
    await EVENT_MARKS.of(db).update_one(
        {"_id": mark["_id"], "version": mark["version"]},
        {"$set": {"due": until, "error": why[:300]}, "$inc": {"attempts": 1}},
    )


async def put_off_ones(db: Database, limit: int) -> list[EventMark]:
    """Those that were tried in vain."""
    return await EVENT_MARKS.of(db).find({"attempts": {"$gt": 0}}, limit=limit)


async def forget(db: Database, changed_before: datetime) -> int:
    """Delete the marks of changes of before then."""
    before = {"$lt": changed_before}
    # An index leads to them by `since`, which is never later.
    return await EVENT_MARKS.of(db).delete_many({"since": before, "changed": before})
