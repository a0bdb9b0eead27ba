"""The collection `signs_of_life`: when a charge point was heard of last, where it said no news.

Most heartbeats change nothing. They are gathered and written here, many at a time and without
waiting for a majority: one that is lost is made good by the next. So they are cheap, and in
nobody's way: the charge point's own document is written when there is something to say.

`silent` marks those whose silence was noticed. It is written in the transaction that notices, so
that a sign of life in that very moment either stops it, or is seen to have come too late.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TypedDict

from db_interface.bulk import upsert_each
from db_interface.collection import Collection, Where
from db_interface.database import Database
from db_interface.transaction import Tx


class SignOfLife(TypedDict, total=False):
    _id: str
    """cp_id, as `charge_points` has it"""
    at: datetime
    silent: bool


TOGETHER = timedelta(seconds=0.5)
"""Those that were heard within so long are written as one."""

SIGNS: Collection[SignOfLife] = Collection("signs_of_life")


async def keep(db: Database, heard: Mapping[str, datetime]) -> list[str]:
    """Note when they were heard; those among them that were taken for silent meanwhile.

    Who was heard within half a second is noted in one change, as heard when the first of them was:
    a change for each would cost more than all else that a heartbeat costs the store.
    """
    signs = SIGNS.of(db)
    for at, cp_ids in _by_time(heard):
        sign = {"$max": {"at": at}}
        known = await signs.expendable().update_many({"_id": {"$in": cp_ids}}, sign)
        if known < len(cp_ids):
            await upsert_each(signs.expendable(), [(cp_id, sign) for cp_id in cp_ids])
    silent = await signs.find({"_id": {"$in": list(heard)}, "silent": True}, {"_id": 1})
    return [row["_id"] for row in silent]


def _by_time(heard: Mapping[str, datetime]) -> list[tuple[datetime, list[str]]]:
    groups: list[tuple[datetime, list[str]]] = []
    for cp_id, at in sorted(heard.items(), key=lambda one: one[1]):
        if not groups or at - groups[-1][0] >= TOGETHER:
            groups.append((at, []))
        groups[-1][1].append(cp_id)
    return groups


async def latest(where: Where, cp_ids: Iterable[str]) -> dict[str, datetime]:
    """When each of them was heard of last, as far as it is known here."""
    found = await SIGNS.of(where).find({"_id": {"$in": list(cp_ids)}})
    return {row["_id"]: row["at"] for row in found if "at" in row}


async def note_silence(tx: Tx, cp_id: str) -> None:
    """It is silent. A sign of life that comes in at the same time makes the transaction repeat."""
    await SIGNS.of(tx).update_one({"_id": cp_id}, {"$set": {"silent": True}}, upsert=True)


async def note_speech(tx: Tx, cp_id: str) -> None:
    """It is heard again."""
    await SIGNS.of(tx).update_one({"_id": cp_id, "silent": True}, {"$unset": {"silent": ""}})
