"""A list: what it holds, what narrows it, how it may be sorted, and its columns in a spreadsheet.

Declared once (domain/operator/lists); the console, the API and the command line show the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timezone, tzinfo
from typing import Generic, Protocol, TypeVar

from db_interface.collection import Collation, Documents, Sort
from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from domain.listing.filters import BadFilter, Filter, Kind
from domain.paging import Order, Page, Stretch, page_of

D = TypeVar("D", bound=JsonMapping)

SORT = "sort"
MAX_COUNTED = 10_000
AT_ONCE = 500
"""Rows of an export that are in memory at a time."""


@dataclass(frozen=True)
class Asked:
    """What somebody wants to see of a list. `given`: his words; `values`: what they mean."""

    order: Order
    values: JsonObject = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Number:
    """How many rows: `n`, or more than that."""

    n: int
    more: bool = False


class Source(Protocol[D]):
    """Where the documents of a list are."""

    async def find(
        self, db: Database, values: JsonObject, part: Stretch, fields: JsonMapping | None = None
    ) -> list[D]:
        """`fields`: these of each, and not those that its rows need."""
        ...

    async def number(self, db: Database, values: JsonObject, most: int) -> int | None:
        """At most `most`; None: it would take long."""
        ...

    async def order(self, db: Database, values: JsonObject) -> Order | None:
        """The order in which they are found at once; None: each of the list's."""
        ...


@dataclass(frozen=True)
class Question:
    """To a collection. `collation`: how its texts are compared, where not byte by byte; `hint`: the
    keys of its index, where the store could take another; `order`: of the index that finds it: in
    another one all that is found has to be sorted."""

    query: JsonMapping
    collation: Collation | None = None
    hint: Sort | None = None
    order: Order | None = None


@dataclass(frozen=True)
class Stored(Generic[D]):
    """The documents of one collection. `total`: how many they are where nothing narrows them,
    without counting them."""

    of: Callable[[Database], Documents[D]]
    question: Callable[[Database, JsonObject], Awaitable[Question]]
    fields: JsonMapping | None = None
    total: Callable[[Database], Awaitable[int]] | None = None

    async def find(
        self, db: Database, values: JsonObject, part: Stretch, fields: JsonMapping | None = None
    ) -> list[D]:
        asked = await self.question(db, values)
        return await self.of(db).find(
            part.of(asked.query),
            fields or self.fields,
            sort=part.sort,
            limit=part.limit,
            collation=asked.collation,
            hint=asked.hint,
        )

    async def number(self, db: Database, values: JsonObject, most: int) -> int:
        asked = await self.question(db, values)
        if not asked.query:
            return await (self.total or self._estimated)(db)
        return await self.of(db).count(
            asked.query, limit=most, collation=asked.collation, hint=asked.hint
        )

    async def order(self, db: Database, values: JsonObject) -> Order | None:
        return (await self.question(db, values)).order

    async def _estimated(self, db: Database) -> int:
        return await self.of(db).estimated_count()


@dataclass(frozen=True)
class Listing(Generic[D]):
    """`rows`: what is shown of documents. `columns`: of a spreadsheet, by name, each with the path
    of its value in a row. `orders`: the first is the usual one."""

    name: str
    source: Source[D]
    rows: Callable[[Database, list[D]], Awaitable[list[JsonObject]]]
    filters: Sequence[Filter]
    orders: Sequence[Order]
    columns: Mapping[str, str]

    def asked(self, given: Mapping[str, str], *, zone: tzinfo = timezone.utc) -> Asked:
        """What `given` says, by the names of filters and `sort`. Raises BadFilter."""
        known = {one.name: one for one in self.filters}
        values: JsonObject = {}
        order = self.orders[0]
        for name, text in given.items():
            if name == SORT:
                order = self._order(text)
            elif name in known:
                values[name] = known[name].read(text, zone)
            else:
                said = ", ".join([*known, SORT])
                raise BadFilter(
                    name[:40], f"is no filter of this list; there are {said}", unknown=True
                )
        return Asked(order, values, dict(given))

    async def page(
        self, db: Database, asked: Asked, *, limit: int, cursor: str | None = None
    ) -> Page[JsonObject]:
        """A page of rows. Raises BadCursor."""
        found = await self.documents(db, asked, limit=limit, cursor=cursor)
        return Page(await self.rows(db, found.rows), found.following, found.preceding)

    async def documents(
        self,
        db: Database,
        asked: Asked,
        *,
        limit: int,
        cursor: str | None = None,
        fields: JsonMapping | None = None,
    ) -> Page[D]:
        """A page of what the rows are made of (`fields`: these of each). Raises BadCursor."""
        order = asked.order
        if SORT not in asked.given:
            order = await self.source.order(db, asked.values) or order
        wanted = None if fields is None else _with_place(fields, order)

        async def find(part: Stretch) -> list[D]:
            return await self.source.find(db, asked.values, part, wanted)

        return await page_of(find, order, limit=limit, cursor=cursor)

    async def number(self, db: Database, asked: Asked) -> Number | None:
        """How many there are; None: to count them could take long, as one index does not find
        them."""
        narrowing = [one for one in self.filters if one.name in asked.values]
        others = [one for one in narrowing if one.kind is not Kind.MOMENT]
        if len(others) > 1 and not any(one.narrow for one in others):
            return None
        n = await self.source.number(db, asked.values, MAX_COUNTED + 1)
        if n is None:
            return None
        if not narrowing:
            return Number(n)
        return Number(MAX_COUNTED, more=True) if n > MAX_COUNTED else Number(n)

    async def everything(self, db: Database, asked: Asked) -> AsyncIterator[list[JsonObject]]:
        """All rows, some at a time: what was there when it began is there once."""
        cursor: str | None = None
        while True:
            page = await self.page(db, asked, limit=AT_ONCE, cursor=cursor)
            if page.rows:
                yield page.rows
            if page.following is None:
                return
            cursor = page.following

    def _order(self, name: str) -> Order:
        for order in self.orders:
            if order.name == name:
                return order
        raise BadFilter(SORT, f"is none of {', '.join(one.name for one in self.orders)}")


def _with_place(fields: JsonMapping, order: Order) -> JsonObject:
    """The projection, and what the order goes by."""
    names = [name for name, _ in order.keys]
    inside = tuple(f"{field}." for field in fields)
    return {**fields, **{name: 1 for name in names if not name.startswith(inside)}}
