"""Hearing of new documents of a collection within moments, in whatever process they were made.

A change stream by plain commands: one round trip brings all that has happened meanwhile, where
the driver's own iterator would take one hop through its threads per event. Updates of existing
documents are not reported. Where a server has no change streams, it ends with NoChangeStream.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pymongo
from pymongo.errors import OperationFailure, PyMongoError

from db_interface.database import Database
from db_interface.json_data import JsonObject

logger = logging.getLogger("cpo.store")

_AWAIT_MS = 1000
_PAUSE_S = 0.2
_NOT_A_REPLICA_SET = (40573, 20)


class NoChangeStream(Exception):
    """This server is no replica set: look from time to time instead."""


async def inserted(db: Database, collection: str, field: str) -> AsyncIterator[set[Any] | None]:
    """The values of `field` in documents as they are inserted, several at a time.

    None: the stream was opened or reopened; look at everything once, something may have been
    missed. Survives the server's restarts and elections. Raises NoChangeStream.
    """
    while True:
        try:
            async with await db.client.start_session() as session:
                command = {
                    "aggregate": collection,
                    "pipeline": [
                        {"$changeStream": {}},
                        {"$match": {"operationType": "insert"}},
                        {"$project": {"value": f"$fullDocument.{field}"}},
                    ],
                    "cursor": {},
                }
                cursor = (await _run(db, command, session))["cursor"]
                yield None
                while cursor["id"]:
                    more = {
                        "getMore": cursor["id"],
                        "collection": collection,
                        "maxTimeMS": _AWAIT_MS,
                    }
                    cursor = (await _run(db, more, session))["cursor"]
                    if cursor["nextBatch"]:
                        yield {event["value"] for event in cursor["nextBatch"] if "value" in event}
        except OperationFailure as error:
            if error.code in _NOT_A_REPLICA_SET:
                raise NoChangeStream from error
            logger.warning("the watch on %s broke off: code %s", collection, error.code)
        except PyMongoError as error:
            logger.warning("the watch on %s broke off: %s", collection, type(error).__name__)
        await asyncio.sleep(_PAUSE_S)


async def _run(db: Database, command: JsonObject, session: Any) -> JsonObject:
    # The driver's own deadline would take the place of maxTimeMS, which says here how long the
    # server waits for news; a server that hangs is found out by the driver's monitor.
    with pymongo.timeout(0):
        answer: JsonObject = await db.client[db.name].command(command, session=session)
    return answer
