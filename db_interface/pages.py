"""Pages of what is settled: every object in its latest state that nothing can overtake any more.

All is read *as of* a mark (writers.py): an object that has changed since is shown as it was
before (`prior`), one that was created since is not shown, and the numbers say the same. So a page
is the same whenever it is read, and whoever asks on from its newest stamp misses nothing.

A pull by date keeps the mark of its first page to its last: what changes meanwhile is the next
pull's. A list without dates shows each page as of its own moment.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TypeGuard

from db_interface.counters import COUNTS
from db_interface.database import Database
from db_interface.demand import NO_DEMAND, Demand, any_of
from db_interface.json_data import JsonObject
from db_interface.patience import InTime
from db_interface.views import View, asked_for, in_view

logger = logging.getLogger("cpo.store")

_LAST_SECOND = datetime.max.replace(microsecond=0, tzinfo=timezone.utc)
_ROOM_FOR_NUMBERS = 100
_IN_ORDER = [("seq", 1)]
_NOT_OURS = timedelta(seconds=10)
"""A stamp that far ahead is none of our clock's: it says nothing, and hides nothing."""
_EXACT_TO = timedelta(milliseconds=2)
"""How well a process knows the time when all is well."""


@dataclass(frozen=True)
class PageQuery:
    """What part of a collection a reader asks for, and what of it he may see.

    `owners` None means all parties of this platform. `after` continues behind the object
    with that seq; `offset` counts from the start and is ignored when `after` is given.
    `as_of`: the mark of the pull's first page.
    """

    audiences: Sequence[str]
    limit: int
    owners: Sequence[str] | None = None
    offset: int = 0
    after: int | None = None
    date_from: datetime | None = None
    date_to: datetime | None = None
    required: Demand = NO_DEMAND
    as_of: datetime | None = None
    view: View | None = None
    """the form that the reader takes them in; None: their own"""

    @property
    def by_date(self) -> bool:
        return self.date_from is not None or self.date_to is not None


@dataclass(frozen=True)
class Page:
    raws: list[bytes]
    total: int
    last_seq: int | None
    """seq of the last object on this page: where the next one continues."""
    is_last: bool
    as_of: datetime | None = None
    """The mark that the next page of this pull has to be read with; None: its own."""
    unmade: Sequence[int] = ()
    """Which of `raws` are the object's own bytes, of which the reader's form has to be made."""


@dataclass(frozen=True)
class AsOf:
    """The parts of queries that tell what is settled."""

    mark: datetime
    end: int
    """No place from here on is settled."""
    calm: bool = False
    """Nobody is thought to write: what is read shows whether that is so."""

    @property
    def settled(self) -> JsonObject:
        return {"$lte": self.mark}

    @property
    def changed_since(self) -> JsonObject:
        return {"$gt": self.mark, "$lte": self.mark + _NOT_OURS}


async def page(db: Database, module: str, query: PageQuery) -> Page:
    """One page in order of creation, with the exact number of objects the query matches."""
    as_of, rows, total = await _found(db, module, query, rows=True)
    listed = rows[: query.limit]
    as_then = [
        _as_of(row, as_of, query) if "hot" in row else in_view(row, query.view) for row in listed
    ]
    seen = [row for row in as_then if row is not None and sound(row.get("raw"))]
    for _ in range(len(listed) - len(seen) - as_then.count(None)):
        logger.error("%s: a stored object is damaged", module)
    return Page(
        raws=[row["raw"] for row in seen],
        total=total,
        last_seq=listed[-1].get("seq") if listed else None,
        is_last=len(rows) <= query.limit,
        as_of=as_of.mark if query.by_date else None,
        unmade=[] if query.view is None else [n for n, row in enumerate(seen) if row.get("unmade")],
    )


async def count(db: Database, module: str, query: PageQuery) -> int:
    """How many objects match, whatever the page."""
    return (await _found(db, module, query, rows=False))[2]


async def _found(
    db: Database, module: str, query: PageQuery, *, rows: bool
) -> tuple[AsOf, list[JsonObject], int]:
    """As of when it is read, the page's rows, if wanted, and how many objects match."""
    writers = db.writers

    async def read(mark: datetime, *, calm: bool = False) -> tuple[AsOf, list[JsonObject], int]:
        as_of = AsOf(mark, writers.end_of_places(mark), calm)
        return as_of, *await _read_all(db, module, query, as_of, rows=rows)

    if query.as_of is not None:
        return await read(min(query.as_of, writers.stamp()))
    counted = _counted(module, query)
    mark = await writers.settled_here()
    seen = await writers.look(mark, counted)
    if seen.slow > _EXACT_TO:
        mark = await writers.settled_here()
        seen = await writers.look(mark, counted)
    if seen.late:
        return await read(await writers.settled_elsewhere(mark))
    # Nearly always nobody writes at this very moment: then all that is there is settled.
    as_of = AsOf(mark, writers.end_of_places(mark), calm=True)
    if seen.number is not None:
        found = await _read_rows(db, module, query, as_of) if rows else []
        total = seen.number
    else:
        found, total = await _read_all(db, module, query, as_of, rows=rows)
    if not _all_settled(found, as_of, query):
        return await read(mark)
    return as_of, found, total


async def _read_all(
    db: Database, module: str, query: PageQuery, as_of: AsOf, *, rows: bool
) -> tuple[list[JsonObject], int]:
    """Rows and number in one query: the driver's price for a query is higher than the server's."""
    parts = numbers_of(module, query, as_of)
    if rows:
        parts.insert(0, objects_of(module, query, as_of))
    stages = [*parts[0]["pipeline"], *({"$unionWith": part} for part in parts[1:])]
    room = query.limit + _ROOM_FOR_NUMBERS
    with InTime(db.answer_within_s):
        cursor = db.with_bare_times(parts[0]["coll"]).aggregate(stages, batchSize=room)
        found: list[JsonObject] = await cursor.to_list(None)
    total = 0
    while found and "n" in found[-1]:
        total += found.pop()["n"]
    return found, total


async def _read_rows(db: Database, module: str, query: PageQuery, as_of: AsOf) -> list[JsonObject]:
    """The rows alone: half of what they cost the server together with the number."""
    cursor = db.with_bare_times(module).find(
        _matching(query, as_of),
        _wanted(query),
        sort=_IN_ORDER,
        skip=query.offset if query.after is None else 0,
        limit=query.limit + 1,
        batch_size=query.limit + 1,
    )
    with InTime(db.answer_within_s):
        found: list[JsonObject] = await cursor.to_list(None)
    return found


def objects_of(module: str, query: PageQuery, as_of: AsOf) -> JsonObject:
    """The objects themselves; `hot` tells of those that have changed since the mark."""
    skip = [{"$skip": query.offset}] if query.after is None and query.offset else []
    wanted = _wanted(query)
    if not as_of.calm:
        hot = {"at": "$last_updated", "prior": "$prior"}
        wanted["hot"] = {"$cond": [{"$gt": ["$last_updated", as_of.mark]}, hot, "$$REMOVE"]}
    return {
        "coll": module,
        "pipeline": [
            {"$match": _matching(query, as_of)},
            {"$sort": {"seq": 1}},
            *skip,
            {"$limit": query.limit + 1},
            {"$project": wanted},
        ],
    }


def _wanted(query: PageQuery) -> JsonObject:
    return {"_id": 0, **asked_for(query.view), "seq": 1, "last_updated": 1}


def _matching(query: PageQuery, as_of: AsOf) -> JsonObject:
    match = _visible(query)
    places: JsonObject = {} if as_of.calm else {"$lt": as_of.end}
    if query.after is not None:
        places["$gt"] = query.after
    if places:
        match["seq"] = places
    window = _window(query)
    if window:
        match["last_updated"] = window
    return match


def _all_settled(rows: Sequence[JsonObject], as_of: AsOf, query: PageQuery) -> bool:
    """Whether what was read in calm shows nothing that is not settled."""
    if not rows:
        return True
    # In order of creation: the last one is the youngest.
    if rows[-1].get("seq", 0) >= as_of.end:
        return False
    mark = _bare(as_of.mark)
    newer = [at for row in rows if (at := row.get("last_updated", mark)) > mark]
    if query.by_date:
        return not newer
    return all(at > mark + _NOT_OURS for at in newer)


def _as_of(row: JsonObject, as_of: AsOf, query: PageQuery) -> JsonObject | None:
    """One that has changed since the mark, as it was then; None: it is not to be seen yet."""
    hot, mark = row["hot"], _bare(as_of.mark)
    if not query.by_date and hot["at"] > mark + _NOT_OURS:
        return in_view(row, query.view)
    before = [prior for prior in hot.get("prior", ()) if prior["at"] <= mark]
    if not before:
        return None
    latest = max(before, key=lambda prior: prior["at"])
    begin = _window(query).get("$gte")
    if begin is not None and latest["at"] < _bare(begin):
        return None
    if query.view is None:
        return {"raw": bytes(latest["raw"])}
    return query.view.of(latest["raw"], latest.get("views"))._asdict()


def numbers_of(module: str, query: PageQuery, as_of: AsOf) -> list[JsonObject]:
    """Where and how the numbers are found whose sum is how many objects match: rows {n}."""
    if query.by_date:
        return _numbers_by_date(module, query, as_of)
    visible = _visible(query)
    all_there = _counted(module, query) or _count(module, visible)
    if as_of.calm:
        return [all_there]
    hidden = {
        "$or": [
            {"seq": {"$gte": as_of.end}},
            {"last_updated": as_of.changed_since, "prior.at": {"$not": as_of.settled}},
        ]
    }
    return [all_there, _count(module, {**visible, **hidden}, sign=-1)]


def _counted(module: str, query: PageQuery) -> JsonObject | None:
    """Where the number of all that match is kept, counted as it is written; None: nowhere."""
    if query.by_date or query.required:
        return None
    total = {"$group": {"_id": None, "n": {"$sum": "$n"}}}
    match = {"module": module, **_visible(query)}
    return {"coll": COUNTS.name, "pipeline": [{"$match": match}, total]}


def _numbers_by_date(module: str, query: PageQuery, as_of: AsOf) -> list[JsonObject]:
    if as_of.calm:
        window = {**as_of.settled, **_window(query)}
        return [_count(module, {**_visible(query), "last_updated": window})]
    visible, window = {**_visible(query), "seq": {"$lt": as_of.end}}, _window(query)
    begin, end = window.get("$gte"), window.get("$lt")
    if end is not None and end <= as_of.mark:
        return [_count(module, {**visible, "last_updated": window})]
    from_then = {} if begin is None else {"$gte": begin}
    until = {} if end is None else {"$lt": end}
    return [
        _count(module, {**visible, "last_updated": {**from_then, **as_of.settled}}),
        _count(
            module,
            {
                **visible,
                "last_updated": {"$gt": as_of.mark, **until},
                "prior": {"$elemMatch": {"at": {**from_then, **as_of.settled}}},
            },
        ),
    ]


def _count(module: str, match: JsonObject, *, sign: int = 1) -> JsonObject:
    number = {"$group": {"_id": None, "n": {"$sum": sign}}}
    return {"coll": module, "pipeline": [{"$match": match}, number]}


def _visible(query: PageQuery) -> JsonObject:
    match: JsonObject = {"audience": any_of(query.audiences), **query.required.query()}
    if query.owners is not None:
        match["owner"] = any_of(query.owners)
    return match


def _window(query: PageQuery) -> dict[str, datetime]:
    dates: dict[str, datetime] = {}
    if query.date_from is not None:
        dates["$gte"] = _to_milliseconds(query.date_from, math.floor)
    if query.date_to is not None:
        dates["$lt"] = _to_milliseconds(query.date_to, math.ceil)
    return dates


def sound(raw: object) -> TypeGuard[bytes]:
    """Whether the stored bytes can stand in a list: damage from outside must not spoil others."""
    return isinstance(raw, bytes) and raw[:1] == b"{" and raw[-1:] == b"}"


def _bare(moment: datetime) -> datetime:
    """As the rows' times are read (`Database.with_bare_times`)."""
    return moment.replace(tzinfo=None)


def _to_milliseconds(moment: datetime, rounding: Callable[[float], int]) -> datetime:
    """Dates are kept in milliseconds: round outwards, so that no object falls between two pulls."""
    milliseconds = rounding(moment.microsecond / 1000)
    if milliseconds == 1000 and moment >= _LAST_SECOND:
        milliseconds = 999
    return moment.replace(microsecond=0) + timedelta(milliseconds=milliseconds)
