"""The objects that anybody may see, read so that nobody misses a change: all of them once, then
what has changed since.

Published is what `domain/visibility.py` shows to every reader: not what is private, held back or
for an eMSP's own drivers. Pure reading: nothing is marked, and nobody waits for it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from db_interface.interface import DbInterface
from db_interface.owned_objects import EVERYBODY, NOBODY
from db_interface.pages import Page, PageQuery
from domain.versions import OcpiVersion
from domain.views.making import made_for, view_of
from domain.visibility import GUESTS

AT_ONCE = 200
"""Objects of one query."""
_OTHERS = (GUESTS, NOBODY)


class Row(NamedTuple):
    """A published object: its place in the order of creation, which it has for good, its
    `last_updated`, and its JSON bytes. None: it cannot be said in the version."""

    place: int
    at: datetime
    raw: bytes | None


@dataclass(frozen=True)
class Changes:
    """What has happened since a mark, and the mark from which to ask on."""

    rows: Sequence[Row]
    gone: Sequence[int]
    """Places of objects that are not published; some never were."""
    total: int
    """How many are published."""
    mark: datetime


class Published:
    """A module's published objects of these parties (folded keys), in a version of OCPI; None: as
    the store has them, which is what `domain/versions` converts."""

    def __init__(
        self,
        store: DbInterface,
        module: str,
        owners: Sequence[str],
        version: OcpiVersion | None = None,
    ) -> None:
        self._store = store
        self._module = module
        self._objects = store.objects(module)
        self._owners = tuple(owners)
        self._version = version

    async def mark(self) -> datetime:
        """From when on to ask for changes, for who reads all of them now."""
        now = self._store.db.now()
        query = self._query((EVERYBODY,))._replace(limit=1, date_from=now)
        page = await self._objects.page(query)
        return page.as_of or now

    async def all(self) -> AsyncIterator[list[Row]]:
        """All, in order of creation, AT_ONCE at a time: each as it is then."""
        query = self._query((EVERYBODY,))
        async for page in self._pages(query):
            yield await self._rows(page)

    async def since(self, mark: datetime) -> Changes:
        """What has changed since then, in its present state."""
        query = self._query((EVERYBODY,))
        rows: list[Row] = []
        as_of = mark
        async for page in self._pages(query._replace(date_from=mark)):
            rows += await self._rows(page)
            as_of = page.as_of or as_of
        others = self._query(_OTHERS)._replace(date_from=mark, as_of=as_of, view=None)
        gone = [place async for page in self._pages(others) for place, _ in page.places()]
        return Changes(rows, gone, await self.number(), as_of)

    async def number(self) -> int:
        """How many are published."""
        return await self._objects.count(self._query((EVERYBODY,)))

    async def places_of(self, object_id: str) -> list[int]:
        """Where the objects of that id stand, whatever its case; several parties may have one."""
        owners = {"$in": list(self._owners)}
        query = {"lid": object_id.lower(), "owner": owners, "audience": EVERYBODY}
        return [row["seq"] for row in await self._objects.documents(query, fields={"seq": 1})]

    def _query(self, audiences: Sequence[str]) -> PageQuery:
        view = None if self._version is None else view_of(self._version)
        return PageQuery(audiences, limit=AT_ONCE, owners=self._owners, view=view)

    async def _pages(self, query: PageQuery) -> AsyncIterator[Page]:
        while True:
            page = await self._objects.page(query)
            yield page
            if page.is_last:
                return
            query = query._replace(after=page.last_seq, as_of=page.as_of)

    async def _rows(self, page: Page) -> list[Row]:
        raws: list[bytes | None] = [*page.raws]
        if page.unmade and self._version is not None:
            own = [page.raws[place] for place in page.unmade]
            made = await made_for(self._store.db, self._module, own, self._version)
            for place, raw in zip(page.unmade, made, strict=True):
                raws[place] = raw
        places = page.places()
        return [Row(place, at, raw) for (place, at), raw in zip(places, raws, strict=True)]
