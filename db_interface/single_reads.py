"""One object by its id, for a reader: those that are asked for at the same moment are one query."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from db_interface.database import Database
from db_interface.demand import Demand, any_of
from db_interface.json_data import JsonObject
from db_interface.together import Together
from db_interface.views import View, asked_for, in_view

MAX_TOGETHER = 50


class AsSeen(NamedTuple):
    """What of the objects a reader may see, and the form that he takes them in."""

    audiences: Sequence[str]
    owners: Sequence[str] | None
    required: Demand
    view: View | None

    def query(self, ids: Sequence[str]) -> JsonObject:
        query: JsonObject = {"lid": any_of(ids), "audience": any_of(self.audiences)}
        query.update(self.required.query())
        if self.owners is not None:
            query["owner"] = any_of(self.owners)
        return query


class SingleReads:
    """Those of one module."""

    def __init__(self, db: Database, module: str) -> None:
        self._db = db
        self._module = module
        self._together: Together[tuple[str, AsSeen], JsonObject | None] = Together(
            db, self._read, MAX_TOGETHER
        )

    async def read(self, object_id: str, seen: AsSeen) -> JsonObject | None:
        """The document's bytes, as `asked_for` has them, or None where he sees none. Of several
        parties' objects with that id it is the first party's."""
        return await self._together.ask((object_id.lower(), seen))

    async def _read(self, asked: Sequence[tuple[str, AsSeen]]) -> list[JsonObject | None]:
        groups: list[tuple[AsSeen, list[str]]] = []
        group_of: list[int] = []
        for object_id, seen in asked:
            place = next((n for n, group in enumerate(groups) if group[0] == seen), len(groups))
            if place == len(groups):
                groups.append((seen, []))
            groups[place][1].append(object_id)
            group_of.append(place)
        found = await asyncio.gather(*(self._of_group(*group) for group in groups))
        return [found[n].get(object_id) for n, (object_id, _) in zip(group_of, asked, strict=True)]

    async def _of_group(self, seen: AsSeen, ids: Sequence[str]) -> Mapping[str, JsonObject]:
        wanted = {"_id": 0, "lid": 1, "owner": 1, **asked_for(seen.view)}
        query = seen.query(list(dict.fromkeys(ids)))
        rows = await self._db.rows(
            self._db[self._module], lambda documents: documents.find(query, wanted)
        )
        rows.sort(key=lambda row: row.get("owner", ""), reverse=True)
        return {row["lid"]: in_view({**row}, seen.view) for row in rows}
