"""A collection whose documents have a type, for the one file that owns it.

    Document = TypedDict("Document", {"_id": str, "status": str})
    THINGS: Collection[Document] = Collection("things")

    await THINGS.of(tx).find_one({"_id": "one"})    # in that transaction
    await THINGS.of(db).find_one({"_id": "one"})    # outside of any

What must be written inside a transaction takes a `Tx` itself, so that it cannot be called
without. Queries and changes are MongoDB's own; nothing here knows what is stored.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.patience import InTime
from db_interface.transaction import Tx

D = TypeVar("D", bound=JsonMapping)
Query = JsonMapping
Change = JsonMapping | Sequence[JsonMapping]
Sort = Sequence[tuple[str, int]]
FIRST_BATCH = 101
"""As many documents as MongoDB sends at first."""
Where = Database | Tx
"""Where to read or write: in a transaction, or outside of any."""


def time_of(where: Where) -> datetime:
    """The database's clock: as the transaction has it, or now."""
    return where.now if isinstance(where, Tx) else where.now()


class Collection(Generic[D]):
    """A collection's name and the shape of its documents."""

    def __init__(self, name: str) -> None:
        self.name = name

    def of(self, where: Where) -> Documents[D]:
        """Its documents in that database, inside the transaction if it is one."""
        if isinstance(where, Tx):
            return Documents(where.db[self.name], where.mongo, where.db.answer_within_s)
        return Documents(where[self.name], None, where.answer_within_s)


class Documents(Generic[D]):
    """The driver's methods that we use, typed, inside one transaction or outside of any.

    Each has `within_s` to be answered from the moment that it is called. The driver's own limit
    begins when one of its few threads takes the work up: behind a server that hangs that may be
    long after. In a request it is less what was waited in vain before (patience.py).
    """

    def __init__(self, collection: Any, mongo: Any, within_s: float) -> None:
        self.driver = collection
        """The driver's own collection, for what is not here (plans, indexes)."""
        self.mongo = mongo
        self._within_s = within_s

    def _in_time(self) -> InTime:
        return InTime(self._within_s)

    def _with(self, **options: object) -> Documents[D]:
        return Documents(self.driver.with_options(**options), self.mongo, self._within_s)

    async def _all_of(self, cursor: Any) -> list[Any]:
        """The first batch in time; each of the others has its own."""
        with self._in_time():
            found: list[Any] = await cursor.to_list(FIRST_BATCH)
        if len(found) == FIRST_BATCH:
            found += await cursor.to_list(None)
        return found

    def settled(self) -> Documents[D]:
        """Read as far as a majority has it: what is seen stays, whoever dies."""
        return self._with(read_concern=ReadConcern("majority"))

    def expendable(self) -> Documents[D]:
        """Write without waiting for journal and majority: for what may be lost."""
        return self._with(write_concern=WriteConcern(w=1))

    async def find_one(
        self, query: Query, fields: JsonMapping | None = None, *, sort: Sort | None = None
    ) -> D | None:
        with self._in_time():
            found: D | None = await self.driver.find_one(
                query, fields, sort=sort, session=self.mongo
            )
        return found

    async def find(
        self,
        query: Query,
        fields: JsonMapping | None = None,
        *,
        sort: Sort | None = None,
        skip: int = 0,
        limit: int = 0,
    ) -> list[D]:
        """All that match (of `limit`, that many at most; 0: no limit)."""
        cursor = self.driver.find(
            query, fields, sort=sort, skip=skip, limit=limit, session=self.mongo
        )
        return await self._all_of(cursor)

    async def stream(
        self, query: Query, fields: JsonMapping | None = None, *, sort: Sort | None = None
    ) -> AsyncIterator[D]:
        """All that match, batch by batch: for more than fits into memory."""
        async for document in self.driver.find(query, fields, sort=sort, session=self.mongo):
            yield document

    async def aggregate(self, stages: Sequence[JsonMapping], **options: object) -> list[JsonObject]:
        cursor = self.driver.aggregate(list(stages), session=self.mongo, **options)
        return await self._all_of(cursor)

    async def distinct(self, field: str) -> list[Any]:
        """The values of the field, each once."""
        with self._in_time():
            found: list[Any] = await self.driver.distinct(field, session=self.mongo)
        return found

    async def count(self, query: Query, *, limit: int = 0) -> int:
        bound = {"limit": limit} if limit else {}
        with self._in_time():
            number: int = await self.driver.count_documents(query, session=self.mongo, **bound)
        return number

    async def insert_one(self, document: D) -> None:
        with self._in_time():
            await self.driver.insert_one(document, session=self.mongo)

    async def insert_many(self, documents: Sequence[D]) -> None:
        if documents:
            with self._in_time():
                await self.driver.insert_many(documents, session=self.mongo)

    async def replace_one(self, query: Query, document: D, *, upsert: bool = False) -> bool:
        """Whether there was one."""
        with self._in_time():
            done = await self.driver.replace_one(query, document, upsert=upsert, session=self.mongo)
        return bool(done.matched_count)

    async def update_one(self, query: Query, change: Change, *, upsert: bool = False) -> bool:
        """Whether there was one."""
        with self._in_time():
            done = await self.driver.update_one(query, change, upsert=upsert, session=self.mongo)
        return bool(done.matched_count)

    async def update_many(self, query: Query, change: Change) -> int:
        """How many matched."""
        with self._in_time():
            done = await self.driver.update_many(query, change, session=self.mongo)
        return int(done.matched_count)

    async def update_and_find(
        self,
        query: Query,
        change: Change,
        *,
        upsert: bool = False,
        sort: Sort | None = None,
        before: bool = False,
    ) -> D | None:
        """The document after the change (with `before`: as it was), or None."""
        with self._in_time():
            found: D | None = await self.driver.find_one_and_update(
                query,
                change,
                upsert=upsert,
                sort=sort,
                return_document=not before,
                session=self.mongo,
            )
        return found

    async def delete_one(self, query: Query) -> bool:
        """Whether there was one."""
        with self._in_time():
            done = await self.driver.delete_one(query, session=self.mongo)
        return bool(done.deleted_count)

    async def delete_many(self, query: Query) -> int:
        with self._in_time():
            done = await self.driver.delete_many(query, session=self.mongo)
        return int(done.deleted_count)

    async def take(self, query: Query, *, sort: Sort | None = None) -> D | None:
        """Delete one and give it, or None."""
        with self._in_time():
            found: D | None = await self.driver.find_one_and_delete(
                query, sort=sort, session=self.mongo
            )
        return found
