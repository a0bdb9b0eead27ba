"""`DbInterface`: extrawest-ocpi's storage contract by its method names, on owned objects.

A Crud written for the library's example finds the same seven methods here. What they add:
paging in order of creation with a cursor, visibility by audience, and exact counts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import orjson

from db_interface.database import Database
from db_interface.owned_objects import OwnedObject, OwnedObjects, Page, PageQuery
from db_interface.transaction import Tx

T = TypeVar("T")


class DbInterface:
    """Objects of all OCPI modules; `module` is the OCPI module id ("locations", ...)."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self._modules: dict[str, OwnedObjects] = {}

    async def transact(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Run `work(tx)` in one transaction, retried as a whole on transient conflicts.

        `work` may therefore run more than once, each time with a `now` of its own: it must
        change nothing but the database. Raises StoreUnavailable when no server is found in time.
        """

        async def attempt(mongo: Any) -> T:
            return await work(Tx(self, mongo, self.db.now()))

        return await self.db.run_in_transaction(attempt)

    def objects(self, module: str) -> OwnedObjects:
        """The module's collection, for callers that need more than the seven methods."""
        name = str(getattr(module, "value", module))
        if name not in self._modules:
            self._modules[name] = OwnedObjects(self.db, name)
        return self._modules[name]

    async def get(self, module: str, key: str) -> dict[str, Any] | None:
        """The OCPI object under its folded key (owner and id), or None."""
        document = await self.objects(module).document(key)
        return None if document is None else orjson.loads(document["raw"])

    async def get_all(self, module: str, query: PageQuery) -> Page:
        """One page of the module's objects as bytes, in order of creation."""
        return await self.objects(module).page(query)

    async def create(self, module: str, data: OwnedObject, tx: Tx | None = None) -> str:
        """Write the object; returns "created", or "updated"/"unchanged" when it was there."""
        if tx is not None:
            return await self.objects(module).put(data, tx)
        return await self.transact(lambda tx: self.objects(module).put(data, tx))

    async def update(self, module: str, data: OwnedObject, tx: Tx | None = None) -> str:
        """The same as create: a write is always of the whole object."""
        return await self.create(module, data, tx)

    async def delete(self, module: str, key: str, tx: Tx | None = None) -> bool:
        """Remove the object under its folded key; False when there was none."""
        if tx is not None:
            return await self.objects(module).remove(key, tx)
        return await self.transact(lambda tx: self.objects(module).remove(key, tx))

    async def count(self, module: str, query: PageQuery) -> int:
        """How many objects the query matches, whatever the page."""
        return await self.objects(module).count(query)

    async def is_last_page(self, module: str, query: PageQuery, total: int) -> bool:
        """Whether an offset page ends the list (a cursor page says so itself)."""
        return query.offset + query.limit >= total


def plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """The OCPI object of a stored document, as fresh plain data that may be changed."""
    return orjson.loads(document["raw"])
