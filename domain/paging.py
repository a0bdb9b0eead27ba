"""Pages of a list in a fixed order, with cursors that say where the pages beside one begin.

A cursor names the place of a row, not its number: whatever is added or goes meanwhile, a row that
stays is shown once. Pages are found by an index that has the order's keys, forwards or backwards.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Generic, TypeVar

import orjson

from db_interface.collection import Documents
from db_interface.json_data import JsonMapping, JsonObject

D = TypeVar("D", bound=JsonMapping)

Value = datetime | str | int | float
Place = tuple[Value, ...]
"""Where a row stands in an order: its values of the order's keys."""

MAX_CURSOR = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LAST_MS = 253_370_764_800_000
"""Of the year 9999."""
_MAX_NUMBER = 2**63 - 1


class BadCursor(ValueError):
    """It is none that we gave out."""

    def __str__(self) -> str:
        return "cursor: is none that we gave out"


@dataclass(frozen=True)
class Order:
    """`keys`: fields, each with 1 (ascending) or -1, that every row has; the last, or the last two
    together, are no other row's. `said`: for people, "newest first"."""

    name: str
    said: str
    keys: Sequence[tuple[str, int]]

    def reversed(self) -> Order:
        return replace(self, keys=[(field, -way) for field, way in self.keys])

    def place(self, row: JsonMapping) -> Place:
        return tuple(value_at(row, field) for field, _ in self.keys)


@dataclass(frozen=True)
class Stretch:
    """A part of an ordered list: at most `limit` rows, behind the place `after`."""

    order: Order
    limit: int
    after: Place | None = None

    @property
    def sort(self) -> Sequence[tuple[str, int]]:
        return self.order.keys

    def of(self, query: JsonMapping) -> JsonObject:
        """The query, narrowed to what is behind the place."""
        if self.after is None:
            return dict(query)
        # The first key's bound by itself is what an index goes by.
        (first, way), *_ = self.order.keys
        bound: JsonObject = {first: {_or_same(way): self.after[0]}}
        bound["$or"] = [
            {
                **{field: value for (field, _), value in zip(before, self.after, strict=False)},
                field: {_behind(way): self.after[number]},
            }
            for number, (field, way) in enumerate(self.order.keys)
            for before in [self.order.keys[:number]]
        ]
        return {"$and": [query, bound]} if query else bound


@dataclass(frozen=True)
class Page(Generic[D]):
    """`following`, `preceding`: the cursors of the pages behind and before it; None: there is
    none."""

    rows: list[D]
    following: str | None = None
    preceding: str | None = None


async def page_of(
    find: Callable[[Stretch], Awaitable[list[D]]],
    order: Order,
    *,
    limit: int,
    cursor: str | None = None,
) -> Page[D]:
    """A page of what `find` brings stretch by stretch. Raises BadCursor."""
    place, backwards = (None, False) if cursor is None else _read(cursor, order)
    if place is not None and backwards:
        found = await find(Stretch(order.reversed(), limit + 1, place))
        if len(found) > limit:
            rows = found[:limit][::-1]
            return Page(rows, _cursor(order, rows[-1]), _cursor(order, rows[0], backwards=True))
        place = None  # that is the first page, and it may be longer by now
    found = await find(Stretch(order, limit + 1, place))
    rows = found[:limit]
    return Page(
        rows,
        _cursor(order, rows[-1]) if len(found) > limit else None,
        _cursor(order, rows[0], backwards=True) if rows and place is not None else None,
    )


async def newest(
    documents: Documents[D],
    query: JsonMapping,
    *,
    by: str,
    limit: int,
    cursor: str | None,
    fields: JsonMapping | None = None,
) -> tuple[list[D], str | None]:
    """At most `limit` documents, the latest `by` that time first, and the cursor of those behind
    them (None: that was all). Raises BadCursor. An index has to end in (`by`, _id)."""

    async def find(part: Stretch) -> list[D]:
        return await documents.find(part.of(query), fields, sort=part.sort, limit=part.limit)

    page = await page_of(find, newest_by(by), limit=limit, cursor=cursor)
    return page.rows, page.following


def newest_by(field: str) -> Order:
    return Order("newest", "newest first", [(field, -1), ("_id", -1)])


def oldest_by(field: str) -> Order:
    return Order("oldest", "oldest first", [(field, 1), ("_id", 1)])


def value_at(row: JsonMapping, path: str) -> Value:
    """Of a field, or of one inside others: "fields.id"."""
    found: object = row
    for name in path.split("."):
        found = found[name] if isinstance(found, dict) else None
    if not isinstance(found, datetime | str | int | float):
        raise KeyError(path)
    return found


def _cursor(order: Order, row: JsonMapping, *, backwards: bool = False) -> str:
    values = [_written(value) for value in order.place(row)]
    text = orjson.dumps([order.name, int(backwards), *values])
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _written(value: Value) -> object:
    if isinstance(value, datetime):
        return [round((value - _EPOCH).total_seconds() * 1000)]
    return value


def _read(cursor: str, order: Order) -> tuple[Place, bool]:
    if not cursor or len(cursor) > MAX_CURSOR:
        raise BadCursor
    try:
        found = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:  # JSON's, base64's, and that of what is no ASCII
        raise BadCursor from None
    if not isinstance(found, list) or len(found) != len(order.keys) + 2:
        raise BadCursor
    name, backwards, *values = found
    if name != order.name or backwards not in (0, 1):
        raise BadCursor
    return tuple(_value(value) for value in values), bool(backwards)


def _value(written: object) -> Value:
    if isinstance(written, str):
        return written
    if isinstance(written, int | float) and abs(written) <= _MAX_NUMBER:
        return written
    match written:
        case [int(ms)] if 0 <= ms < _LAST_MS:
            return _EPOCH + timedelta(milliseconds=ms)
    raise BadCursor


def _behind(way: int) -> str:
    return "$gt" if way > 0 else "$lt"


def _or_same(way: int) -> str:
    return "$gte" if way > 0 else "$lte"
