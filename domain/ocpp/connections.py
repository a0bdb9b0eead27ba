"""Which process holds which station's connection: `ocpp_connections`, and leases of processes.

A connection is its process's as long as that process renews its lease, one for all that it holds
(`ocpp_gateways`, by the database's clock), and until the station connects anew, here or elsewhere.
Whoever answers a charge point has its lease, and asks `is_at` in the transaction that the answer
speaks of: what was committed is answered by the holder at that time, and nobody else answers
anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TypedDict

from db_interface.bulk import delete_each
from db_interface.collection import Collection, Where
from db_interface.database import Database
from db_interface.lease import Lease
from db_interface.transaction import Tx

LEASE_S = 15.0
RENEWED_EVERY_S = 4.0
SWEPT_AFTER = timedelta(minutes=1)
"""A process that has not renewed for so long beyond its lease is dead: its connections go."""


class Connection(TypedDict):
    """A document of `ocpp_connections`: the newest connection of a station."""

    _id: str
    """station"""
    connection: str
    """its random id"""
    holder: str
    """the process, as `ocpp_gateways` knows it"""
    protocol: str
    address: str
    since: datetime


class Gateway(TypedDict, total=False):
    """A document of `ocpp_gateways`: a process that holds connections."""

    _id: str
    until: datetime
    host: str
    connections: int


CONNECTIONS: Collection[Connection] = Collection("ocpp_connections")
GATEWAYS: Collection[Gateway] = Collection("ocpp_gateways")
_LEASE = Lease(owner="_id", until="until")


async def take(db: Database, new: Connection) -> Connection | None:
    """The station is at this connection now; the one before it, or None."""
    return await CONNECTIONS.of(db).update_and_find(
        {"_id": new["_id"]}, {"$set": new}, upsert=True, before=True
    )


async def let_go(db: Database, gone: Mapping[str, str]) -> None:
    """These are closed (connection to station); nothing for a station that has connected anew."""
    await delete_each(
        CONNECTIONS.of(db),
        [{"_id": station, "connection": connection} for connection, station in gone.items()],
    )


async def cut(tx: Tx, station_id: str) -> None:
    """Nothing that it says is taken any more: whoever holds its connection closes it soon."""
    await CONNECTIONS.of(tx).delete_one({"_id": station_id})


async def is_at(where: Where, station_id: str, connection: str) -> bool:
    """Whether the station is at this connection yet: for the process that holds it, and knows how
    long its own lease is good."""
    found = await CONNECTIONS.of(where).find_one({"_id": station_id})
    return found is not None and found["connection"] == connection


async def still_holds(tx: Tx, station_id: str, connection: str) -> bool:
    """Whether the station is at this connection yet, and its process's lease is good."""
    found = await CONNECTIONS.of(tx).find_one({"_id": station_id})
    if found is None or found["connection"] != connection:
        return False
    return await _lives(tx, found["holder"], tx.now)


async def those_at(where: Where, wanted: Mapping[str, str]) -> set[str]:
    """Of these stations (to connection) those that `is_at` says yes of."""
    found = await CONNECTIONS.of(where).find({"_id": {"$in": sorted(wanted)}}, {"connection": 1})
    return {one["_id"] for one in found if one["connection"] == wanted[one["_id"]]}


async def held_of(tx: Tx, wanted: Mapping[str, str]) -> set[str]:
    """Of these stations (to connection) those that `still_holds` says yes of."""
    found = await CONNECTIONS.of(tx).find({"_id": {"$in": sorted(wanted)}})
    living = {one["_id"] for one in await gateways(tx)}
    return {
        one["_id"]
        for one in found
        if one["connection"] == wanted[one["_id"]] and one["holder"] in living
    }


async def of_station(where: Where, station_id: str) -> Connection | None:
    """The connection of a station that some living process holds."""
    found = await CONNECTIONS.of(where).find_one({"_id": station_id})
    now = where.now if isinstance(where, Tx) else where.now()
    if found is None or not await _lives(where, found["holder"], now):
        return None
    return found


async def some(db: Database, station_ids: Iterable[str]) -> dict[str, Connection]:
    """Those of the stations that are connected, by id."""
    found = await CONNECTIONS.of(db).find({"_id": {"$in": list(station_ids)}})
    living = {one["_id"] for one in await gateways(db)}
    return {one["_id"]: one for one in found if one["holder"] in living}


async def lost(db: Database, holder: str, held: Mapping[str, str]) -> list[str]:
    """Of the stations that a process holds (station to connection), those that are elsewhere."""
    if await CONNECTIONS.of(db).count({"holder": holder}) == len(held):
        return []
    found = await CONNECTIONS.of(db).find({"holder": holder}, {"connection": 1})
    kept = {one["_id"]: one["connection"] for one in found}
    return [station for station, connection in held.items() if kept.get(station) != connection]


async def renew(db: Database, holder: str, host: str, connections: int) -> None:
    """Hold what the process holds for LEASE_S from now."""
    facts = {"host": {"$literal": host}, "connections": connections}
    await GATEWAYS.of(db).update_one(
        {"_id": holder}, [{"$set": {**facts, **_LEASE.prolonged(LEASE_S)}}], upsert=True
    )


async def gateways(where: Where) -> list[Gateway]:
    """The processes that live."""
    now = where.now if isinstance(where, Tx) else where.now()
    return await GATEWAYS.of(where).find({"until": {"$gt": now}}, sort=[("_id", 1)])


async def leave(db: Database, holder: str) -> None:
    """The process ends: nothing is its any more."""
    await CONNECTIONS.of(db).delete_many({"holder": holder})
    await GATEWAYS.of(db).delete_one({"_id": holder})


async def sweep(db: Database) -> int:
    """Remove what dead processes held; how many connections that were."""
    dead = await GATEWAYS.of(db).find({"until": {"$lt": db.now() - SWEPT_AFTER}}, {"_id": 1})
    gone = 0
    for one in dead:
        gone += await CONNECTIONS.of(db).delete_many({"holder": one["_id"]})
        await GATEWAYS.of(db).delete_one({"_id": one["_id"]})
    return gone


async def _lives(where: Where, holder: str, now: datetime) -> bool:
    found = await GATEWAYS.of(where).find_one({"_id": holder})
    return found is not None and found["until"] > now
