"""The rows of pages that are read while nobody writes: of several pages in one query, where they
are asked for at the same moment.

Only those that an index brings at once are read together: nobody waits for another's search.
"""

from __future__ import annotations

from collections.abc import Sequence

from db_interface.database import Database
from db_interface.json_data import JsonObject
from db_interface.page_queries import (
    AsOf,
    PageQuery,
    fields_wanted,
    objects_matching,
    objects_of,
)
from db_interface.together import Together

MAX_TOGETHER = 4
"""Pages of one query: more would save little, and let the last wait for the first."""
_SHORT = 100
"""Objects of such a page at most."""
_IN_ORDER = [("seq", 1)]


class PageRows:
    """Those of one module. Each page has one row more than its limit, where there is one."""

    def __init__(self, db: Database, module: str) -> None:
        self._db = db
        self._module = module
        self._together: Together[tuple[PageQuery, AsOf], list[JsonObject]] = Together(
            db, self._read, MAX_TOGETHER
        )

    async def read(self, query: PageQuery, as_of: AsOf) -> list[JsonObject]:
        """The rows, in order of creation. Half of what they cost the server with the number."""
        if _is_quick(query):
            return await self._together.ask((query, as_of))
        return await self._read_one(query, as_of)

    async def _read(self, asked: Sequence[tuple[PageQuery, AsOf]]) -> list[list[JsonObject]]:
        if len(asked) == 1:
            return [await self._read_one(*asked[0])]
        stages: list[JsonObject] = []
        for place, (query, as_of) in enumerate(asked):
            part = objects_of(self._module, query, as_of)
            part["pipeline"][-1]["$project"]["page"] = {"$literal": place}
            stages += [{"$unionWith": part}] if stages else part["pipeline"]
        room = sum(query.limit + 1 for query, _ in asked) + 1
        found = await self._db.rows(
            self._db.with_bare_times(self._module),
            lambda documents: documents.aggregate(stages, batchSize=room),
        )
        pages: list[list[JsonObject]] = [[] for _ in asked]
        for row in found:
            pages[row["page"]].append(row)
        return pages

    async def _read_one(self, query: PageQuery, as_of: AsOf) -> list[JsonObject]:
        return await self._db.rows(
            self._db.with_bare_times(self._module),
            lambda documents: documents.find(
                objects_matching(query, as_of),
                fields_wanted(query),
                sort=_IN_ORDER,
                skip=query.passed_over,
                limit=query.limit + 1,
                batch_size=query.limit + 1,
            ),
        )


def _is_quick(query: PageQuery) -> bool:
    """Whether an index leads to its first row, and all that follow are its own."""
    from_the_place = not query.passed_over
    return from_the_place and query.owners is None and not query.required and query.limit <= _SHORT
