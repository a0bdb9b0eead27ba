"""Reservations (OCPI 2.2.1, mod_commands, ReserveNow): who may use an EVSE until when.

The EVSE's status and the reservation are written in one transaction. What a reservation costs is
not known here: `Billing` is told, in that transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from enum import Enum
from typing import Protocol, TypedDict

from db_interface.collection import Collection, Where, time_of
from db_interface.database import Database
from db_interface.owned_objects import party_key
from db_interface.transaction import Tx
from domain.charge_points import charge_points
from domain.charge_points.charge_point_events import ReservationSet
from domain.commands.command_delivery import DeliveryRecord
from domain.objects import OcpiObject
from domain.sites import Party


class Status(str, Enum):
    ACTIVE = "ACTIVE"
    USED = "USED"
    EXPIRED = "EXPIRED"
    CANCELED = "CANCELED"


class Reservation(TypedDict, total=False):
    """Always there: everything but `answer_to`, `session_id` and `ended`."""

    _id: str
    """What the charge point knows it by: made of peer, eMSP and reservation_id, so that nobody
    can replace or cancel another's (mod_commands, ReserveNow)."""
    peer_id: str | None
    """Who has asked for it; of one of our own people's, who is behind the card (None: nobody)."""
    reservation_id: str
    """As the peer gave it."""
    status: str
    """Status"""
    active: bool
    """Only while ACTIVE."""
    owner: str
    """Our party that has the location, folded."""
    cp_id: str
    connector_id: str
    location_id: str
    evse_uid: str
    token: OcpiObject
    """The Token of the request; its group may start, too."""
    authorization_reference: str | None
    expiry_date: datetime
    command_id: str
    """Of the RESERVE_NOW that holds now."""
    answer_to: DeliveryRecord
    """The `delivery` of its result: where a CANCELED_RESERVATION goes."""
    created: datetime
    session_id: str
    """The OCPI Session of the reservation, then of the charge."""
    ended: datetime


_AT_ONCE = 500
RESERVATIONS: Collection[Reservation] = Collection("reservations")


class Billing(Protocol):
    """Told inside the transaction, possibly more than once: changes only the store."""

    async def reserved(self, tx: Tx, reservation: Reservation) -> str | None:
        """It was made, or replaced (it bears its session_id then); the id of its OCPI Session."""

    async def ended(self, tx: Tx, reservation: Reservation) -> None:
        """It expired or was canceled, as its `status` says, without a charge."""


def inner_id(peer_id: str, party: str, reservation_id: str) -> str:
    """The id towards charge points, of an eMSP (its party, folded); OCPI ids ignore case."""
    text = f"{peer_id}/{party}/{reservation_id.lower()}"
    return f"R-{hashlib.sha256(text.encode()).hexdigest()[:30]}"


async def get(where: Where, key: str) -> Reservation | None:
    return await RESERVATIONS.of(where).find_one({"_id": key})


async def get_active(where: Where, key: str) -> Reservation | None:
    """None also where it has been used, has expired or was canceled."""
    found = await get(where, key)
    return found if found is not None and found["active"] else None


async def held_by(
    where: Where, peer_id: str, parties: Sequence[str], reservation_id: str
) -> Reservation | None:
    """The active reservation of that id that one of the (folded) parties holds, or None."""
    for party in parties:
        found = await get_active(where, inner_id(peer_id, party, reservation_id))
        if found is not None:
            return found
    return None


async def at_charge_points(where: Where, cp_ids: Sequence[str]) -> dict[str, Reservation]:
    """{cp_id: the reservation that holds it now}. One that is past its date holds nothing,
    whether or not the sweep has been round yet."""
    rows = await RESERVATIONS.of(where).find(
        {
            "cp_id": {"$in": list(cp_ids)},
            "active": True,
            "expiry_date": {"$gt": time_of(where)},
        }
    )
    return {row["cp_id"]: row for row in rows}


async def active_at(where: Where, cp_ids: Sequence[str]) -> list[Reservation]:
    """Those that have not ended, whether or not their date has passed."""
    return await RESERVATIONS.of(where).find({"cp_id": {"$in": list(cp_ids)}, "active": True})


def admits(reservation: Reservation, token: OcpiObject) -> bool:
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
    tx: Tx, party: Party, reservation: Reservation, billing: Billing | None = None
) -> str | None:
    """The charge point has accepted the reservation (all fields but status, active, created):
    keep it, in place of the one with its id.

    Returns the cp_id of the EVSE that the earlier one has held, if that is another.
    """
    documents = RESERVATIONS.of(tx)
    replaced = await get_active(tx, reservation["_id"])
    after: Reservation = {**reservation, "status": Status.ACTIVE.value, "active": True}
    after["created"] = replaced["created"] if replaced else tx.now
    if replaced and replaced.get("session_id"):
        after["session_id"] = replaced["session_id"]
    # The charge point knows best: what else we thought to hold this EVSE holds it no more.
    stale = await documents.find(
        {"cp_id": after["cp_id"], "active": True, "_id": {"$ne": after["_id"]}}
    )
    for other in stale:
        await _close(tx, other, Status.CANCELED, billing)
    if billing is not None:
        session_id = await billing.reserved(tx, after)
        if session_id is not None:
            after["session_id"] = session_id
    await documents.replace_one({"_id": after["_id"]}, after, upsert=True)
    event = ReservationSet(after["_id"])
    await charge_points.apply(tx, party, after["cp_id"], event)
    if replaced is None or replaced["cp_id"] == after["cp_id"]:
        return None
    await _free(tx, party, replaced)
    return replaced["cp_id"]


async def end(
    tx: Tx,
    party: Party,
    key: str,
    cp_id: str,
    status: Status,
    billing: Billing | None = None,
) -> bool:
    """Expired or canceled: the EVSE is free. False: it had ended, or has moved from `cp_id`."""
    current = await get_active(tx, key)
    if current is None or current["cp_id"] != cp_id:
        return False
    if status is Status.EXPIRED and current["expiry_date"] > tx.now:
        return False
    await _close(tx, current, status, billing)
    await _free(tx, party, current)
    return True


async def use(tx: Tx, party: Party, key: str, session_id: str) -> bool:
    """Its driver charges: the reservation is over. False: it was over before."""
    current = await get_active(tx, key)
    if current is None:
        return False
    changes: Reservation = {
        "status": Status.USED.value,
        "active": False,
        "ended": tx.now,
        "session_id": session_id,
    }
    await RESERVATIONS.of(tx).update_one({"_id": key}, {"$set": changes})
    await _free(tx, party, current)
    return True


async def expired(db: Database, limit: int) -> list[Reservation]:
    """Active reservations whose date has passed, oldest first."""
    return await RESERVATIONS.of(db).find(
        {"active": True, "expiry_date": {"$lte": db.now()}},
        sort=[("expiry_date", 1)],
        limit=limit,
    )


async def forget(db: Database, before: datetime) -> AsyncIterator[int]:
    """Delete those that were over by that time, in small parts; how many each time."""
    over = {"active": False, "expiry_date": {"$lt": before}, "ended": {"$lt": before}}
    while found := await RESERVATIONS.of(db).find(over, {"_id": 1}, limit=_AT_ONCE):
        ids = [one["_id"] for one in found]
        # One that was made again meanwhile, under its old id, is not over.
        yield await RESERVATIONS.of(db).delete_many({**over, "_id": {"$in": ids}})


async def _close(tx: Tx, current: Reservation, status: Status, billing: Billing | None) -> None:
    # It held nothing after its date, however late that is noticed.
    ended = min(tx.now, current["expiry_date"])
    changes: Reservation = {"status": status.value, "active": False, "ended": ended}
    await RESERVATIONS.of(tx).update_one({"_id": current["_id"]}, {"$set": changes})
    if billing is not None:
        await billing.ended(tx, {**current, **changes})


async def _free(tx: Tx, party: Party, held: Reservation) -> None:
    charge_point = await charge_points.get(tx, held["cp_id"])
    if charge_point is not None and charge_point["reservation_id"] == held["_id"]:
        event = ReservationSet(None)
        await charge_points.apply(tx, party, held["cp_id"], event)
