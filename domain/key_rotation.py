"""What is kept under an older key, brought under the newest one: nobody registers anew for it.

Sealed values are opened and sealed again, one document after the other: broken off, it goes on
where it was. A hash cannot be turned into another: tokens of peers and credentials of charge
points are kept under the newest key as soon as they are used. Until all were, the older key has to
stay; `rotate` says of whom it waits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypedDict

from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.json_data import JsonMapping
from domain.charge_points.charge_point_documents import CHARGE_POINTS
from domain.charge_points.registration_records import REGISTERED
from domain.charge_points.registration_store import REGISTRATIONS
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
    """When it was the newest for the first time that somebody asked."""


KEY_ROTATIONS: Collection[KeyRotation] = Collection("key_rotations")


@dataclass
class Rotated:
    """`unopened`: values that none of the given keys opens; `peers`, `charge_points`: the first of
    those whose token or credentials were not used since, and how many there are."""

    kid: str
    renewed: int = 0
    unopened: int = 0
    peers: list[str] = field(default_factory=list)
    charge_points: list[str] = field(default_factory=list)
    waiting: int = 0

    @property
    def older_may_go(self) -> bool:
        """Whether nothing needs an older key any more."""
        return not self.waiting and not self.unopened


async def rotate(db: Database, vault: Vault) -> Rotated:
    """Bring everything under the newest key of `vault`; safe to repeat, and to run beside the
    servers."""
    done = Rotated(vault.kid)
    since = await _since(db, vault.kid)
    for collection, paths in _SEALED:
        for path in paths:
            await _seal_again(db, vault, collection, path, done)
    old = {"token_hashes": {"$elemMatch": {"kid": {"$ne": vault.kid}}}}
    idle = {
        "status": REGISTERED,
        "last_authenticated": {"$not": {"$gte": since}},
        "registration_date": {"$not": {"$gte": since}},
    }
    peers, registrations = PEERS.of(db), REGISTRATIONS.of(db)
    done.waiting = await peers.count(old) + await registrations.count(idle)
    found = await peers.find(old, {"_id": 1}, sort=[("_id", 1)], limit=NAMED)
    done.peers = [peer["_id"] for peer in found]
    silent = await registrations.find(idle, {"_id": 1}, sort=[("_id", 1)], limit=NAMED)
    done.charge_points = [record["_id"] for record in silent]
    return done


async def _since(db: Database, kid: str) -> datetime:
    kept = await KEY_ROTATIONS.of(db).update_and_find(
        {"_id": kid}, {"$setOnInsert": {"since": db.now()}}, upsert=True
    )
    return db.now() if kept is None else kept["since"]


async def _seal_again(
    db: Database, vault: Vault, collection: Collection[JsonMapping], path: str, done: Rotated
) -> None:
    documents = collection.of(db)
    async for document in documents.stream({path: {"$type": "binData"}}, {path: 1}):
        sealed = _at(document, path)
        if not isinstance(sealed, bytes) or vault.is_newest(sealed):
            continue
        try:
            opened = vault.open(sealed)
        except SecretUnusable:
            done.unopened += 1
            continue
        # Only if nobody has changed it meanwhile: what is newer is under the newest key.
        unchanged = {"_id": document["_id"], path: sealed}
        done.renewed += await documents.update_one(unchanged, {"$set": {path: vault.seal(opened)}})


def _at(document: JsonMapping, path: str) -> object:
    value: object = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
