"""A matter: what is, or was, in trouble, and what was told of it. A document, found by its id.

Each change of it is one transaction, which reads it first and writes what is to be told with it:
two processes that see the same tell it once, and a process that dies has told all or nothing.

Told once when it opens, and once when it is over. In between it is told again only if it has
grown (MUCH_WORSE times as many alike as were told of). What comes and goes is damped: it is over
only when it was gone for a while, and that while grows with each return within FLAP_WINDOW, from
CALM_S up to MAX_CALM_S. So what flaps is told as one matter that stays open. One that opened while
there was nobody to tell is told as opened as soon as there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypedDict

from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.transaction import Tx
from domain.notices import deliveries
from domain.notices.deliveries import Message
from domain.notices.gathering import MAX_APART, Sighting

CALM_S = 3.0
CALM_GROWS = 4
MAX_CALM_S = 900.0
FLAP_WINDOW = timedelta(hours=1)
MUCH_WORSE = 3


class _Always(TypedDict):
    _id: str
    kind: str
    subject: str | None
    place: str | None
    open: bool
    opened: datetime
    said: str
    do: str
    number: int
    told_number: int
    """0: nobody was told of it"""
    flaps: int
    """Returns, each within FLAP_WINDOW of the one before."""


class Matter(_Always, total=False):
    """A document of `matters`."""

    gone: datetime
    """Since when it is not seen any more; not over yet."""
    returned: datetime
    """When it was seen again last, before it was over."""
    over: datetime


MATTERS: Collection[Matter] = Collection("matters")


def calm_s(flaps: int) -> float:
    """For so long it has to be gone before it is over."""
    return float(min(MAX_CALM_S, CALM_S * CALM_GROWS ** min(flaps, 10)))


async def open_ones(db: Database) -> list[Matter]:
    return await MATTERS.of(db).find({"open": True}, sort=[("opened", -1)])


async def lately_over(db: Database, limit: int) -> list[Matter]:
    return await MATTERS.of(db).find({"open": False}, sort=[("over", -1)], limit=limit)


async def over_since(db: Database, since: datetime) -> int:
    """How many have ended since, and did not begin again."""
    return await MATTERS.of(db).count({"open": False, "over": {"$gte": since}})


def as_seen(matter: Matter, sighting: Sighting, targets: Sequence[str]) -> bool:
    """Whether nothing is to be written of it, and nothing told."""
    if "gone" in matter or (targets and not matter["told_number"]):
        return False
    return (matter["number"], matter["said"]) == (sighting.number, sighting.said)


async def seen(tx: Tx, sighting: Sighting, targets: Sequence[str]) -> None:
    """It is in trouble."""
    matter = await MATTERS.of(tx).find_one({"_id": sighting.id})
    if matter is None or not matter["open"]:
        await _open(tx, sighting, matter, targets)
        return
    facts: dict[str, object] = {"said": sighting.said, "number": sighting.number}
    if "gone" in matter:
        facts |= {"flaps": matter["flaps"] + 1, "returned": tx.now}
    if targets and sighting.number >= MUCH_WORSE * matter["told_number"]:
        event = "worse" if matter["told_number"] else "opened"
        facts["told_number"] = sighting.number
        await deliveries.tell(tx, targets, _message(tx, event, matter, sighting.said, sighting))
    await MATTERS.of(tx).update_one({"_id": sighting.id}, {"$set": facts, "$unset": {"gone": 1}})


async def not_seen(tx: Tx, matter_id: str, targets: Sequence[str]) -> None:
    """It is not in trouble, as far as is seen."""
    matter = await MATTERS.of(tx).find_one({"_id": matter_id})
    if matter is None or not matter["open"]:
        return
    if "gone" not in matter:
        facts: dict[str, object] = {"gone": tx.now}
        if tx.now - matter.get("returned", matter["opened"]) >= FLAP_WINDOW:
            facts["flaps"] = 0
        await MATTERS.of(tx).update_one({"_id": matter_id}, {"$set": facts})
        return
    if (tx.now - matter["gone"]).total_seconds() < calm_s(matter["flaps"]):
        return
    await MATTERS.of(tx).update_one(
        {"_id": matter_id}, {"$set": {"open": False, "over": tx.now}, "$unset": {"gone": 1}}
    )
    if not matter["told_number"]:
        return
    said = f"over: {matter['said']}"
    if matter["subject"] is None:
        said += f" ({MAX_APART} or fewer are left, each told on its own)"
    await deliveries.tell(tx, targets, _message(tx, "over", matter, said))


async def _open(tx: Tx, sighting: Sighting, before: Matter | None, targets: Sequence[str]) -> None:
    over = None if before is None else before.get("over")
    flaps = 0
    if before is not None and over is not None and tx.now - over < FLAP_WINDOW:
        flaps = before["flaps"] + 1
    matter: Matter = {
        "_id": sighting.id,
        "kind": sighting.kind.value,
        "subject": sighting.subject,
        "place": sighting.place,
        "open": True,
        "opened": tx.now,
        "said": sighting.said,
        "do": sighting.do,
        "number": sighting.number,
        "told_number": sighting.number if targets else 0,
        "flaps": flaps,
    }
    await MATTERS.of(tx).replace_one({"_id": sighting.id}, matter, upsert=True)
    if targets:
        await deliveries.tell(tx, targets, _message(tx, "opened", matter, sighting.said))


def _message(
    tx: Tx, event: str, matter: Matter, said: str, sighting: Sighting | None = None
) -> Message:
    return {
        "event": event,
        "matter": matter["_id"],
        "kind": matter["kind"],
        "subject": matter["subject"],
        "place": matter["place"],
        "number": matter["number"] if sighting is None else sighting.number,
        "said": said,
        "do": matter["do"],
        "since": matter["opened"],
        "at": tx.now,
    }
