"""Having the stream told once more of what is there, in batches: nothing waits for it meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import EVERYBODY, NOBODY
from domain.charge_points.charge_point_documents import CHARGE_POINTS
from domain.commands.command_queue import COMMANDS
from domain.events import kinds
from domain.events.marks import Touched, mark_again
from domain.visibility import GUESTS

_BATCH = 1000
_FOR_ALL = (kinds.LOCATIONS, kinds.TARIFFS)


async def mark_from(
    store: DbInterface, since: datetime | None, of_kinds: Sequence[str] = kinds.KINDS
) -> Mapping[str, int]:
    """Mark what has changed from then on (None: all that is there): how many of each kind."""
    return {kind: await _mark(store, kind, since) for kind in kinds.KINDS if kind in of_kinds}


async def _mark(store: DbInterface, kind: str, since: datetime | None) -> int:
    total = 0
    batch: list[Touched] = []
    async for document in _found(store, kind, since):
        batch.append(Touched(kind, document["_id"]))
        if len(batch) == _BATCH:
            total += await mark_again(store.db, batch)
            batch = []
    return total + (await mark_again(store.db, batch) if batch else 0)


def _found(store: DbInterface, kind: str, since: datetime | None) -> AsyncIterator[JsonMapping]:
    ids, by_id = {"_id": 1}, [("_id", 1)]
    from_then: JsonObject = {} if since is None else {"$gte": since}
    if kind == kinds.COMMANDS:
        asked: JsonObject = {"$or": [{"peer_id": {"$exists": True}}, {"by": {"$exists": True}}]}
        lately = [{"created": from_then}, {"finished_at": from_then}]
        wanted = {"$and": [{"$or": lately}, asked]} if from_then else asked
        return COMMANDS.of(store.db).stream(wanted, ids)
    if kind == kinds.CHARGE_POINTS:
        wanted = {"told_at": from_then} if from_then else {}
        return CHARGE_POINTS.of(store.db).stream(wanted, ids, sort=by_id)
    wanted = {"last_updated": from_then} if from_then else {}
    if kind in _FOR_ALL:
        wanted["audience"] = {"$in": [EVERYBODY, GUESTS, NOBODY]}
        return store.objects(kind).of(store.db).stream(wanted, ids)
    return store.objects(kind).of(store.db).stream(wanted, ids, sort=by_id)
