"""Hearing of new and changed documents within moments, in whatever process they were written.

Change streams by plain commands: one round trip brings all that has happened meanwhile, where
the driver's own iterator would take one hop through its threads per event. Where a server has no
change streams, it ends with NoChangeStream.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from typing import Any

import pymongo
from pymongo.errors import OperationFailure, PyMongoError

from db_interface.database import Database
from db_interface.json_data import JsonObject

logger = logging.getLogger("cpo.store")

_AWAIT_MS = 1000
_PAUSE_S = 0.2
_GATHERED_FOR_S = 0.5
_NOT_A_REPLICA_SET = (40573, 20)


class NoChangeStream(Exception):
    """This server is no replica set: look from time to time instead."""


async def inserted(db: Database, collection: str, field: str) -> AsyncIterator[set[Any] | None]:
    """The values of `field` in documents as they are inserted, several at a time.

    None: the stream was opened or reopened; look at everything once, something may have been
    missed. Survives the server's restarts and elections. Raises NoChangeStream.
    """
    stages: list[JsonObject] = [
        {"$match": {"operationType": "insert"}},
        {"$project": {"value": f"$fullDocument.{field}"}},
    ]
    async with contextlib.aclosing(_events(db, collection, stages)) as stream:
        async for events in stream:
            if events is None:
                yield None
            elif events:
                yield {event["value"] for event in events if "value" in event}


async def changed(
    db: Database, collections: Collection[str]
) -> AsyncGenerator[set[tuple[str, str]] | None, None]:
    """(collection, id) of documents of these as they are inserted, changed or deleted, all of half
    a second at a time: who writes much pays little more for being watched.

    None: as with `inserted`, and also when the stream has broken off. Raises NoChangeStream.
    """
    stages: list[JsonObject] = [
        {
            "$match": {
                "ns.coll": {"$in": sorted(collections)},
                "operationType": {"$in": ["insert", "update", "replace", "delete"]},
            }
        },
        {"$project": {"ns.coll": 1, "documentKey._id": 1}},
    ]
    async with contextlib.aclosing(_events(db, 1, stages, tell_breaks=True)) as stream:
        async for events in stream:
            if events is None:
                yield None
            elif events:
                yield {(event["ns"]["coll"], str(event["documentKey"]["_id"])) for event in events}
                await asyncio.sleep(_GATHERED_FOR_S)


async def _events(
    db: Database, of: str | int, stages: Sequence[JsonObject], *, tell_breaks: bool = False
) -> AsyncGenerator[list[JsonObject] | None, None]:
    """`of`: a collection, or 1 for all. Whatever the server answers with, also nothing."""
    name = of if isinstance(of, str) else "$cmd.aggregate"
    while True:
        cursor_id = 0
        try:
            async with await db.client.start_session() as session:
                command: JsonObject = {
                    "aggregate": of,
                    "pipeline": [{"$changeStream": {}}, *stages],
                    "cursor": {},
                }
                cursor_id = (await _run(db, command, session))["cursor"]["id"]
                yield None
                while cursor_id:
                    more = {"getMore": cursor_id, "collection": name, "maxTimeMS": _AWAIT_MS}
                    cursor = (await _run(db, more, session))["cursor"]
                    cursor_id = cursor["id"]
                    yield cursor["nextBatch"]
        except OperationFailure as error:
            if error.code in _NOT_A_REPLICA_SET:
                raise NoChangeStream from error
            logger.warning("the watch on %s broke off: code %s", name, error.code)
        except PyMongoError as error:
            logger.warning("the watch on %s broke off: %s", name, type(error).__name__)
        except (GeneratorExit, asyncio.CancelledError):
            await _forget(db, name, cursor_id)
            raise
        if tell_breaks:
            yield None
        await asyncio.sleep(_PAUSE_S)


async def _forget(db: Database, name: str, cursor_id: int) -> None:
    """Nobody listens any more: the server need not keep the cursor."""
    if not cursor_id:
        return
    with contextlib.suppress(PyMongoError):
        await _run(db, {"killCursors": name, "cursors": [cursor_id]}, None)


async def _run(db: Database, command: JsonObject, session: Any) -> JsonObject:
    # The driver's own deadline would take the place of maxTimeMS, which says here how long the
    # server waits for news; a server that hangs is found out by the driver's monitor.
    with pymongo.timeout(0):
        answer: JsonObject = await db.client[db.name].command(command, session=session)
    return answer
