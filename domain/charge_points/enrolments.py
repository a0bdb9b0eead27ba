"""Enrolment tokens: the operator's word that one charge point may register, good once, for a day.

A charge point's box stands in the field and may be opened: it gets this token and never the
operator's key. Kept as a hash of 256 random bits; one per id, a newer one replaces it. Nothing
but the registration that uses a token up may look behind it.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import TypedDict

from db_interface.collection import Collection, Where
from db_interface.owned_objects import fold
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.secrets import new_token

GOOD_FOR = timedelta(days=1)
PREFIX = "enrol-"
"""What tells it from the operator's key, in the one header that both come in."""


class Enrolment(TypedDict):
    """A document of `enrolments`; it goes when it is used, or by itself after its day."""

    _id: str
    """cp_id, folded"""
    token_hash: str
    expires_at: datetime


ENROLMENTS: Collection[Enrolment] = Collection("enrolments")


def hash_of(token: str) -> str | None:
    """The hash that an enrolment token is kept under; None for what is none."""
    if not token.startswith(PREFIX):
        return None
    return hashlib.sha256(token.encode("latin-1", "replace")).hexdigest()


async def enrol(tx: Tx, cp_id: str) -> tuple[str, datetime]:
    """A new token for the charge point of this id, and when it ends."""
    token = PREFIX + new_token()
    expires_at = tx.now + GOOD_FOR
    kept: Enrolment = {
        "_id": fold(cp_id),
        "token_hash": hash_of(token) or "",
        "expires_at": expires_at,
    }
    await ENROLMENTS.of(tx).delete_one({"_id": kept["_id"]})
    await ENROLMENTS.of(tx).insert_one(kept)
    after = {"may_register_until": expires_at}
    await audit.record(tx, "charge_points.enrol", audit.charge_point(cp_id), after=after)
    return token, expires_at


async def is_known(where: Where, token_hash: str, now: datetime) -> bool:
    """Whether some charge point may enrol with it: asked before a body is read."""
    found = await ENROLMENTS.of(where).find_one({"token_hash": token_hash})
    return found is not None and found["expires_at"] > now


async def use(tx: Tx, cp_id: str, token_hash: str) -> bool:
    """Use the charge point's token up; False where this is not it, or its day is over."""
    found = await ENROLMENTS.of(tx).find_one({"_id": fold(cp_id)})
    if found is None or not hmac.compare_digest(found["token_hash"], token_hash):
        return False
    await ENROLMENTS.of(tx).delete_one({"_id": found["_id"]})
    return found["expires_at"] > tx.now


async def withdraw(tx: Tx, cp_id: str) -> None:
    """Whoever was deregistered does not come back on a token of before."""
    await ENROLMENTS.of(tx).delete_one({"_id": fold(cp_id)})
