"""What is kept under an older key, brought under the newest one: nobody registers anew for it.

Sealed values are opened and sealed again, one document after the other: broken off, it goes on
where it was. A hash cannot be turned into another: tokens of peers and credentials of charge
points are kept under the newest key as soon as they are used. Until all were, the older key has to
stay; `rotate` says of whom it waits.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypedDict

from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from domain.charge_points.charge_point_documents import CHARGE_POINTS
from domain.charge_points.registration_records import REGISTERED
from domain.charge_points.registration_store import REGISTRATIONS
from domain.ocpp.connections import CONNECTIONS
from domain.ocpp.stations import STATIONS, Status
from domain.operators.operators import OPERATORS
from domain.peers.peer_document import PEERS
from domain.secrets import SecretUnusable, Vault

NAMED = 20
_SEALED: tuple[tuple[Collection[JsonMapping], tuple[str, ...]], ...] = (
    (PEERS, ("their_token", "call.token_a", "call.token_b", "call.their_token")),  # type: ignore[assignment]
    (CHARGE_POINTS, ("command_key",)),
    (OPERATORS, ("totp", "totp_offered")),
)


class KeyRotation(TypedDict):
    _id: str
    """The newest key's name."""
    since: datetime
    """When it was the newest of several for the first time that somebody asked."""


KEY_ROTATIONS: Collection[KeyRotation] = Collection("key_rotations")


@dataclass
class Rotated:
    """`older`: how many older keys are given; `since`: from when on the newest was asked about
    (None: never); `to_renew`: what is sealed with an older one yet; `unopened`: values that none of
    the given keys opens; `peers`, `charge_points`: the first of those whose token or credentials
    were not used since, and how many there are."""

    kid: str
    older: int = 0
    since: datetime | None = None
    renewed: int = 0
    to_renew: int = 0
    unopened: int = 0
    peers: list[str] = field(default_factory=list)
    charge_points: list[str] = field(default_factory=list)
    waiting: int = 0

    @property
    def older_may_go(self) -> bool:
        """Whether nothing needs an older key any more."""
        return not (self.waiting or self.unopened or self.to_renew)

    def facts(self) -> JsonObject:
        """As people and scripts read it."""
        return {
            "newest_key": self.kid,
            "older_keys_given": self.older,
            "newest_since": self.since,
            "renewed": self.renewed,
            "to_renew": self.to_renew,
            "unopened": self.unopened,
            "waiting": self.waiting,
            "peers": self.peers,
            "charge_points": self.charge_points,
            "older_keys_may_go": self.older_may_go,
        }


async def rotate(db: Database, vault: Vault) -> Rotated:
    """Bring everything under the newest key of `vault`; safe to repeat, and to run beside the
    servers."""
    done = Rotated(vault.kid, vault.older, await _since(db, vault))
    for collection, path in _places():
        async for found in _older(db, vault, collection, path):
            await _seal_again(db, vault, collection, path, found, done)
    await _look_who_waits(db, done)
    return done


async def status(db: Database, vault: Vault) -> Rotated:
    """What `rotate` would find; nothing is changed."""
    kept = await KEY_ROTATIONS.of(db).find_one({"_id": vault.kid})
    done = Rotated(vault.kid, vault.older, None if kept is None else kept["since"])
    for collection, path in _places():
        async for _ in _older(db, vault, collection, path):
            done.to_renew += 1
    await _look_who_waits(db, done)
    return done


async def _look_who_waits(db: Database, done: Rotated) -> None:
    old = {"token_hashes": {"$elemMatch": {"kid": {"$ne": done.kid}}}}
    idle = {
        "status": REGISTERED,
        # Those of a station come in by it.
        "station": {"$exists": False},
        "last_authenticated": {"$not": {"$gte": done.since}},
        "registration_date": {"$not": {"$gte": done.since}},
    }
    peers, registrations = PEERS.of(db), REGISTRATIONS.of(db)
    done.waiting = await peers.count(old)
    found = await peers.find(old, {"_id": 1}, sort=[("_id", 1)], limit=NAMED)
    done.peers = [peer["_id"] for peer in found]
    if done.since is None:
        return  # under which key credentials were hashed, only their use since then tells
    done.waiting += await registrations.count(idle)
    silent = await registrations.find(idle, {"_id": 1}, sort=[("_id", 1)], limit=NAMED)
    done.charge_points = [record["_id"] for record in silent]
    await _look_which_stations_wait(db, done)


async def _look_which_stations_wait(db: Database, done: Rotated) -> None:
    """Stations with a password that have not connected since."""
    fresh = await CONNECTIONS.of(db).find({"since": {"$gte": done.since}}, {"_id": 1})
    silent = {
        "status": Status.APPROVED.value,
        "created": {"$not": {"$gte": done.since}},
        "booted_at": {"$not": {"$gte": done.since}},
        "_id": {"$nin": [one["_id"] for one in fresh]},
    }
    done.waiting += await STATIONS.of(db).count(silent)
    found = await STATIONS.of(db).find(silent, {"_id": 1}, sort=[("_id", 1)], limit=NAMED)
    done.charge_points += [one["_id"] for one in found]


async def _since(db: Database, vault: Vault) -> datetime | None:
    kid = vault.kid
    if not vault.older:
        # Where there never was another key, nobody has to come again because of it.
        known = await KEY_ROTATIONS.of(db).find_one({"_id": kid})
        return None if known is None else known["since"]
    kept = await KEY_ROTATIONS.of(db).update_and_find(
        {"_id": kid}, {"$setOnInsert": {"since": db.now()}}, upsert=True
    )
    return db.now() if kept is None else kept["since"]


def _places() -> Iterator[tuple[Collection[JsonMapping], str]]:
    return ((collection, path) for collection, paths in _SEALED for path in paths)


async def _older(
    db: Database, vault: Vault, collection: Collection[JsonMapping], path: str
) -> AsyncIterator[tuple[object, bytes]]:
    """(id, what is sealed with another key than the newest)."""
    async for document in collection.of(db).stream({path: {"$type": "binData"}}, {path: 1}):
        sealed = _at(document, path)
        if isinstance(sealed, bytes) and not vault.is_newest(sealed):
            yield document["_id"], sealed


async def _seal_again(
    db: Database,
    vault: Vault,
    collection: Collection[JsonMapping],
    path: str,
    found: tuple[object, bytes],
    done: Rotated,
) -> None:
    id_, sealed = found
    try:
        opened = vault.open(sealed)
    except SecretUnusable:
        done.unopened += 1
        return
    # Only if nobody has changed it meanwhile: what is newer is under the newest key.
    change = {"$set": {path: vault.seal(opened)}}
    done.renewed += await collection.of(db).update_one({"_id": id_, path: sealed}, change)


def _at(document: JsonMapping, path: str) -> object:
    value: object = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
