"""Pages of what is settled: every object in its latest state that nothing can overtake any more.

All is read *as of* a mark (writers.py): an object that has changed since is shown as it was
before (`prior`), one that was created since is not shown, and the numbers say the same. So a page
is the same whenever it is read, and whoever asks on from its newest stamp misses nothing.

A pull by date keeps the mark of its first page to its last, and what was counted then: what changes
meanwhile is the next pull's. A list without dates shows each page as of its own moment: the first
one as of when it was asked for, later ones as of when the oldest transaction in flight began, for
which they do not wait. What that changes is the next pull's, too.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from operator import itemgetter
from typing import NamedTuple, TypeGuard

from db_interface.database import Database
from db_interface.json_data import JsonObject
from db_interface.page_queries import (
    NOT_OURS,
    AsOf,
    PageQuery,
    bare,
    counted,
    index_of,
    numbers_of,
    objects_of,
    window_of,
)
from db_interface.page_rows import PageRows
from db_interface.stretches import place_of
from db_interface.views import in_view

__all__ = ["Page", "PageQuery", "count", "page", "sound"]

logger = logging.getLogger("cpo.store")

_ROOM_FOR_NUMBERS = 100
_EXACT_TO = timedelta(milliseconds=2)
"""How well a process knows the time when all is well."""
NOT_LONG = timedelta(seconds=1)
"""Who goes on reading is shown what was settled so long ago, at most: what was before it is not
kept for ever."""
_OPEN, _CLOSE = {ord("{")}, {ord("}")}
_FIRST, _LAST = itemgetter(0), itemgetter(-1)


class Page(NamedTuple):
    raws: list[bytes]
    total: int
    last_seq: int | None
    """seq of the last object on this page: where the next one continues."""
    is_last: bool
    as_of: datetime | None = None
    """The mark that the next page of this pull has to be read with; None: its own."""
    unmade: Sequence[int] = ()
    """Which of `raws` are the object's own bytes, of which the reader's form has to be made."""
    rows: Sequence[JsonObject] = ()
    """What `raws` were read of."""

    def places(self) -> list[tuple[int, datetime]]:
        """Of each of `raws`, its place in the order of creation and its `last_updated`."""
        return [(row["seq"], row["last_updated"].replace(tzinfo=timezone.utc)) for row in self.rows]


async def page(db: Database, module: str, query: PageQuery, rows: PageRows) -> Page:
    """One page in order of creation, with the exact number of objects the query matches."""
    goes_on = query.after is not None and not query.by_date
    query = await _from_near_by(db, module, query)
    as_of, found, total = await _found(db, module, query, rows, goes_on=goes_on)
    if goes_on and not as_of.calm and any(_is_overtaken(row, as_of) for row in found):
        as_of, found, total = await _found(db, module, query, rows)
    listed = found[: query.limit]
    seen = _sound_of(_seen(listed, as_of, query), module)
    computed = query.view is not None and not query.view.same_if_absent
    return Page(
        raws=[row["raw"] for row in seen],
        total=total,
        last_seq=listed[-1].get("seq") if listed else None,
        is_last=len(found) <= query.limit,
        as_of=as_of.mark if query.by_date else None,
        unmade=[n for n, row in enumerate(seen) if row.get("unmade")] if computed else (),
        rows=seen,
    )


async def _from_near_by(db: Database, module: str, query: PageQuery) -> PageQuery:
    """The same page, of which less has to be passed over."""
    if query.after is not None or query.by_date or query.required:
        return query
    place = await place_of(db, module, query.offset, query.audiences, query.owners)
    return query if place is None else query._replace(after=place.begin - 1, skip=place.skip)


async def count(db: Database, module: str, query: PageQuery) -> int:
    """How many objects match, whatever the page."""
    return (await _found(db, module, query, None))[2]


async def _found(
    db: Database, module: str, query: PageQuery, rows: PageRows | None, *, goes_on: bool = False
) -> tuple[AsOf, list[JsonObject], int]:
    """As of when it is read, the page's rows (None: they are not wanted), and how many objects
    match. `goes_on`: with what was begun before."""
    writers = db.writers

    async def read(mark: datetime, *, calm: bool = False) -> tuple[AsOf, list[JsonObject], int]:
        as_of = AsOf(mark, writers.end_of_places(mark), calm)
        return as_of, *await _read_all(db, module, query, as_of, rows is not None)

    if query.as_of is not None:
        as_of, found, total = await read(min(query.as_of, writers.stamp()))
        return as_of, found, total if query.total is None else query.total
    number_in = counted(module, query)
    mark = writers.mark() if goes_on else await writers.settled_here()
    seen = await writers.look(mark, number_in)
    begun = writers.begun(mark, seen) if goes_on else mark
    if mark - NOT_LONG <= begun < mark:
        return await read(begun)
    if begun < mark or seen.slow > _EXACT_TO:
        mark = await writers.settled_here()
        seen = await writers.look(mark, number_in)
    if seen.late:
        return await read(await writers.settled_elsewhere(mark))
    # Nearly always nobody writes at this very moment: then all that is there is settled.
    as_of = AsOf(mark, writers.end_of_places(mark), calm=True)
    if seen.number is not None:
        found = [] if rows is None else await rows.read(query, as_of)
        total = seen.number
    else:
        found, total = await _read_all(db, module, query, as_of, rows is not None)
    if not _all_settled(found, as_of, query):
        return await read(mark)
    return as_of, found, total


async def _read_all(
    db: Database, module: str, query: PageQuery, as_of: AsOf, rows: bool
) -> tuple[list[JsonObject], int]:
    """Rows and number in one query: the driver's price for a query is higher than the server's."""
    known = query.total is not None and query.as_of is not None
    parts = [] if known and rows else numbers_of(module, query, as_of)
    if rows:
        parts.insert(0, objects_of(module, query, as_of))
    stages = [*parts[0]["pipeline"], *({"$unionWith": part} for part in parts[1:])]
    room = query.limit + _ROOM_FOR_NUMBERS
    index = index_of(query) if rows else None
    hint = {} if index is None else {"hint": index}
    found = await db.rows(
        db.with_bare_times(parts[0]["coll"]),
        lambda documents: documents.aggregate(stages, batchSize=room, **hint),
    )
    total = 0
    while found and "n" in found[-1]:
        total += found.pop()["n"]
    return found, total


def _seen(rows: Sequence[JsonObject], as_of: AsOf, query: PageQuery) -> list[JsonObject]:
    """The rows in the reader's form, as they were at the mark; none that was not there yet."""
    if as_of.calm:
        return [in_view(row, query.view) if "views" in row else row for row in rows]
    as_then = [
        _as_of(row, as_of, query) if "hot" in row else in_view(row, query.view) for row in rows
    ]
    return [row for row in as_then if row is not None]


def _all_settled(rows: Sequence[JsonObject], as_of: AsOf, query: PageQuery) -> bool:
    """Whether what was read in calm shows nothing that is not settled."""
    if not rows:
        return True
    # In order of creation: the last one is the youngest.
    if rows[-1].get("seq", 0) >= as_of.end:
        return False
    mark = bare(as_of.mark)
    stamps = [row["last_updated"] for row in rows if "last_updated" in row]
    if max(stamps, default=mark) <= mark:
        return True
    newer = [at for at in stamps if at > mark]
    if query.by_date:
        return not newer
    return all(at > mark + NOT_OURS for at in newer)


def _is_overtaken(row: JsonObject, as_of: AsOf) -> bool:
    """Whether it was there before the mark, maybe, and how it was then is not kept any more."""
    prior = row["hot"].get("prior", ()) if "hot" in row else ()
    return bool(prior) and all(one["at"] > bare(as_of.mark) for one in prior)


def _as_of(row: JsonObject, as_of: AsOf, query: PageQuery) -> JsonObject | None:
    """One that has changed since the mark, as it was then; None: it is not to be seen yet."""
    hot, mark = row["hot"], bare(as_of.mark)
    if not query.by_date and hot["at"] > mark + NOT_OURS:
        return in_view(row, query.view)
    before = [prior for prior in hot.get("prior", ()) if prior["at"] <= mark]
    if not before:
        return None
    latest = max(before, key=lambda prior: prior["at"])
    begin = window_of(query).get("$gte")
    if begin is not None and latest["at"] < bare(begin):
        return None
    place = {"seq": row["seq"], "last_updated": latest["at"]}
    if query.view is None:
        return {"raw": bytes(latest["raw"]), **place}
    return {**query.view.of(latest["raw"], latest.get("views"))._asdict(), **place}


def sound(raw: object) -> TypeGuard[bytes]:
    """Whether the stored bytes can stand in a list: damage from outside must not spoil others."""
    return isinstance(raw, bytes) and raw[:1] == b"{" and raw[-1:] == b"}"


def _sound_of(rows: list[JsonObject], module: str) -> list[JsonObject]:
    """Those that are sound; of the others the operator is told."""
    # Nearly always all are, which is told without a call for each.
    raws = [raw for row in rows if type(raw := row.get("raw")) is bytes and raw]
    if len(raws) == len(rows) and {*map(_FIRST, raws)} <= _OPEN and {*map(_LAST, raws)} <= _CLOSE:
        return rows
    seen = [row for row in rows if sound(row.get("raw"))]
    for _ in range(len(rows) - len(seen)):
        logger.error("%s: a stored object is damaged", module)
    return seen
