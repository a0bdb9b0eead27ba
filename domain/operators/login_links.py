"""Links that sign somebody in, once: `admin`, who starts this platform for the first time and reads
it on his own terminal, or an operator for whom an admin has made one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.audit.entries import record
from domain.operators import operators
from domain.operators.logins import digest
from domain.operators.operators import OperatorRefused

GOOD_FOR = timedelta(minutes=15)
"""On the terminal of the first start."""
HANDED_OVER_WITHIN = timedelta(hours=1)


class _Always(TypedDict):
    _id: str
    """SHA-256 of what the link ends in."""
    until: datetime


class LoginLink(_Always, total=False):
    operator_id: str
    """Whom it signs in; without it `admin`."""
    epoch: int
    """The operator's, when it was made: another password or role ends it."""


@dataclass(frozen=True)
class Made:
    secret: str
    until: datetime


LOGIN_LINKS: Collection[LoginLink] = Collection("login_links")


async def make(db: Database) -> str:
    """For `admin`: what the link is to end in."""
    secret = secrets.token_urlsafe(32)
    await LOGIN_LINKS.of(db).insert_one({"_id": digest(secret), "until": db.now() + GOOD_FOR})
    return secret


async def make_for(tx: Tx, name: str) -> Made:
    """For an operator. Raises NoSuchOperator, or OperatorRefused for one who is disabled."""
    operator = await operators.known(tx, name)
    if operator["disabled"]:
        raise OperatorRefused(f"{operator['name']} is disabled")
    made = Made(secrets.token_urlsafe(32), tx.now + HANDED_OVER_WITHIN)
    await LOGIN_LINKS.of(tx).insert_one(
        {
            "_id": digest(made.secret),
            "until": made.until,
            "operator_id": operator["_id"],
            "epoch": operator["epoch"],
        }
    )
    await record(tx, "operators.login_link", audit.operator(operator["name"]))
    return made


async def take(db: Database, secret: str) -> LoginLink | None:
    """The link, if it was good; it is used up with that."""
    found = await LOGIN_LINKS.of(db).take({"_id": digest(secret)})
    return found if found is not None and found["until"] > db.now() else None
