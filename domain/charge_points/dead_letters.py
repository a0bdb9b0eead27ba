"""Telemetry that was not taken, kept until the operator has dealt with it: it may be money.

Two kinds. *Failed*: taking the message broke off, again and again; it was set aside so that those
behind it go on, and stays until it is replayed or dropped. *Refused*: nothing could be made of it
(its session is not known); at most MAX_REFUSED of a charge point, for a while. But the end of a
session that tells of energy is money: refused (most often because a restored store lost the
session), it stays as a failed one does.

Whoever takes telemetry writes here, inside the transaction that acknowledges the message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from db_interface.collection import Collection, Where
from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.transaction import Tx

MAX_TRIES = 3
"""How often a message may break its batch off before it is set aside."""
MAX_REFUSED = 200
MAX_REASON_LENGTH = 300
FAILED, REFUSED = "failed", "refused"
KINDS = (FAILED, REFUSED)


class _Letter(TypedDict):
    _id: str
    """cp_id/boot_id/seq"""
    cp_id: str
    kind: str
    """of the message"""
    message: str
    """as JSON, its `at` by our clock: as text, for what cannot be stored may be why it is here"""
    reason: str
    refused: bool
    """False: failed. Those that are True go by themselves."""
    tries: int
    at: datetime
    """when it came here, or was tried last"""


class DeadLetter(_Letter, total=False):
    """A document of `dead_letters`."""

    refused_wh: float
    """what the end of a session tells of that was refused: then `refused` is False, for it stays"""


class _Tries(TypedDict):
    """A document of `telemetry_tries`, by the id of the letter that it may become."""

    _id: str
    tries: int
    at: datetime


DEAD_LETTERS: Collection[DeadLetter] = Collection("dead_letters")
TRIES: Collection[_Tries] = Collection("telemetry_tries")


@dataclass(frozen=True)
class Shown:
    """A letter as people see it, without whose card it was; every text can be printed."""

    id: str
    cp_id: str
    kind: str
    session_id: str | None
    energy_wh: float | None
    happened: datetime
    reason: str
    refused: bool
    tries: int
    at: datetime
    lost_session: bool = False
    """The end of a session that told of energy, and that is not known here."""


class NoSuchLetter(LookupError):
    """There is none of that id (any more)."""

    def __str__(self) -> str:
        return f"{self.args[0]}: no such dead letter"


def letter_id(cp_id: str, boot_id: str, seq: int) -> str:
    # Ids of charge points hold no slash, so that this is one message's alone.
    return f"{cp_id}/{boot_id}/{seq}"


async def count_try(db: Database, id_: str) -> int:
    """One more of this message has broken off; how many that makes. Outside of any transaction:
    that of the message leaves nothing."""
    change = {"$inc": {"tries": 1}, "$set": {"at": db.now()}}
    counted = await TRIES.of(db).update_and_find({"_id": id_}, change, upsert=True)
    return 1 if counted is None else counted["tries"]


def letter(
    tx: Tx, cp_id: str, boot_id: str, message: JsonMapping, reason: str, *, refused: bool
) -> DeadLetter:
    energy_wh = message.get("energy_wh", 0.0) if message["kind"] == "session_stopped" else 0.0
    made: DeadLetter = {
        "_id": letter_id(cp_id, boot_id, message["seq"]),
        "cp_id": cp_id,
        "kind": message["kind"],
        "message": json.dumps({**message, "at": message["at"].isoformat()}),
        "reason": _storable(reason),
        "refused": refused and not energy_wh,
        "tries": 1 if refused else MAX_TRIES,
        "at": tx.now,
    }
    if refused and energy_wh:
        made["refused_wh"] = energy_wh
    return made


def message_of(kept: DeadLetter) -> JsonObject:
    """The message as telemetry's handlers take it."""
    message: JsonObject = json.loads(kept["message"])
    return {**message, "at": datetime.fromisoformat(message["at"])}


def shown(kept: DeadLetter) -> Shown:
    message = message_of(kept)
    session_id = message.get("session_id")
    return Shown(
        id=kept["_id"],
        cp_id=kept["cp_id"],
        kind=kept["kind"],
        session_id=None if session_id is None else _storable(session_id),
        energy_wh=message.get("energy_wh"),
        happened=message["at"],
        reason=kept["reason"],
        refused=kept["refused"],
        tries=kept["tries"],
        at=kept["at"],
        lost_session="refused_wh" in kept,
    )


async def keep(tx: Tx, letters: Sequence[DeadLetter]) -> None:
    """Keep them, of one charge point; of its refused ones the latest MAX_REFUSED, and as many of
    those that tell of energy."""
    if not letters:
        return
    refused = [one for one in letters if one["refused"]]
    kept = [one for one in letters if not one["refused"]] + refused[-MAX_REFUSED:]
    ids = [one["_id"] for one in kept]
    # An engine so old that its start was forgotten may tell the same again.
    await DEAD_LETTERS.of(tx).delete_many({"_id": {"$in": ids}})
    await DEAD_LETTERS.of(tx).insert_many(kept)
    await TRIES.of(tx).delete_many({"_id": {"$in": ids}})
    cp_id = letters[0]["cp_id"]
    if refused:
        await _forget_surplus(tx, {"cp_id": cp_id, "refused": True})
    if any("refused_wh" in one for one in kept):
        lost = {"cp_id": cp_id, "refused": False, "refused_wh": {"$exists": True}}
        await _forget_surplus(tx, lost)


async def _forget_surplus(tx: Tx, query: JsonMapping) -> None:
    surplus = await DEAD_LETTERS.of(tx).find(query, {"_id": 1}, sort=[("at", -1)], skip=MAX_REFUSED)
    await DEAD_LETTERS.of(tx).delete_many({"_id": {"$in": [one["_id"] for one in surplus]}})


async def get(where: Where, id_: str) -> DeadLetter:
    """Raises NoSuchLetter."""
    found = await DEAD_LETTERS.of(where).find_one({"_id": id_})
    if found is None:
        raise NoSuchLetter(id_)
    return found


async def remove(tx: Tx, id_: str) -> DeadLetter:
    """The letter, which is gone now. Raises NoSuchLetter."""
    found = await DEAD_LETTERS.of(tx).take({"_id": id_})
    if found is None:
        raise NoSuchLetter(id_)
    return found


async def not_taken_again(tx: Tx, id_: str, reason: str, *, refused: bool) -> None:
    """A replay came to nothing. What has failed once never goes by itself."""
    kept = await get(tx, id_)
    changes = {
        "reason": _storable(reason),
        "refused": kept["refused"] and refused,
        "tries": kept["tries"] + 1,
        "at": tx.now,
    }
    await DEAD_LETTERS.of(tx).update_one({"_id": id_}, {"$set": changes})


async def listed(db: Database, cp_id: str | None, limit: int) -> list[Shown]:
    """Failed ones first, the latest of each kind first; of one charge point, or of all."""
    of = {} if cp_id is None else {"cp_id": cp_id}
    found: list[Shown] = []
    for refused in (False, True):
        room = limit - len(found)
        if room > 0:
            found += await _latest(db, {**of, "refused": refused}, room)
    return found


async def failed(db: Database, limit: int) -> list[Shown]:
    """The latest of those that failed."""
    return await _latest(db, {"refused": False}, limit)


async def counts(db: Database) -> Mapping[str, int]:
    """How many failed, and how many were refused."""
    return {
        FAILED: await DEAD_LETTERS.of(db).count({"refused": False}),
        REFUSED: await DEAD_LETTERS.of(db).count({"refused": True}),
    }


async def lost_wh(where: Where) -> float:
    """What the ends of sessions tell of that are not known here."""
    rows = await DEAD_LETTERS.of(where).aggregate(
        [
            {"$match": {"refused": False, "refused_wh": {"$exists": True}}},
            {"$group": {"_id": None, "wh": {"$sum": "$refused_wh"}}},
        ]
    )
    return float(rows[0]["wh"]) if rows else 0.0


async def _latest(db: Database, query: JsonMapping, limit: int) -> list[Shown]:
    rows = await DEAD_LETTERS.of(db).find(query, sort=[("at", -1)], limit=limit)
    return [shown(row) for row in rows]


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()[:MAX_REASON_LENGTH]
