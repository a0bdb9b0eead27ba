"""The views of a version that has come into use, made in the background for what is there already.

One worker at a time, in parts, under a lease; broken off, it is gone on with. It begins once no
process can think any more that the version is not in use: whatever is written from then on is
written with its view.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypedDict

from db_interface.bulk import update_each
from db_interface.collection import Collection
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.lease import Lease
from db_interface.owned_objects import LISTED, OwnedDocument
from db_interface.views import UNSAID
from domain.rendered import Rendered
from domain.rounds import Rounds
from domain.versions import VERSIONS, OcpiVersion
from domain.views.in_use import LOOKED_UP_EVERY, OF_PARTIES, in_use
from domain.views.making import kept, view_of

logger = logging.getLogger("cpo.ocpi")

PAUSE_S = 10.0
LEASE_S = 30.0
AT_ONCE = 100
BREATH_S = 0.05
"""Between two parts: the requests of peers come first."""
BEGINS_AFTER = 3 * LOOKED_UP_EVERY


class ViewFill(TypedDict, total=False):
    """A document of `view_fills`: how far the views of a name have been made."""

    _id: str
    """the view's name"""
    since: datetime
    """when it was noted that its version is in use"""
    module: str
    """which is gone through now; those before it in LISTED are done"""
    seq: int
    """of it, objects up to here are done"""
    done: bool
    owner: str | None
    until: datetime | None


FILLS: Collection[ViewFill] = Collection("view_fills")
_LEASE = Lease("owner", "until")


class ViewFilling:
    """The job: runs in every process, and works in one. `rounds.start` and `rounds.stop`."""

    def __init__(self, store: DbInterface, *, begins_after: timedelta = BEGINS_AFTER) -> None:
        self._store = store
        self._begins_after = begins_after
        self._owner = uuid.uuid4().hex
        self.rounds = Rounds("views of OCPI versions", self.round, PAUSE_S, logger=logger)

    async def round(self) -> None:
        """Make what is missing of the versions in use; forget of those that are not any more."""
        db = self._store.db
        used = (await in_use(db)).audiences
        wanted = {
            view_of(version).name: version
            for version in VERSIONS.values()
            if version.number in used and not view_of(version).same_if_absent
        }
        await FILLS.of(db).delete_many({"_id": {"$nin": list(wanted)}})
        for name, version in wanted.items():
            await FILLS.of(db).update_one(
                {"_id": name},
                {"$setOnInsert": {"since": db.now(), "module": LISTED[0], "seq": 0}},
                upsert=True,
            )
            await self._fill(name, version, used[version.number])

    async def _fill(self, name: str, version: OcpiVersion, audiences: frozenset[str]) -> None:
        fill = await self._claimed(name)
        made = 0
        while fill is not None and not fill.get("done"):
            number = await self._part(fill, version, audiences)
            made += number
            fill = await self._claimed(name)
            await asyncio.sleep(BREATH_S)
        if made:
            logger.info("%d objects are kept in OCPI %s now", made, version.number)

    async def _claimed(self, name: str) -> ViewFill | None:
        """What is to be done, this process's for a while; None: nothing, or it is another's."""
        db = self._store.db
        return await FILLS.of(db).update_and_find(
            {
                "_id": name,
                "done": {"$ne": True},
                "since": {"$lte": db.now() - self._begins_after},
                **_LEASE.free_for(self._owner),
            },
            [{"$set": _LEASE.taken(self._owner, LEASE_S)}],
        )

    async def _part(self, fill: ViewFill, version: OcpiVersion, audiences: frozenset[str]) -> int:
        """The next objects of the module, and how far it has come then; how many views were
        made."""
        db, module = self._store.db, fill["module"]
        documents = self._store.objects(module).of(db)
        view = view_of(version)
        query: JsonObject = {
            "seq": {"$gt": fill["seq"]},
            view.field: None,
            "unsaid": {"$ne": view.name},
        }
        if module in OF_PARTIES:
            query["audience"] = {"$in": sorted(audiences)}
        rows = await documents.find(query, {"raw": 1, "seq": 1}, sort=[("seq", 1)], limit=AT_ONCE)
        await update_each(documents, await self._changes(module, rows, version))
        if len(rows) == AT_ONCE:
            further: JsonObject = {"seq": rows[-1]["seq"]}
        elif module == LISTED[-1]:
            further = {"done": True}
        else:
            further = {"module": LISTED[LISTED.index(module) + 1], "seq": 0}
        await FILLS.of(db).update_one(
            {"_id": fill["_id"], **_LEASE.held_by(self._owner)}, {"$set": further}
        )
        return len(rows)

    async def _changes(
        self, module: str, rows: Sequence[OwnedDocument], version: OcpiVersion
    ) -> list[tuple[JsonMapping, JsonMapping]]:
        changes: list[tuple[JsonMapping, JsonMapping]] = []
        for row in rows:
            inner = Rendered(row["raw"]).plain()
            made = await kept(self._store.db, module, inner, row["raw"], version)
            # Whoever has written it meanwhile has made its view himself.
            as_read = {"_id": row["_id"], "raw": row["raw"]}
            view = view_of(version)
            if made == UNSAID:
                changes.append((as_read, {"$addToSet": {"unsaid": view.name}}))
            else:
                changes.append((as_read, {"$set": {view.field: made}}))
        return changes
