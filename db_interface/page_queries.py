"""The queries behind a page: which objects stand on it, and how many there are in all.

Nothing here asks the store. What is settled, and why it is told from the rest, says pages.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import NamedTuple

import orjson

from db_interface.counters import COUNTS
from db_interface.demand import NO_DEMAND, Demand, any_of
from db_interface.indexes import BY_CREATION, BY_DATE
from db_interface.json_data import JsonObject
from db_interface.views import View, asked_for

_LAST_SECOND = datetime.max.replace(microsecond=0, tzinfo=timezone.utc)
_MANY = 5_000
NOT_OURS = timedelta(seconds=10)
"""A stamp that far ahead is none of our clock's: it says nothing, and hides nothing."""


class PageQuery(NamedTuple):
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
    skip: int = 0
    """so many behind `after` are passed over"""
    total: int | None = None
    """how many there were on its first page; None: they are counted"""
    view: View | None = None
    """the form that the reader takes them in; None: their own"""

    @property
    def passed_over(self) -> int:
        return self.offset if self.after is None else self.skip

    @property
    def by_date(self) -> bool:
        return self.date_from is not None or self.date_to is not None


class AsOf(NamedTuple):
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
        return {"$gt": self.mark, "$lte": self.mark + NOT_OURS}


def objects_of(module: str, query: PageQuery, as_of: AsOf) -> JsonObject:
    """The objects themselves; `hot` tells of those that have changed since the mark."""
    skip = [{"$skip": query.passed_over}] if query.passed_over else []
    wanted = fields_wanted(query)
    if not as_of.calm:
        hot = {"at": "$last_updated", "prior": "$prior"}
        wanted["hot"] = {"$cond": [{"$gt": ["$last_updated", as_of.mark]}, hot, "$$REMOVE"]}
    return {
        "coll": module,
        "pipeline": [
            {"$match": objects_matching(query, as_of)},
            {"$sort": {"seq": 1}},
            *skip,
            {"$limit": query.limit + 1},
            {"$project": wanted},
        ],
    }


def index_of(query: PageQuery) -> str | None:
    """The index that a later page of a pull by date is read by; None: MongoDB finds it out.

    It does so by trying, and for all queries of the same form. Few objects of many are found by
    their dates and put in order; many are passed in order of creation, each once in the whole pull.
    """
    if query.total is None or query.required:
        return None
    return BY_CREATION if query.total > _MANY else BY_DATE


def fields_wanted(query: PageQuery) -> JsonObject:
    return {"_id": 0, **asked_for(query.view), "seq": 1, "last_updated": 1}


def objects_matching(query: PageQuery, as_of: AsOf) -> JsonObject:
    match = _visible(query)
    places: JsonObject = {} if as_of.calm else {"$lt": as_of.end}
    if query.after is not None:
        places["$gt"] = query.after
    if places:
        match["seq"] = places
    window = window_of(query)
    if window:
        match["last_updated"] = window
    return match


def numbers_of(module: str, query: PageQuery, as_of: AsOf) -> list[JsonObject]:
    """Where and how the numbers are found whose sum is how many objects match: rows {n}."""
    if query.by_date:
        return _numbers_by_date(module, query, as_of)
    visible = _visible(query)
    kept = counted(module, query)
    all_there = _count(module, visible) if kept is None else orjson.loads(kept)
    if as_of.calm:
        return [all_there]
    hidden = {
        "$or": [
            {"seq": {"$gte": as_of.end}},
            {"last_updated": as_of.changed_since, "prior.at": {"$not": as_of.settled}},
        ]
    }
    return [all_there, _count(module, {**visible, **hidden}, sign=-1)]


def counted(module: str, query: PageQuery) -> str | None:
    """Where the number of all that match is kept, counted as it is written, as looks.py wants it;
    None: nowhere."""
    if query.by_date or query.required:
        return None
    owners = None if query.owners is None else tuple(query.owners)
    return _where_counted(module, tuple(query.audiences), owners)


@lru_cache(maxsize=1024)
def _where_counted(module: str, audiences: Sequence[str], owners: Sequence[str] | None) -> str:
    """Written down once for all who see the same."""
    total = {"$group": {"_id": None, "n": {"$sum": "$n"}}}
    match = {"module": module, **_visible(PageQuery(audiences, limit=0, owners=owners))}
    return orjson.dumps({"coll": COUNTS.name, "pipeline": [{"$match": match}, total]}).decode()


def _numbers_by_date(module: str, query: PageQuery, as_of: AsOf) -> list[JsonObject]:
    if as_of.calm:
        window = {**as_of.settled, **window_of(query)}
        return [_count(module, {**_visible(query), "last_updated": window})]
    visible, window = {**_visible(query), "seq": {"$lt": as_of.end}}, window_of(query)
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


def window_of(query: PageQuery) -> dict[str, datetime]:
    dates: dict[str, datetime] = {}
    if query.date_from is not None:
        dates["$gte"] = _to_milliseconds(query.date_from, math.floor)
    if query.date_to is not None:
        dates["$lt"] = _to_milliseconds(query.date_to, math.ceil)
    return dates


def bare(moment: datetime) -> datetime:
    """As the rows' times are read (`Database.with_bare_times`)."""
    return moment.replace(tzinfo=None)


def _to_milliseconds(moment: datetime, rounding: Callable[[float], int]) -> datetime:
    """Dates are kept in milliseconds: round outwards, so that no object falls between two pulls."""
    milliseconds = rounding(moment.microsecond / 1000)
    if milliseconds == 1000 and moment >= _LAST_SECOND:
        milliseconds = 999
    return moment.replace(microsecond=0) + timedelta(milliseconds=milliseconds)
