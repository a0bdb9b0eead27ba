"""The servers that run on this store: where, since when, and with what settings they were started.

Each says so while it runs, once in a while; one that stopped in order says nothing any more, and
one that died is found by its silence until it is forgotten. No secret is told: of a key the name
that is made of it (secrets.key_name), of the others that they are set.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypedDict

from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.json_data import JsonObject

SAYS_EVERY_S = 20.0
SILENT_AFTER = timedelta(seconds=60)
FORGOTTEN_AFTER = timedelta(days=1)


class RunningServer(TypedDict):
    """A document of `running_servers`; several workers of a port are one."""

    _id: str
    """"EV_Central at HOST:PORT" """
    name: str
    host: str
    port: int
    pid: int
    version: str
    started: datetime
    heard: datetime
    expires: datetime
    host_ahead_s: float
    """How far its host's clock is ahead of the database's."""
    settings: JsonObject
    """As they may be shown."""
    keys: Mapping[str, str]
    """The names of those that all servers have to share."""


SERVERS: Collection[RunningServer] = Collection("running_servers")


async def note(db: Database, server: RunningServer) -> None:
    """It runs."""
    await SERVERS.of(db).update_one({"_id": server["_id"]}, {"$set": server}, upsert=True)


async def gone(db: Database, server_id: str) -> None:
    """It has stopped in order."""
    await SERVERS.of(db).delete_one({"_id": server_id})


async def running(db: Database) -> list[RunningServer]:
    """By their ids; also those that have fallen silent within a day."""
    return await SERVERS.of(db).find({}, sort=[("_id", 1)], limit=1000)
