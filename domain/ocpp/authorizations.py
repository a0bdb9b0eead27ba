"""Cards that were authorized at a station a moment ago, for the start that follows.

OCPP asks twice, with Authorize and with the start: the eMSP is asked once, and its reference goes
into the session. Kept under a hash of station and card, until used or for a few minutes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypedDict

from db_interface.collection import Collection, Where, time_of
from db_interface.database import Database
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.authorization.authorization import Decision
from domain.authorization.whitelist import Allowed, AuthMethod
from domain.ocpp.ids import folded_tag
from domain.ocpp.transactions import key_of

GOOD_FOR = timedelta(minutes=15)


class Authorization(TypedDict):
    """A document of `ocpp_authorizations`."""

    _id: str
    token: JsonObject
    auth_method: str
    authorization_reference: str | None
    peer_id: str | None
    until: datetime


AUTHORIZATIONS: Collection[Authorization] = Collection("ocpp_authorizations")


async def remember(db: Database, station: str, tag: str, decision: Decision) -> None:
    """Nothing of a card that may not charge."""
    if not decision.charges or decision.token is None:
        return
    key = _key(station, tag)
    kept: Authorization = {
        "_id": key,
        "token": dict(decision.token),
        "auth_method": decision.auth_method.value,
        "authorization_reference": decision.authorization_reference,
        "peer_id": decision.peer_id,
        "until": db.now() + GOOD_FOR,
    }
    await AUTHORIZATIONS.of(db).replace_one({"_id": key}, kept, upsert=True)


async def recall(where: Where, station: str, tag: str) -> Decision | None:
    found = await AUTHORIZATIONS.of(where).find_one({"_id": _key(station, tag)})
    if found is None or found["until"] <= time_of(where):
        return None
    return Decision(
        Allowed.ALLOWED,
        found["token"],
        AuthMethod(found["auth_method"]),
        found["authorization_reference"],
        peer_id=found["peer_id"],
    )


async def use(tx: Tx, station: str, tag: str) -> None:
    """It has started a session: the next one is authorized anew."""
    await AUTHORIZATIONS.of(tx).delete_one({"_id": _key(station, tag)})


def _key(station: str, tag: str) -> str:
    return key_of(station, folded_tag(tag))
