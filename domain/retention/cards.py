"""Cards in what has long been billed: when bills have to be kept no longer, the driver goes out of
them. What was charged where, when and for how much stays.

Of a session that is settled and ended by then: its uid, contract id and the eMSP's reference, in
how it ran, in the Session and in its CDRs, with the signed meter data, which names the card. Peers
are told nothing of it: what they hold is theirs to forget. Nothing gets a new `last_updated`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import partial

import orjson

from db_interface.bulk import update_each
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import fold
from db_interface.transaction import Tx
from domain.erasure import ERASED, NOBODY
from domain.platform_facts import PLATFORM
from domain.sessions.session_document import ChargingSession
from domain.sessions.session_records import SESSIONS
from domain.sessions.session_trimming import SETTLED

AT_ONCE = 200
_PROGRESS = "cards_forgotten"
_WHOSE = {"country_code", "party_id", "type"}
_NAMES_IT = ("authorization_reference", "signed_data")
_WANTED = {"token": 1, "created": 1, "country_code": 1, "party_id": 1}


async def forget(db: Database, before: datetime) -> AsyncIterator[int]:
    """Of how many sessions each time. Goes on where it was the last time: at the oldest session
    that was not settled yet."""
    store = DbInterface(db)
    known = await PLATFORM.of(db).find_one({"_id": _PROGRESS})
    oldest_left: datetime | None = None
    span: JsonObject = {} if known is None else {"$gte": known["at"]}
    while found := await _in_order(db, {**span, "$lt": before}):
        settled = await _settled(db, found, before)
        due = [one for one in found if one["_id"] in settled and one["token"]["uid"] != ERASED]
        if due:
            yield await store.transact(partial(_without_cards, sessions=due))
        left = [one["created"] for one in found if one["_id"] not in settled]
        oldest_left = oldest_left or min(left, default=None)
        last = found[-1]["created"]
        span = {"$gt": last}
        await PLATFORM.of(db).update_one(
            {"_id": _PROGRESS}, {"$set": {"at": oldest_left or last}}, upsert=True
        )


async def _in_order(db: Database, span: JsonMapping) -> list[ChargingSession]:
    """The next ones; those of one moment together."""
    found = await SESSIONS.of(db).find(
        {"created": span}, _WANTED, sort=[("created", 1), ("_id", 1)], limit=AT_ONCE
    )
    if len(found) < AT_ONCE:
        return found
    last = found[-1]["created"]
    together = await SESSIONS.of(db).find({"created": last}, _WANTED, sort=[("_id", 1)])
    return [one for one in found if one["created"] != last] + together


async def _settled(db: Database, sessions: Sequence[ChargingSession], before: datetime) -> set[str]:
    ids = [one["_id"] for one in sessions]
    wanted = {**SETTLED, "_id": {"$in": ids}, "ended": {"$lt": before}}
    return {one["_id"] for one in await SESSIONS.of(db).find(wanted, {"_id": 1})}


async def _without_cards(tx: Tx, sessions: Sequence[ChargingSession]) -> int:
    await update_each(
        SESSIONS.of(tx),
        [
            (
                {"_id": one["_id"]},
                {
                    "$set": {"token": _nobody(one["token"]), "authorization_reference": None},
                    "$unset": {"signed_data": ""},
                },
            )
            for one in sessions
        ],
    )
    keys = [fold(one["country_code"], one["party_id"], one["_id"]) for one in sessions]
    await _strip(tx, "sessions", {"_id": {"$in": keys}})
    await _strip(tx, "cdrs", {"links.session": {"$in": [one["_id"].lower() for one in sessions]}})
    return len(sessions)


async def _strip(tx: Tx, module: str, which: JsonMapping) -> None:
    changes: list[tuple[JsonMapping, JsonMapping]] = []
    for document in await tx.store.objects(module).documents(which, tx, fields={"raw": 1}):
        fields: JsonObject = orjson.loads(document["raw"])
        kept = {name: value for name, value in fields.items() if name not in _NAMES_IT}
        kept["cdr_token"] = _nobody(fields["cdr_token"])
        changes.append(
            (
                {"_id": document["_id"]},
                {
                    "$set": {"fields": kept, "raw": orjson.dumps(kept)},
                    "$unset": {"views": "", "prior": ""},
                },
            )
        )
    await update_each(tx.store.objects(module).of(tx), changes)


def _nobody(token: JsonMapping) -> JsonObject:
    return {**{name: token[name] for name in _WHOSE & token.keys()}, **NOBODY}
