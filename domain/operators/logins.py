"""Logins: who has signed in on the console, and until when.

The browser holds 256 random bits, the store their hash. A login ends when it was not used for a
while, at its latest some hours after it began, and at once when the operator's password, role or
second factor changes. `needs_code`: the password was right, the code of the second factor is
still to come, and nothing else is open to it.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import TypedDict

from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.transaction import Tx

NOTED_EVERY = timedelta(seconds=30)
"""How fine "last used" is: not each page writes to the store."""
CODE_WITHIN = timedelta(minutes=5)
MAX_WRONG_CODES = 5


class _Always(TypedDict):
    _id: str
    """SHA-256 of what the browser holds."""
    name: str
    by: str
    """"password" (an operator), "setting" (CPO_ADMIN_PASSWORD), "link" or "oidc"."""
    proof: str
    """What must still be so: the operator's epoch, or a hash of the setting."""
    role: str
    began: datetime
    used: datetime
    idle_until: datetime
    until: datetime
    """The end of it in any case."""


class Login(_Always, total=False):
    operator_id: str
    needs_code: bool
    wrong_codes: int


LOGINS: Collection[Login] = Collection("logins")


class Lasting:
    """How long logins are good: unused, and at most."""

    def __init__(self, idle: timedelta, at_most: timedelta) -> None:
        self.idle, self.at_most = idle, at_most


def digest(secret: str) -> str:
    """Of 256 random bits: nothing slower and no key is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


async def begin(
    db: Database,
    lasting: Lasting,
    *,
    name: str,
    by: str,
    proof: str,
    role: str,
    operator_id: str | None = None,
    needs_code: bool = False,
) -> str:
    """A new login; returns what the browser is to hold."""
    secret = secrets.token_urlsafe(32)
    now = db.now()
    until = now + (CODE_WITHIN if needs_code else lasting.at_most)
    login: Login = {
        "_id": digest(secret),
        "name": name,
        "by": by,
        "proof": proof,
        "role": role,
        "began": now,
        "used": now,
        "idle_until": min(now + lasting.idle, until),
        "until": until,
    }
    if operator_id is not None:
        login["operator_id"] = operator_id
    if needs_code:
        login["needs_code"] = True
    await LOGINS.of(db).insert_one(login)
    return secret


async def in_force(db: Database, secret: str) -> Login | None:
    """The login that the browser holds, if it has not ended."""
    now = db.now()
    return await LOGINS.of(db).find_one(
        {"_id": digest(secret), "idle_until": {"$gt": now}, "until": {"$gt": now}}
    )


async def use(db: Database, login: Login, lasting: Lasting) -> None:
    """Somebody is there: it stays open for another while."""
    now = db.now()
    if now - login["used"] < NOTED_EVERY:
        return
    idle_until = min(now + lasting.idle, login["until"])
    await LOGINS.of(db).update_one(
        {"_id": login["_id"]}, {"$set": {"used": now, "idle_until": idle_until}}
    )


async def wrong_code(db: Database, login: Login) -> None:
    """Counted; after MAX_WRONG_CODES the password has to be given again."""
    counted = await LOGINS.of(db).update_and_find(
        {"_id": login["_id"]}, {"$inc": {"wrong_codes": 1}}
    )
    if counted is not None and counted["wrong_codes"] >= MAX_WRONG_CODES:
        await LOGINS.of(db).delete_one({"_id": login["_id"]})


async def end(db: Database, secret: str) -> None:
    """Signed out."""
    await LOGINS.of(db).delete_one({"_id": digest(secret)})


async def end_all(tx: Tx, operator_id: str) -> None:
    """Of one operator, wherever."""
    await LOGINS.of(tx).delete_many({"operator_id": operator_id})
