"""Refusals in the audit log are rationed: whoever is refused all the time fills no store.

Each who acts has so many entries of refusals in a window of time; those beyond it are counted, and
one entry at the window's end says how many there were (with his next refusal, or by the job that
seals). Nothing that was done is ever left out.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypedDict

from db_interface.collection import Collection
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.operators.actor import Actor, ActorKind, Role, current_actor

WINDOW = timedelta(minutes=1)
MAX_IN_WINDOW = 20
AT_ONCE = 100


class RefusalWindow(TypedDict, total=False):
    """A document of `audit_refusals`: one who was refused something lately."""

    _id: str
    """his kind and name"""
    kind: str
    name: str
    role: str | None
    begun: datetime
    until: datetime
    written: int
    left_out: int
    """refusals that have no entry of their own"""


WINDOWS: Collection[RefusalWindow] = Collection("audit_refusals")


class Verdict(TypedDict):
    """What becomes of a refusal; `over`: his window before, if it left any out."""

    is_written: bool
    over: RefusalWindow | None


async def counted(tx: Tx) -> Verdict:
    """Count a refusal of whoever acts at present."""
    who = current_actor()
    key = f"{who.kind.value}/{who.name}"
    known = await WINDOWS.of(tx).find_one({"_id": key})
    if known is not None and known["until"] > tx.now:
        is_written = known["written"] < MAX_IN_WINDOW
        field = "written" if is_written else "left_out"
        await WINDOWS.of(tx).update_one({"_id": key}, {"$inc": {field: 1}})
        return {"is_written": is_written, "over": None}
    fresh: RefusalWindow = {
        "_id": key,
        "kind": who.kind.value,
        "name": who.name,
        "role": None if who.role is None else who.role.value,
        "begun": tx.now,
        "until": tx.now + WINDOW,
        "written": 1,
        "left_out": 0,
    }
    await WINDOWS.of(tx).replace_one({"_id": key}, fresh, upsert=True)
    over = known if known is not None and known["left_out"] else None
    return {"is_written": True, "over": over}


async def windows_over(store: DbInterface) -> list[str]:
    """Ids of the windows that have ended, the oldest first."""
    rows = await WINDOWS.of(store.db).find(
        {"until": {"$lte": store.db.now()}}, {"_id": 1}, sort=[("until", 1)], limit=AT_ONCE
    )
    return [row["_id"] for row in rows]


async def closed(tx: Tx, key: str) -> RefusalWindow | None:
    """Take a window that has ended away; the window, if it left any out."""
    window = await WINDOWS.of(tx).take({"_id": key, "until": {"$lte": tx.now}})
    return window if window is not None and window["left_out"] else None


def actor_of(window: RefusalWindow) -> Actor:
    """Whose window it is."""
    role = window["role"]
    return Actor(ActorKind(window["kind"]), window["name"], None if role is None else Role(role))
