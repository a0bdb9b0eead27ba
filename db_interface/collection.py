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
from typing import Any, Generic, TypeVar, cast

from pymongo.collation import Collation as Collation
from pymongo.errors import BulkWriteError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from db_interface.database import Database
from db_interface.joint.collection import JointCollection
from db_interface.joint.operations import OneChange
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.patience import InTime
from db_interface.remembered import Remembered, is_plain, key_of
from db_interface.transaction import Tx

D = TypeVar("D", bound=JsonMapping)
Query = JsonMapping
Change = JsonMapping | Sequence[JsonMapping]
Sort = Sequence[tuple[str, int]]
FIRST_BATCH = 101
"""As many documents as MongoDB sends at first."""
_DUPLICATE_KEY = 11000
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
            return Documents(
                where.driver_of(self.name),
                where.mongo,
                where.db.answer_within_s,
                where.remembered_of(self.name),
            )
        return Documents(where[self.name], None, where.answer_within_s)


class Documents(Generic[D]):
    """The driver's methods that we use, typed, inside one transaction or outside of any.

    Each has `within_s` to be answered from the moment that it is called. The driver's own limit
    begins when one of its few threads takes the work up: behind a server that hangs that may be
    long after. In a request it is less what was waited in vain before (patience.py).

    Inside a transaction what was read in it is not asked for again (remembered.py).
    """

    def __init__(
        self, collection: Any, mongo: Any, within_s: float, remembered: Remembered | None = None
    ) -> None:
        self._driver = collection
        self.mongo = mongo
        self._within_s = within_s
        self._remembered = remembered

    @property
    def driver(self) -> Any:
        """The driver's own collection, for what is not here (plans, indexes). Inside a
        transaction: `to_be_written`."""
        return self._driver

    async def to_be_written(self, key: str | None = None) -> Any:
        """The driver's own collection, which is about to be written (of it only the document
        `key`)."""
        if self._remembered is not None:
            await self.write_what_waits()
            self._remembered.forget(key)
        return self._driver

    async def write_what_waits(self) -> None:
        """Write what `set_later` left for the end."""
        if self._remembered is None or not self._remembered.waits:
            return
        await self.change_each(
            [
                OneChange({"_id": key}, {"$set": change})
                for key, change in self._remembered.taken_later().items()
            ]
        )

    async def change_each(self, changes: Sequence[OneChange]) -> None:
        """Many small changes in one round trip, whatever each of them meets. For bulk.py, once it
        is `to_be_written`."""
        with self._in_time():
            if isinstance(self._driver, JointCollection):
                await self._driver.change_each(changes)
                return
            requests = [one.request() for one in changes]
            await self._driver.bulk_write(requests, ordered=False, session=self.mongo)

    async def set_later(self, key: str, changes: JsonMapping) -> None:
        """Set these fields (no paths) of the document: with the transaction's end, and once
        however often; at once where the transaction has not read the whole of it."""
        if self._remembered is None or not self._remembered.set_later(key, changes):
            await self.update_one({"_id": key}, {"$set": changes})

    def _in_time(self) -> InTime:
        return InTime(self._within_s)

    def _with(self, **options: object) -> Documents[D]:
        return Documents(self._driver.with_options(**options), self.mongo, self._within_s)

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
        kept, key = self._remembered, key_of(query)
        if kept is None:
            return await self._find_one(query, fields, sort)
        if key is not None and is_plain(fields):
            if not kept.knows(key) and fields is None:
                whole = await self._find_one(query, None, None)
                kept.keep_document(key, cast("JsonObject | None", whole))
            if kept.knows(key):
                return cast("D | None", kept.document(key, fields))
        await self.write_what_waits()
        question = f"one {query!r} {fields!r} {sort!r}"
        known = kept.answer(question)
        if known is None:
            one = await self._find_one(query, fields, sort)
            known = [] if one is None else [cast("JsonObject", one)]
            kept.keep_answer(question, known)
        return cast("D", known[0]) if known else None

    async def _find_one(
        self, query: Query, fields: JsonMapping | None, sort: Sort | None
    ) -> D | None:
        with self._in_time():
            found: D | None = await self._driver.find_one(
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
        collation: Collation | None = None,
        hint: Sort | None = None,
    ) -> list[D]:
        """All that match (of `limit`, that many at most; 0: no limit). `hint`: the keys of the
        index to go by, where the store's own choice could be another."""
        question = ""
        if self._remembered is not None:
            await self.write_what_waits()
            question = f"all {query!r} {fields!r} {sort!r} {skip} {limit} {collation!r}"
            known = self._remembered.answer(question)
            if known is not None:
                return cast("list[D]", known)
        cursor = self._driver.find(
            query,
            fields,
            sort=sort,
            skip=skip,
            limit=limit,
            collation=collation,
            hint=hint,
            session=self.mongo,
        )
        found: list[D] = await self._all_of(cursor)
        if self._remembered is not None:
            self._remembered.keep_answer(question, cast("list[JsonObject]", found))
        return found

    async def stream(
        self,
        query: Query,
        fields: JsonMapping | None = None,
        *,
        sort: Sort | None = None,
        limit: int = 0,
        batch: int = 0,
    ) -> AsyncIterator[D]:
        """All that match (of `limit`, that many at most), batch by batch: for more than fits into
        memory. Of small documents a batch holds very many, unless it is said how many."""
        await self.write_what_waits()
        cursor = self._driver.find(
            query, fields, sort=sort, limit=limit, batch_size=batch, session=self.mongo
        )
        async for document in cursor:
            yield document

    async def aggregate(self, stages: Sequence[JsonMapping], **options: object) -> list[JsonObject]:
        await self.write_what_waits()
        cursor = self._driver.aggregate(list(stages), session=self.mongo, **options)
        return await self._all_of(cursor)

    async def distinct(self, field: str) -> list[Any]:
        """The values of the field, each once."""
        await self.write_what_waits()
        with self._in_time():
            found: list[Any] = await self._driver.distinct(field, session=self.mongo)
        return found

    async def count(
        self,
        query: Query,
        *,
        limit: int = 0,
        collation: Collation | None = None,
        hint: Sort | None = None,
    ) -> int:
        """At most `limit` (0: all)."""
        bound: JsonObject = {"limit": limit} if limit else {}
        if hint is not None:
            bound["hint"] = [*hint]
        if collation is not None:
            bound["collation"] = collation
        await self.write_what_waits()
        with self._in_time():
            number: int = await self._driver.count_documents(query, session=self.mongo, **bound)
        return number

    async def estimated_count(self) -> int:
        """About how many there are, without counting them."""
        with self._in_time():
            number: int = await self._driver.estimated_document_count()
        return number

    async def insert_one(self, document: D) -> None:
        driver = await self.to_be_written(key_of({"_id": document.get("_id")}))
        with self._in_time():
            await driver.insert_one(document, session=self.mongo)

    async def insert_many(self, documents: Sequence[D]) -> None:
        if documents:
            driver = await self.to_be_written()
            with self._in_time():
                await driver.insert_many(documents, session=self.mongo)

    async def insert_new(self, documents: Sequence[D]) -> list[bool]:
        """Outside of any transaction: of each whether it was new; where there is one of its _id,
        that stays."""
        there: set[int] = set()
        try:
            with self._in_time():
                await self._driver.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            errors = (error.details or {}).get("writeErrors", [])
            there = {one["index"] for one in errors if one["code"] == _DUPLICATE_KEY}
            if len(there) < len(errors) or not errors:
                raise
        return [number not in there for number in range(len(documents))]

    async def replace_one(self, query: Query, document: D, *, upsert: bool = False) -> bool:
        """Whether there was one."""
        driver = await self.to_be_written(key_of(query))
        with self._in_time():
            done = await driver.replace_one(query, document, upsert=upsert, session=self.mongo)
        return bool(done.matched_count)

    async def update_one(self, query: Query, change: Change, *, upsert: bool = False) -> bool:
        """Whether there was one."""
        driver = await self.to_be_written(key_of(query))
        with self._in_time():
            done = await driver.update_one(query, change, upsert=upsert, session=self.mongo)
        return bool(done.matched_count)

    async def update_many(self, query: Query, change: Change) -> int:
        """How many matched."""
        driver = await self.to_be_written()
        with self._in_time():
            done = await driver.update_many(query, change, session=self.mongo)
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
        driver = await self.to_be_written(key_of(query))
        with self._in_time():
            found: D | None = await driver.find_one_and_update(
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
        driver = await self.to_be_written(key_of(query))
        with self._in_time():
            done = await driver.delete_one(query, session=self.mongo)
        return bool(done.deleted_count)

    async def delete_many(self, query: Query) -> int:
        driver = await self.to_be_written()
        with self._in_time():
            done = await driver.delete_many(query, session=self.mongo)
        return int(done.deleted_count)

    async def take(self, query: Query, *, sort: Sort | None = None) -> D | None:
        """Delete one and give it, or None."""
        driver = await self.to_be_written(key_of(query))
        with self._in_time():
            found: D | None = await driver.find_one_and_delete(query, sort=sort, session=self.mongo)
        return found


async def write_what_waits(tx: Tx) -> None:
    """What `set_later` left for the end of the transaction, in all collections."""
    for name in tx.waiting():
        await Collection[JsonMapping](name).of(tx).write_what_waits()
