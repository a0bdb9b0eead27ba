"""The collection `ocpp_transfers`: a station uploads its logs, or fetches its firmware.

Each has a number that the station says again (requestId), and, where we ourselves have the file, a
secret address of its own: 256 random bits, good for that one transfer, for a while, kept as a hash.
What the station tells of it is its state. OCPP 1.6 without the security extension says no number:
then the latest of that kind is meant.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import TypedDict

from db_interface.collection import Collection, Where
from db_interface.transaction import Tx
from domain.ocpp.files import KEPT_FOR, StoredFile
from domain.secrets import new_token

GOOD_FOR = timedelta(days=1)
ASKED, REFUSED, RECEIVED = "Asked", "Refused", "Received"
"""States of ours; all others are the station's own words."""
MAX_STATES = 20


class Kind(str, Enum):
    DIAGNOSTICS = "diagnostics"
    SECURITY = "security"
    FIRMWARE = "firmware"


LOGS = (Kind.DIAGNOSTICS, Kind.SECURITY)


class Told(TypedDict):
    at: datetime
    state: str


class Transfer(TypedDict, total=False):
    """A document of `ocpp_transfers`."""

    _id: str
    station: str
    kind: str
    request_id: int
    location: str | None
    """where it goes or comes from; None: our own address, which is a secret"""
    token_hash: str | None
    until: datetime
    """for so long our address is good"""
    state: str
    states: list[Told]
    """how it went, the latest last"""
    name: str | None
    file: str | None
    """what was received, or is to be fetched (files.py)"""
    asked: datetime
    by: str
    expires: datetime


TRANSFERS: Collection[Transfer] = Collection("ocpp_transfers")


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode("latin-1", "replace")).hexdigest()


async def add(
    tx: Tx,
    station: str,
    kind: Kind,
    *,
    by: str,
    location: str | None = None,
    file: StoredFile | None = None,
) -> tuple[Transfer, str | None]:
    """A new one, and the secret of our address; None: it is `location`'s."""
    token = None if location is not None else new_token()
    transfer: Transfer = {
        "_id": uuid.uuid4().hex,
        "station": station,
        "kind": kind.value,
        "request_id": secrets.randbelow(2**31 - 1) + 1,
        "location": location,
        "token_hash": None if token is None else hash_of(token),
        "until": tx.now + GOOD_FOR,
        "state": ASKED,
        "states": [{"at": tx.now, "state": ASKED}],
        "name": None if file is None else file["name"],
        "file": None if file is None else file["_id"],
        "asked": tx.now,
        "by": by,
        "expires": tx.now + KEPT_FOR,
    }
    await TRANSFERS.of(tx).insert_one(transfer)
    return transfer, token


async def told(
    tx: Tx, station: str, kinds: Sequence[Kind], state: str, request_id: int | None
) -> None:
    """The station's word on the transfer of that number, or else on its latest of these kinds."""
    query: dict[str, object] = {"station": station, "kind": {"$in": [kind.value for kind in kinds]}}
    if request_id is not None:
        query["request_id"] = request_id
    found = await TRANSFERS.of(tx).find(query, sort=[("asked", -1)], limit=1)
    if found:
        await _now(tx, found[0], state)


async def refused(tx: Tx, transfer: Transfer, why: str) -> None:
    """The station was not asked, or would not: its address is good no more."""
    await _now(tx, transfer, f"{REFUSED}: {why}"[:200])
    await TRANSFERS.of(tx).update_one({"_id": transfer["_id"]}, {"$set": {"token_hash": None}})


async def named(tx: Tx, transfer: Transfer, name: str) -> None:
    """What the station calls the file that it uploads."""
    await TRANSFERS.of(tx).update_one({"_id": transfer["_id"]}, {"$set": {"name": name[:255]}})


async def received(tx: Tx, transfer: Transfer, file: StoredFile) -> None:
    """Its file is here; a second one takes its place."""
    await TRANSFERS.of(tx).update_one({"_id": transfer["_id"]}, {"$set": {"file": file["_id"]}})
    await _now(tx, transfer, RECEIVED)


async def by_token(where: Where, token: str, now: datetime) -> Transfer | None:
    """Whose address it is; None: nobody's, or no longer."""
    found = await TRANSFERS.of(where).find_one({"token_hash": hash_of(token)})
    return None if found is None or found["until"] <= now else found


async def latest(where: Where, station: str, limit: int) -> list[Transfer]:
    return await TRANSFERS.of(where).find({"station": station}, sort=[("asked", -1)], limit=limit)


async def of_file(where: Where, file_id: str) -> Transfer | None:
    """The transfer that brought, or fetches, a file."""
    return await TRANSFERS.of(where).find_one({"file": file_id})


def shown(transfer: Transfer) -> dict[str, object]:
    """Without what is secret of it."""
    hidden = ("_id", "token_hash", "expires")
    return {
        "id": transfer["_id"],
        **{name: value for name, value in transfer.items() if name not in hidden},
    }


async def _now(tx: Tx, transfer: Transfer, state: str) -> None:
    current = await TRANSFERS.of(tx).find_one({"_id": transfer["_id"]}) or transfer
    entry: Told = {"at": tx.now, "state": state}
    states = [*current["states"], entry][-MAX_STATES:]
    await TRANSFERS.of(tx).update_one(
        {"_id": transfer["_id"]}, {"$set": {"state": state, "states": states}}
    )
