"""The collection `ocpp_stations`: boxes that speak OCPP, who may come in as which, what they are.

A station is a box with one connection; its EVSEs are charge points, the first of them under the
station's own id (seats.py). A station that nobody has added is HELD, if it is known at all: it
may connect and is told to wait. Only keyed hashes of passwords come here.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import TypedDict

from db_interface.bulk import update_each
from db_interface.collection import Collection, Where, time_of
from db_interface.database import Database
from db_interface.json_data import JsonMapping
from db_interface.owned_objects import fold
from db_interface.transaction import Tx
from domain.charge_points.charge_point_documents import Fault

STATION_ID = re.compile(r"[A-Za-z0-9_-]{3,60}")
"""A charge point's id, with room for the number of an EVSE."""
MAX_HELD = 200
"""Strangers' boxes that are kept at most."""
HELD_FOR = timedelta(days=7)
"""After it connected last."""
REFUSED_FOR = timedelta(days=365)
"""Then it may ask again."""


class Status(str, Enum):
    HELD = "HELD"
    APPROVED = "APPROVED"
    REFUSED = "REFUSED"


class StationConnector(TypedDict, total=False):
    id: str
    """as the connector of the charge point has it"""
    number: int
    """as the box counts it"""


class StationEvse(TypedDict):
    evse: int
    cp_id: str
    connectors: list[StationConnector]


class Station(TypedDict, total=False):
    """A document of `ocpp_stations`. Always there: `_id` to `created`."""

    _id: str
    """the station's id, case as it was added"""
    folded_id: str
    status: str
    evses: list[StationEvse]
    security_profile: int
    """the highest that it ever came in with: it never falls"""
    created: datetime

    held_until: datetime
    """one that is held and does not come again goes by itself then"""
    password_hash: str
    """keyed; besides it the credentials of its registration are good"""
    certificate_fingerprint: str
    """SHA-256 of the client certificate that it first showed (profile 3)"""
    one_evse: bool
    """OCPP 1.6: its connectors are connectors of one EVSE, of which one charges at a time"""
    quirks: list[str]
    """how it departs from OCPP, by name, as the operator has noted (quirks.py)"""
    quirks_off: list[str]
    """how it does not, whatever is known of its make"""

    protocol: str
    vendor: str
    model: str
    serial: str
    firmware: str
    iccid: str
    imsi: str
    meter_type: str
    meter_serial: str
    boot_reason: str
    booted_at: datetime
    last_message_at: datetime

    faults: list[Fault]
    """of the whole station, as it reports them of its connector 0"""
    rate_units: list[str]
    """of charging profiles: A, W"""
    max_periods: int
    """of a charging profile"""
    configuration: JsonMapping


STATIONS: Collection[Station] = Collection("ocpp_stations")


class TooManyHeld(Exception):
    """More boxes wait to be added than are kept."""


async def get(where: Where, station_id: str) -> Station | None:
    """Ids compare ignoring case."""
    return await STATIONS.of(where).find_one({"folded_id": fold(station_id)})


StationSeat = tuple[Station, int]
"""A station, and the EVSE of it that a charge point is."""


async def of_charge_point(where: Where, cp_id: str) -> StationSeat | None:
    """Where the charge point sits; None: it does not speak OCPP."""
    return (await of_charge_points(where, [cp_id])).get(cp_id)


async def of_charge_points(where: Where, cp_ids: Sequence[str]) -> dict[str, StationSeat]:
    """`of_charge_point` of those of them that speak OCPP."""
    wanted = set(cp_ids)
    found = await STATIONS.of(where).find({"evses.cp_id": {"$in": sorted(wanted)}})
    return {
        one["cp_id"]: (station, one["evse"])
        for station in found
        if station["status"] == Status.APPROVED.value
        for one in station["evses"]
        if one["cp_id"] in wanted
    }


async def add(
    tx: Tx, station_id: str, *, password_hash: str | None, one_evse: bool = False
) -> Station:
    """The operator's word that this station is ours; one that was held is so no longer, and keeps
    its password unless another is given."""
    known = await get(tx, station_id)
    station: Station = known or _new(station_id, Status.APPROVED, tx.now)
    station["status"] = Status.APPROVED.value
    station.pop("held_until", None)
    if not station["evses"]:
        station["evses"] = [{"evse": 1, "cp_id": station["_id"], "connectors": []}]
    if password_hash is not None:
        station["password_hash"] = password_hash
    if one_evse:
        station["one_evse"] = True
    await STATIONS.of(tx).replace_one({"_id": station["_id"]}, station, upsert=True)
    return station


async def hold(tx: Tx, station_id: str, password_hash: str | None) -> Station:
    """Keep a box that nobody has added, and what it showed; one that is known stays as it is.

    Raises TooManyHeld.
    """
    known = await get(tx, station_id)
    if known is not None:
        return known
    held = await STATIONS.of(tx).count({"status": Status.HELD.value}, limit=MAX_HELD)
    if held >= MAX_HELD:
        raise TooManyHeld
    station = _new(station_id, Status.HELD, tx.now)
    station["held_until"] = tx.now + HELD_FOR
    if password_hash is not None:
        station["password_hash"] = password_hash
    await STATIONS.of(tx).insert_one(station)
    return station


async def refuse(tx: Tx, station: Station) -> None:
    """The operator's word that a box that waits is none of ours."""
    until = tx.now + REFUSED_FOR
    await update(tx, station["_id"], {"status": Status.REFUSED.value, "held_until": until})


async def keep_hash(where: Where, station: Station, present: str, newest: str) -> None:
    """Keep the hash under the newest key, unless the password was changed meanwhile."""
    await STATIONS.of(where).update_one(
        {"_id": station["_id"], "password_hash": present}, {"$set": {"password_hash": newest}}
    )


async def update(where: Where, station_id: str, changes: Station) -> None:
    """Set these facts of a station, by its id as it is kept."""
    await STATIONS.of(where).update_one({"_id": station_id}, {"$set": changes})


async def heard(db: Database, messages: Mapping[str, datetime]) -> None:
    """Note when a message of each came last; what is lost of it, the next one makes good."""
    changes = [({"_id": id_}, {"$max": {"last_message_at": at}}) for id_, at in messages.items()]
    await update_each(STATIONS.of(db).expendable(), changes)


async def set_faults(tx: Tx, station_id: str, faults: list[Fault]) -> None:
    """What is wrong with the whole station: said of each of its EVSEs with its next sign of
    life."""
    await update(tx, station_id, {"faults": faults})


async def came_in(
    where: Where, station: Station, *, protocol: str, profile: int, fingerprint: str | None
) -> Station:
    """Note with what it came in: its security profile only ever rises."""
    changes: Station = {
        "protocol": protocol,
        "security_profile": max(profile, station["security_profile"]),
    }
    if station["status"] == Status.HELD.value:
        changes["held_until"] = time_of(where) + HELD_FOR
    if fingerprint is not None:
        changes["certificate_fingerprint"] = fingerprint
    after: Station = {**station, **changes}
    if after != station:
        await update(where, station["_id"], changes)
    return after


async def page(
    where: Where, *, status: Status | None = None, after: str | None = None, limit: int = 100
) -> list[Station]:
    """Stations by id."""
    query: dict[str, object] = {} if status is None else {"status": status.value}
    if after is not None:
        query["folded_id"] = {"$gt": fold(after)}
    return await STATIONS.of(where).find(query, sort=[("folded_id", 1)], limit=limit)


async def changed(where: Where, station_id: str, changes: Station) -> Station | None:
    """The station with these facts of it set."""
    return await STATIONS.of(where).update_and_find({"_id": station_id}, {"$set": changes})


async def number(where: Where, status: Status) -> int:
    return await STATIONS.of(where).count({"status": status.value})


async def some(where: Where, station_ids: Iterable[str]) -> list[Station]:
    """Those of them that there are; ids compare ignoring case."""
    return await STATIONS.of(where).find({"folded_id": {"$in": [fold(one) for one in station_ids]}})


async def remove(tx: Tx, station_id: str) -> None:
    """Forget it (what it was charged with stays)."""
    await STATIONS.of(tx).delete_one({"folded_id": fold(station_id)})


def matches(station: Station | None, digests: tuple[str, ...]) -> bool:
    """Whether one of the hashes is its password's, in constant time."""
    kept = "0" * 64 if station is None else station.get("password_hash", "0" * 64)
    right = [hmac.compare_digest(kept, digest) for digest in digests]
    return station is not None and "password_hash" in station and any(right)


def _new(station_id: str, status: Status, now: datetime) -> Station:
    return {
        "_id": station_id,
        "folded_id": fold(station_id),
        "status": status.value,
        "evses": [],
        "security_profile": 0,
        "created": now,
    }
