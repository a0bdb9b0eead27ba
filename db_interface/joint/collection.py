"""The driver's collection as one work of a joint transaction has it: those of its methods that
`Documents` uses, under their own names. The transaction is its own; `session` is passed over.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from db_interface.joint.operations import (
    Alone,
    Find,
    Insert,
    NotTold,
    OneChange,
    Update,
    named_by,
)
from db_interface.joint.session import Driven, JointSession, Operation
from db_interface.joint.touches import Change
from db_interface.json_data import JsonMapping, JsonObject

T = TypeVar("T")

_OWN_STAGES = frozenset(
    {"$match", "$group", "$sort", "$limit", "$project", "$unwind", "$set", "$count", "$skip"}
)
"""Of an aggregation that looks at no other collection."""


class JointCursor(Generic[T]):
    def __init__(self, read: Callable[[], Awaitable[list[T]]]) -> None:
        self._read = read
        self._left: list[T] | None = None

    async def to_list(self, length: int | None) -> list[T]:
        """The next so many; None: the rest."""
        if self._left is None:
            self._left = await self._read()
        some, self._left = self._left[:length], self._left[len(self._left[:length]) :]
        return some

    async def __aiter__(self) -> AsyncIterator[T]:
        for one in await self.to_list(None):
            yield one


class _Done:
    """What the driver says of writes, as far as it is asked for."""

    def __init__(self, number: int) -> None:
        self.matched_count = self.deleted_count = number


class JointCollection:
    def __init__(self, joint: JointSession, part: int, driver: Driven) -> None:
        self._joint = joint
        self._part = part
        self._driver = driver

    @property
    def name(self) -> str:
        name: str = self._driver.name
        return name

    def with_options(self, **_: object) -> JointCollection:
        """How it reads and writes is the transaction's business."""
        return self

    async def _ask(self, operation: Operation) -> Driven:
        return await self._joint.ask(self._part, operation)

    async def _alone(
        self, work: Callable[[Driven, Driven], Awaitable[object]], *, writes: bool
    ) -> Driven:
        return await self._ask(Alone(self._driver, work, writes))

    async def find_one(
        self,
        query: JsonMapping,
        fields: JsonMapping | None,
        *,
        sort: Sequence[tuple[str, int]] | None,
        session: object,
    ) -> JsonObject | None:
        wanted = Find(self._driver, query, fields, tuple(sort or ()), limit=1)
        found: list[JsonObject] = await self._ask(wanted)
        return found[0] if found else None

    def find(
        self,
        query: JsonMapping,
        fields: JsonMapping | None = None,
        *,
        sort: Sequence[tuple[str, int]] | None = None,
        skip: int = 0,
        limit: int = 0,
        collation: object = None,
        hint: object = None,
        session: object,
    ) -> JointCursor[JsonObject]:
        async def read() -> list[JsonObject]:
            if collation is None and hint is None and not skip:
                wanted = Find(self._driver, query, fields, tuple(sort or ()), limit)
                found: list[JsonObject] = await self._ask(wanted)
                return found
            some: list[JsonObject] = await self._alone(
                lambda driver, mongo: driver.find(
                    query,
                    fields,
                    sort=sort,
                    skip=skip,
                    limit=limit,
                    collation=collation,
                    hint=hint,
                    session=mongo,
                ).to_list(None),
                writes=False,
            )
            return some

        return JointCursor(read)

    def aggregate(
        self, stages: Sequence[JsonMapping], *, session: object, **options: object
    ) -> JointCursor[JsonObject]:
        async def read() -> list[JsonObject]:
            if any(not _OWN_STAGES.issuperset(stage) for stage in stages):
                raise self._joint.broken_by(NotTold())
            found: list[JsonObject] = await self._alone(
                lambda driver, mongo: driver.aggregate(stages, session=mongo, **options).to_list(
                    None
                ),
                writes=False,
            )
            return found

        return JointCursor(read)

    async def distinct(self, field: str, *, session: object) -> list[object]:
        found: list[object] = await self._alone(
            lambda driver, mongo: driver.distinct(field, session=mongo), writes=False
        )
        return found

    async def count_documents(self, query: JsonMapping, *, session: object, **bound: object) -> int:
        number: int = await self._alone(
            lambda driver, mongo: driver.count_documents(query, session=mongo, **bound),
            writes=False,
        )
        return number

    async def insert_one(self, document: JsonObject, *, session: object) -> None:
        await self.insert_many([document], session=session)

    async def insert_many(self, documents: Sequence[JsonObject], *, session: object) -> None:
        await self._ask(Insert(self._driver, documents))

    async def replace_one(
        self, query: JsonMapping, document: JsonMapping, *, upsert: bool, session: object
    ) -> _Done:
        return await self._changed(OneChange(query, document, upsert, replaces=True))

    async def update_one(
        self, query: JsonMapping, change: Change, *, upsert: bool = False, session: object
    ) -> _Done:
        return await self._changed(OneChange(query, change, upsert))

    async def _changed(self, change: OneChange) -> _Done:
        return _Done(int(await self._ask(Update(self._driver, [change]))))

    async def change_each(self, changes: Sequence[OneChange]) -> None:
        """Many changes, of which nobody has to know whether they met anything."""
        await self._ask(Update(self._driver, changes, told=False))

    async def find_one_and_update(
        self,
        query: JsonMapping,
        change: Change,
        *,
        upsert: bool,
        sort: object,
        return_document: bool,
        session: object,
    ) -> JsonObject | None:
        found: JsonObject | None
        if named_by(query) is not None and sort is None and return_document:
            whole = Update(self._driver, [OneChange(query, change, upsert)], after=True)
            found = await self._ask(whole)
        else:
            found = await self._alone(
                lambda driver, mongo: driver.find_one_and_update(
                    query,
                    change,
                    upsert=upsert,
                    sort=sort,
                    return_document=return_document,
                    session=mongo,
                ),
                writes=True,
            )
        return found

    async def update_many(self, query: JsonMapping, change: Change, *, session: object) -> Driven:
        return await self._alone(
            lambda driver, mongo: driver.update_many(query, change, session=mongo), writes=True
        )

    async def delete_one(self, query: JsonMapping, *, session: object) -> Driven:
        return await self._alone(
            lambda driver, mongo: driver.delete_one(query, session=mongo), writes=True
        )

    async def delete_many(self, query: JsonMapping, *, session: object) -> Driven:
        return await self._alone(
            lambda driver, mongo: driver.delete_many(query, session=mongo), writes=True
        )

    async def find_one_and_delete(
        self, query: JsonMapping, *, sort: object, session: object
    ) -> JsonObject | None:
        found: JsonObject | None = await self._alone(
            lambda driver, mongo: driver.find_one_and_delete(query, sort=sort, session=mongo),
            writes=True,
        )
        return found

    async def bulk_write(
        self, requests: Sequence[object], *, ordered: bool, session: object
    ) -> Driven:
        return await self._alone(
            lambda driver, mongo: driver.bulk_write(requests, ordered=ordered, session=mongo),
            writes=True,
        )
