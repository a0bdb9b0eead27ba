"""Reservations (OCPI 2.2.1, mod_commands, ReserveNow): who may use an EVSE until when.

A document of `reservations`:
    _id              what the charge point knows it by: made of peer, eMSP and reservation_id, so
                     that nobody can replace or cancel another's (mod_commands, ReserveNow)
    peer_id, reservation_id   as the peer gave it
    status, active   ACTIVE | USED | EXPIRED | CANCELED; `active` only while ACTIVE
    owner            our party that has the location, folded
    cp_id, connector_id, location_id, evse_uid
    token            the Token of the request; its group may start, too
    authorization_reference?, expiry_date
    command_id       of the RESERVE_NOW that holds now
    answer_to        the `delivery` of its result: where a CANCELED_RESERVATION goes
    session_id?      the OCPI Session of the reservation, then of the charge
    created, ended?

The EVSE's status and the reservation are written in one transaction. What a reservation costs is
not known here: `Billing` is told, in that transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.owned_objects import party_key
from db_interface.transaction import Tx, mongo_session
from domain.charge_points import charge_points
from domain.charge_points.charge_point_events import ReservationSet
from domain.sites import Party

COLLECTION = "reservations"

Document = dict[str, Any]
Token = Mapping[str, Any]


class Status(str, Enum):
    ACTIVE = "ACTIVE"
    USED = "USED"
    EXPIRED = "EXPIRED"
    CANCELED = "CANCELED"


class Billing(Protocol):
    """Told inside the transaction, possibly more than once: changes only the store."""

    async def reserved(self, reservation: Mapping[str, Any], now: datetime, tx: Tx) -> str | None:
        """It was made, or replaced (it bears its session_id then); the id of its OCPI Session."""

    async def ended(self, reservation: Mapping[str, Any], now: datetime, tx: Tx) -> None:
        """It expired or was canceled, as its `status` says, without a charge."""


def inner_id(peer_id: str, party: str, reservation_id: str) -> str:
    """The id towards charge points, of an eMSP (its party, folded); OCPI ids ignore case."""
    text = f"{peer_id}/{party}/{reservation_id.lower()}"
    return f"R-{hashlib.sha256(text.encode()).hexdigest()[:30]}"


async def get(db: Database, key: str, tx: Tx | None = None) -> Document | None:
    return await db[COLLECTION].find_one({"_id": key}, session=mongo_session(tx))


async def standing(
    db: Database,
    peer_id: str,
    parties: Sequence[str],
    reservation_id: str,
    tx: Tx | None = None,
) -> Document | None:
    """The reservation of that id that one of the (folded) parties holds, or None."""
    for party in parties:
        found = await get(db, inner_id(peer_id, party, reservation_id), tx)
        if found is not None and found["active"]:
            return found
    return None


async def at_charge_point(
    db: Database, cp_id: str, now: datetime, tx: Tx | None = None
) -> Document | None:
    """The reservation that holds the EVSE now. One that is past its date holds nothing, whether
    or not the sweep has been round yet."""
    return await db[COLLECTION].find_one(
        {"cp_id": cp_id, "active": True, "expiry_date": {"$gt": now}}, session=mongo_session(tx)
    )


def admits(reservation: Mapping[str, Any], token: Token) -> bool:
    """Whether the token may start: the reserving one itself, or one of its group."""
    holder = reservation["token"]
    if party_key(holder["country_code"], holder["party_id"]) != party_key(
        token["country_code"], token["party_id"]
    ):
        return False
    if holder["uid"].lower() == token["uid"].lower() and holder["type"] == token["type"]:
        return True
    group = holder.get("group_id")
    return group is not None and group.lower() == (token.get("group_id") or "").lower()


async def hold(
    store: DbInterface,
    party: Party,
    reservation: Mapping[str, Any],
    now: datetime,
    tx: Tx,
    billing: Billing | None = None,
) -> str | None:
    """The charge point has accepted the reservation (all fields but status, active, created):
    keep it, in place of the one with its id. Call inside a transaction.

    Returns the cp_id of the EVSE that the earlier one has held, if that is another.
    """
    documents = store.db[COLLECTION]
    before = await documents.find_one({"_id": reservation["_id"]}, session=tx.mongo)
    replaced = before if before is not None and before["active"] else None
    after: Document = {**reservation, "status": Status.ACTIVE.value, "active": True}
    after["created"] = replaced["created"] if replaced else now
    if replaced and replaced.get("session_id"):
        after["session_id"] = replaced["session_id"]
    # The charge point knows best: what else we thought to hold this EVSE holds it no more.
    stale = await documents.find(
        {"cp_id": after["cp_id"], "active": True, "_id": {"$ne": after["_id"]}}, session=tx.mongo
    ).to_list(None)
    for other in stale:
        await _close(store, other, Status.CANCELED, now, tx, billing)
    if billing is not None:
        session_id = await billing.reserved(after, now, tx)
        if session_id is not None:
            after["session_id"] = session_id
    await documents.replace_one({"_id": after["_id"]}, after, upsert=True, session=tx.mongo)
    event = ReservationSet(after["_id"])
    await charge_points.apply(tx, party, after["cp_id"], event)
    if replaced is None or replaced["cp_id"] == after["cp_id"]:
        return None
    await _free(store, party, replaced, now, tx)
    return replaced["cp_id"]


async def end(
    store: DbInterface,
    party: Party,
    reservation: Mapping[str, Any],
    status: Status,
    now: datetime,
    tx: Tx,
    billing: Billing | None = None,
) -> bool:
    """Expired or canceled: the EVSE is free. Call inside a transaction. False: it had ended."""
    current = await get(store.db, reservation["_id"], tx)
    if current is None or not current["active"] or current["cp_id"] != reservation["cp_id"]:
        return False
    if status is Status.EXPIRED and current["expiry_date"] > now:
        return False
    await _close(store, current, status, now, tx, billing)
    await _free(store, party, current, now, tx)
    return True


async def use(
    store: DbInterface,
    party: Party,
    key: str,
    session_id: str,
    now: datetime,
    tx: Tx,
) -> bool:
    """Its driver charges: the reservation is done with. Call inside a transaction."""
    current = await get(store.db, key, tx)
    if current is None or not current["active"]:
        return False
    await store.db[COLLECTION].update_one(
        {"_id": key},
        {
            "$set": {
                "status": Status.USED.value,
                "active": False,
                "ended": now,
                "session_id": session_id,
            }
        },
        session=tx.mongo,
    )
    await _free(store, party, current, now, tx)
    return True


async def expired(db: Database, now: datetime, limit: int) -> list[Document]:
    """Active reservations whose date has passed, oldest first."""
    found = db[COLLECTION].find({"active": True, "expiry_date": {"$lte": now}})
    return await found.sort("expiry_date", 1).limit(limit).to_list(limit)


async def _close(
    store: DbInterface,
    current: Document,
    status: Status,
    now: datetime,
    tx: Tx,
    billing: Billing | None,
) -> None:
    # It held nothing after its date, however late that is noticed.
    ended = min(now, current["expiry_date"])
    changes = {"status": status.value, "active": False, "ended": ended}
    await store.db[COLLECTION].update_one(
        {"_id": current["_id"]}, {"$set": changes}, session=tx.mongo
    )
    if billing is not None:
        await billing.ended({**current, **changes}, now, tx)


async def _free(
    store: DbInterface, party: Party, held: Mapping[str, Any], now: datetime, tx: Tx
) -> None:
    charge_point = await charge_points.get(tx, held["cp_id"])
    if charge_point is not None and charge_point["reservation_id"] == held["_id"]:
        await charge_points.apply(tx, party, held["cp_id"], ReservationSet(None))
