"""API keys: what scripts show instead of a person's password.

`cpo_PREFIX_SECRET`: the prefix is kept and shown, of the whole only a hash. A key has a role as a
person has, may be good at some doors only (`scopes`), and may end.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypedDict

from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.audit.entries import record
from domain.operators.actor import Role

SCOPES = ("api", "cp", "metrics")
"""The doors that can be told apart: /api/v1, EV_Central's /cp, /metrics."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KEY = re.compile(r"cpo_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")
_NOTED_EVERY = timedelta(minutes=1)


class _Always(TypedDict):
    _id: str
    """The prefix."""
    name: str
    hash: str
    role: str
    scopes: list[str]
    """Empty: at every door."""
    created: datetime


class ApiKey(_Always, total=False):
    expires: datetime
    last_used: datetime


API_KEYS: Collection[ApiKey] = Collection("api_keys")


class KeyRefused(ValueError):
    """No such key can be made; the message says why."""


class NoSuchKey(ValueError):
    """There is no key of that name or prefix."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no key {name}")


async def add(
    tx: Tx,
    name: str,
    role: Role,
    *,
    scopes: Sequence[str] = (),
    lifetime: timedelta | None = None,
) -> str:
    """Make one; returns it, for the only time. Raises KeyRefused."""
    if not NAME.fullmatch(name):
        raise KeyRefused("a key's name has 1 to 64 letters, digits and . _ -")
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        raise KeyRefused(f"there is no scope {unknown[0]}; there are {', '.join(SCOPES)}")
    if await API_KEYS.of(tx).find_one({"name": name}) is not None:
        raise KeyRefused(f"there is a key {name} already")
    prefix = secrets.token_hex(4)
    key = f"cpo_{prefix}_{secrets.token_urlsafe(32)}"
    document: ApiKey = {
        "_id": prefix,
        "name": name,
        "hash": _digest(key),
        "role": role.value,
        "scopes": sorted(set(scopes)),
        "created": tx.now,
    }
    if lifetime is not None:
        document["expires"] = tx.now + lifetime
    await API_KEYS.of(tx).insert_one(document)
    given = {"role": role.value, "scopes": document["scopes"], "expires": document.get("expires")}
    await record(tx, "keys.add", audit.api_key(name), after=given)
    return key


async def listed(db: Database) -> list[ApiKey]:
    """All of them, by name; what has ended stays until it is removed."""
    return await API_KEYS.of(db).find({}, sort=[("name", 1)])


def shown(key: ApiKey, now: datetime) -> JsonObject:
    """What may be shown of a key."""
    return {
        "name": key["name"],
        "prefix": f"cpo_{key['_id']}_",
        "role": key["role"],
        "scopes": key["scopes"],
        "created": key["created"],
        "expires": key.get("expires"),
        "ended": "expires" in key and key["expires"] <= now,
        "last_used": key.get("last_used"),
    }


async def remove(tx: Tx, name: str, prefix: str = "") -> None:
    """By its name, else its prefix; good for nothing at once. Raises NoSuchKey."""
    keys = API_KEYS.of(tx)
    if not await keys.delete_one({"name": name}) and not await keys.delete_one({"_id": prefix}):
        raise NoSuchKey(name)
    await record(tx, "keys.remove", audit.api_key(name))


async def of(db: Database, shown: str) -> ApiKey | None:
    """The key that somebody shows, if it is one and has not ended."""
    form = _KEY.fullmatch(shown)
    if form is None:
        return None
    found = await API_KEYS.of(db).find_one({"_id": form[1]})
    if found is None or not hmac.compare_digest(found["hash"], _digest(shown)):
        return None
    now = db.now()
    if "expires" in found and found["expires"] <= now:
        return None
    if now - found.get("last_used", found["created"] - _NOTED_EVERY) >= _NOTED_EVERY:
        await API_KEYS.of(db).update_one({"_id": found["_id"]}, {"$set": {"last_used": now}})
    return found


def _digest(key: str) -> str:
    """Of 256 random bits: nothing slower and no key is needed."""
    return hashlib.sha256(key.encode()).hexdigest()
