"""What works of a joint transaction ask for, and how several of the same are one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import cast

from pymongo import ReplaceOne, UpdateOne

from db_interface.joint.matching import any_of, is_simple, matches, narrowed, widened
from db_interface.joint.session import Asked, Driven, JointSession, Operation
from db_interface.joint.touches import Change
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.remembered import copied, key_of

Sort = tuple[tuple[str, int], ...]
_SPARE = 4
"""Documents that a joint question brings for each of those that want so many at most."""


class NotTold(Exception):
    """What became of each of several writes cannot be told: they have to be done one by one."""


@dataclass(frozen=True)
class Find(Operation):
    """What matches, in the order of `sort` or in none; of a `limit` (0: none) the first so many."""

    driver: Driven
    query: JsonMapping
    fields: JsonMapping | None
    sort: Sort = ()
    limit: int = 0

    @property
    def joins(self) -> Hashable | None:
        fields = repr(self.fields)
        same = "find", self.driver.name, fields, self.sort, self.limit
        if is_simple(self.query) and widened(self.fields, [self.query]) is not None:
            return same
        return *same, repr(self.query)

    async def carry_out(self, joint: JointSession, asked: Sequence[Asked]) -> Sequence[object]:
        finds = [cast("Find", one.operation) for one in asked]
        queries = list({repr(find.query): find.query for find in finds}.values())
        if len(queries) == 1:
            found = await self._found(joint, self.query, self.fields, self.limit)
            answers = [found for _ in finds]
        else:
            answers = await self._told_apart(joint, queries, finds)
        for one, find, mine in zip(asked, finds, answers, strict=True):
            self._touch(joint, one.part, find.query, mine)
        return [copied(mine) for mine in answers]

    async def _told_apart(
        self, joint: JointSession, queries: Sequence[JsonMapping], finds: Sequence[Find]
    ) -> list[list[JsonObject]]:
        """One question for all. With a limit it brings few more than all of them want: who has
        not got enough of a list that was cut short asks again, alone."""
        most = len(queries) * (self.limit + _SPARE) if self.limit else 0
        fields = widened(self.fields, queries)
        found = await self._found(joint, any_of(queries), fields, most)
        is_cut = bool(most) and len(found) >= most
        answers: list[list[JsonObject]] = []
        for find in finds:
            mine = [narrowed(row, self.fields) for row in found if matches(find.query, row)]
            if is_cut and len(mine) < self.limit:
                mine = await self._found(joint, find.query, self.fields, self.limit)
            answers.append(mine[: self.limit or None])
        return answers

    async def _found(
        self, joint: JointSession, query: JsonMapping, fields: JsonMapping | None, limit: int
    ) -> list[JsonObject]:
        cursor = self.driver.find(
            query, fields or None, sort=list(self.sort) or None, limit=limit, session=joint.mongo
        )
        found: list[JsonObject] = await cursor.to_list(None)
        return found

    def _touch(
        self, joint: JointSession, part: int, query: JsonMapping, found: Sequence[JsonMapping]
    ) -> None:
        key, name = key_of(query), self.driver.name
        whole = self.fields is None or not any("." in path for path in self.fields)
        if not _has_ids(self.fields):
            joint.touches.asked(part, name, None)
        elif key is not None:
            joint.touches.read(part, name, [key], found if whole else ())
        else:
            ids = [str(one["_id"]) for one in found]
            order = [path for path, _ in self.sort] if self.limit else []
            joint.touches.asked(part, name, query, ids, found if whole else (), order)


@dataclass(frozen=True)
class Insert(Operation):
    driver: Driven
    documents: Sequence[JsonObject]

    @property
    def joins(self) -> Hashable | None:
        return "insert", self.driver.name

    async def carry_out(self, joint: JointSession, asked: Sequence[Asked]) -> Sequence[object]:
        whole: list[JsonObject] = []
        for one in asked:
            documents = cast("Insert", one.operation).documents
            joint.touches.creates(one.part, self.driver.name, documents)
            whole += documents
        await self.driver.insert_many(whole, session=joint.mongo)
        return [None for _ in asked]


@dataclass(frozen=True)
class OneChange:
    query: JsonMapping
    change: Change
    """with `replaces`: the whole document"""
    upsert: bool = False
    replaces: bool = False

    def request(self) -> UpdateOne | ReplaceOne[JsonMapping]:
        if self.replaces:
            return ReplaceOne(self.query, cast("JsonMapping", self.change), upsert=self.upsert)
        return UpdateOne(self.query, cast("Driven", self.change), upsert=self.upsert)


@dataclass(frozen=True)
class Update(Operation):
    """Change documents, each of them named. `told`: it has to be known whether it was there; the
    answer is the document afterwards with `after`."""

    driver: Driven
    changes: Sequence[OneChange]
    told: bool = True
    after: bool = False

    @property
    def joins(self) -> Hashable | None:
        return "update", self.driver.name, self.told, self.after

    async def carry_out(self, joint: JointSession, asked: Sequence[Asked]) -> Sequence[object]:
        whole: list[OneChange] = []
        for one in asked:
            for change in cast("Update", one.operation).changes:
                named = named_by(change.query)
                if named is None:
                    joint.touches.sweeps(one.part, self.driver.name)
                else:
                    made_of = change.query if change.upsert else None
                    joint.touches.changes(one.part, self.driver.name, named, change.change, made_of)
                whole.append(change)
        if self.after and len(whole) == 1:
            [change] = whole
            found = await self.driver.find_one_and_update(
                change.query,
                change.change,
                upsert=change.upsert,
                return_document=True,
                session=joint.mongo,
            )
            joint.touches.read(asked[0].part, self.driver.name, [named_by(change.query) or ""])
            return [found]
        done = await self.driver.bulk_write(
            [change.request() for change in whole], ordered=False, session=joint.mongo
        )
        if not self.told:
            return [None for _ in asked]
        made = len(done.upserted_ids or {})
        if done.matched_count + made == len(whole):
            there = [number not in (done.upserted_ids or {}) for number in range(len(whole))]
        elif len(whole) == 1:
            there = [False]
        else:
            raise NotTold
        return await self._afterwards(joint, asked, whole) if self.after else there

    async def _afterwards(
        self, joint: JointSession, asked: Sequence[Asked], whole: Sequence[OneChange]
    ) -> Sequence[object]:
        ids = [named_by(change.query) for change in whole]
        cursor = self.driver.find({"_id": {"$in": ids}}, session=joint.mongo)
        rows = {row["_id"]: row for row in await cursor.to_list(None)}
        for one, id_ in zip(asked, ids, strict=True):
            joint.touches.read(one.part, self.driver.name, [id_ or ""])
        return [rows[id_] for id_ in ids]


@dataclass(frozen=True)
class Alone(Operation):
    """Anything else. `writes`: to documents that are not named here."""

    driver: Driven
    work: Callable[[Driven, Driven], Awaitable[object]]
    """With the driver's collection and session."""
    writes: bool

    @property
    def joins(self) -> Hashable | None:
        return None

    async def carry_out(self, joint: JointSession, asked: Sequence[Asked]) -> Sequence[object]:
        [one] = asked
        if self.writes:
            joint.touches.sweeps(one.part, self.driver.name)
        else:
            joint.touches.asked(one.part, self.driver.name, None)
        return [await self.work(self.driver, joint.mongo)]


def named_by(query: JsonMapping) -> str | None:
    """The _id that the query names, whatever else it asks for."""
    key = query.get("_id")
    return key if isinstance(key, str) else None


def _has_ids(fields: JsonMapping | None) -> bool:
    return fields is None or bool(fields.get("_id", 1))
