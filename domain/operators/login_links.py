"""A link that signs somebody in as `admin`, once: for the person who starts this platform for the
first time and reads it on his own terminal."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TypedDict

from db_interface.collection import Collection
from db_interface.database import Database
from domain.operators.logins import digest

GOOD_FOR = timedelta(minutes=15)


class LoginLink(TypedDict):
    _id: str
    """SHA-256 of what the link ends in."""
    until: datetime


LOGIN_LINKS: Collection[LoginLink] = Collection("login_links")


async def make(db: Database) -> str:
    """What the link is to end in."""
    secret = secrets.token_urlsafe(32)
    await LOGIN_LINKS.of(db).insert_one({"_id": digest(secret), "until": db.now() + GOOD_FOR})
    return secret


async def take(db: Database, secret: str) -> bool:
    """Whether the link was good; it is used up with that."""
    found = await LOGIN_LINKS.of(db).take({"_id": digest(secret)})
    return found is not None and found["until"] > db.now()
