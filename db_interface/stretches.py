"""The order of creation in counted stretches, so that a deep `offset` is found without passing all
that lies before it.

Of each module the order of creation is cut, from its beginning, into stretches of so many objects,
and of each is kept how many objects of each owner and audience lie in it. What comes new lies
behind the last stretch and costs nothing here: stretches are cut in the background, where nothing
can appear any more. What opens to other readers, or goes, changes the numbers of its stretch in its
transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from db_interface.bulk import upsert_each
from db_interface.collection import Collection, Where
from db_interface.database import Database
from db_interface.demand import any_of
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.order_of_creation import first_place

if TYPE_CHECKING:
    from db_interface.interface import DbInterface
    from db_interface.transaction import Tx

SIZE = 1000
LARGE, LARGE_ONES = 20_000, ("sessions", "cdrs")
"""Of what is for one party each: a stretch has numbers for each of them, and few objects of one."""
SETTLED_AFTER = timedelta(seconds=5)
"""So old is what is cut off, at least: nobody waits here for what is being written."""


class Stretch(TypedDict, total=False):
    """A document of `stretches`: the numbers of one owner and audience in one stretch
    ("module/begin/owner/audience"), or how far a module's stretches reach (the module's name)."""

    _id: str
    module: str
    begin: int
    """the place where it begins; it ends where the next one does"""
    owner: str
    audience: str
    n: int
    end: int
    """of a module: the place where its last stretch ends"""
    moves: int
    """of a module: how often an object behind that has opened to others, or gone. Whoever cuts a
    stretch meanwhile meets the other here."""


STRETCHES: Collection[Stretch] = Collection("stretches")


class Place(NamedTuple):
    """Where to begin, and how many to pass over from there."""

    begin: int
    skip: int


async def place_of(
    db: Database,
    module: str,
    offset: int,
    audiences: Sequence[str],
    owners: Sequence[str] | None,
) -> Place | None:
    """Where the object with that offset lies, of those that these audiences may read; None: it has
    to be counted from the first."""
    if offset < _size(module):
        return None
    match: JsonObject = {"module": module, "audience": any_of(audiences)}
    if owners is not None:
        match["owner"] = any_of(owners)
    stages: list[JsonMapping] = [
        {"$match": match},
        {"$group": {"_id": "$begin", "n": {"$sum": "$n"}}},
        {"$sort": {"_id": 1}},
    ]
    place, before = None, 0
    for row in await db.rows(db[STRETCHES.name], lambda documents: documents.aggregate(stages)):
        if before > offset:
            break
        place = Place(row["_id"], offset - before)
        before += row["n"]
    return place


async def moved(
    tx: Tx, module: str, place: int, owner: str, changes: Sequence[tuple[str, int]]
) -> None:
    """The object at that place is one more, or less (-1), for these audiences."""
    stretches = STRETCHES.of(tx)
    head = await stretches.find_one({"_id": module})
    if head is None or place >= head.get("end", 0):
        await stretches.update_one({"_id": module}, {"$inc": {"moves": 1}}, upsert=True)
        return
    before = {"module": module, "begin": {"$lte": place}}
    its = await stretches.find(before, {"begin": 1}, sort=[("begin", -1)], limit=1)
    begin = its[0]["begin"]
    await upsert_each(
        stretches, [_more(module, begin, owner, audience, n) for audience, n in changes]
    )


async def cut(store: DbInterface, module: str) -> bool:
    """Cut the next stretch; False: there is no whole one yet."""
    head = await STRETCHES.of(store.db).find_one({"_id": module})
    begin = 0 if head is None else head.get("end", 0)
    if await _end_of_next(store, module, {"$gte": begin}) is None:
        return False
    writers = store.db.writers
    mark = await writers.settled_elsewhere(await writers.settled_here() - SETTLED_AFTER)
    end = await _end_of_next(store, module, {"$gte": begin, "$lt": first_place(mark)})
    if end is None:
        return False
    await store.transact(partial(_cut, module, begin, end))
    return True


async def _end_of_next(store: DbInterface, module: str, places: JsonObject) -> int | None:
    following = await store.objects(module).documents(
        {"seq": places}, fields={"_id": 0, "seq": 1}, sort=[("seq", 1)], skip=_size(module), limit=1
    )
    return following[0]["seq"] if following else None


async def _cut(module: str, begin: int, end: int, tx: Tx) -> None:
    stretches = STRETCHES.of(tx)
    head = await stretches.find_one({"_id": module})
    if head is not None and head.get("end", 0) != begin:
        return  # another process was faster
    await stretches.update_one({"_id": module}, {"$set": {"end": end}}, upsert=True)
    numbers = await _numbers(module, begin, end, tx)
    await upsert_each(stretches, [_more(module, begin, *key, n) for key, n in numbers.items()])


async def count_again(store: DbInterface, module: str, behind: int) -> int | None:
    """Set the numbers right of the first stretch that begins behind that place: whoever wrote here
    without knowing of stretches has left them wrong. Where it begins; None: there is none."""
    begin = await _begin_behind(store.db, module, behind)
    if begin is not None:
        await store.transact(partial(_count_again, module, begin))
    return begin


async def _begin_behind(where: Where, module: str, place: int) -> int | None:
    further = {"module": module, "begin": {"$gt": place}}
    found = await STRETCHES.of(where).find(further, {"begin": 1}, sort=[("begin", 1)], limit=1)
    return found[0]["begin"] if found else None


async def _count_again(module: str, begin: int, tx: Tx) -> None:
    stretches = STRETCHES.of(tx)
    end = await _begin_behind(tx, module, begin)
    if end is None:
        head = await stretches.find_one({"_id": module})
        end = begin if head is None else head["end"]
    numbers = await _numbers(module, begin, end, tx)
    kept = await stretches.find({"module": module, "begin": begin})
    known = {(row["owner"], row["audience"]): row["n"] for row in kept}
    wrong = {
        key: numbers.get(key, 0) - known.get(key, 0)
        for key in {*numbers, *known}
        if numbers.get(key, 0) != known.get(key, 0)
    }
    await upsert_each(stretches, [_more(module, begin, *key, n) for key, n in wrong.items()])


async def _numbers(module: str, begin: int, end: int, tx: Tx) -> dict[tuple[str, str], int]:
    """By owner and audience."""
    key = {"owner": "$owner", "audience": "$audience"}
    stages: list[JsonMapping] = [
        {"$match": {"seq": {"$gte": begin, "$lt": end}}},
        {"$group": {"_id": key, "n": {"$sum": 1}}},
    ]
    rows = await tx.store.objects(module).of(tx).aggregate(stages)
    # What was damaged from outside may lack either.
    return {(row["_id"].get("owner", ""), row["_id"].get("audience", "")): row["n"] for row in rows}


def _size(module: str) -> int:
    return LARGE if module in LARGE_ONES else SIZE


def _more(
    module: str, begin: int, owner: str, audience: str, number: int
) -> tuple[str, JsonMapping]:
    same = {"module": module, "begin": begin, "owner": owner, "audience": audience}
    key = f"{module}/{begin}/{owner}/{audience}"
    return key, {"$inc": {"n": number}, "$setOnInsert": same}
