"""The collection `ocpp_certificates`: certificates that our CA has signed for stations.

Each is brought to its station once it is connected, again until it says that it has it, or that it
will not. Only what is public is here: a station's key never leaves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import TypedDict

from db_interface.backoff import Backoff
from db_interface.collection import Collection, Where, time_of
from db_interface.owned_objects import fold
from db_interface.transaction import Tx
from domain.ocpp.stations import STATIONS

AGAIN = Backoff(first_s=5.0, max_s=600.0)
MAX_ATTEMPTS = 20
MAX_A_DAY = 5
"""Of a station: one that asks more often has something wrong with it."""
_KEPT_AFTER = timedelta(days=30)


class State(str, Enum):
    ISSUED = "ISSUED"
    DELIVERED = "DELIVERED"
    REFUSED = "REFUSED"
    GIVEN_UP = "GIVEN_UP"


class StationCertificate(TypedDict, total=False):
    """A document of `ocpp_certificates`."""

    _id: str
    """SHA-256 of the certificate"""
    station: str
    kind: str | None
    """2.x: ChargingStationCertificate, as the station said it"""
    request_id: int | None
    """2.1"""
    chain: str
    serial: str
    common_name: str
    ends: datetime
    issued: datetime
    state: str
    attempts: int
    due: datetime
    """when it is brought to the station next"""
    said: str
    """the station's last word on it"""
    forget: datetime


CERTIFICATES: Collection[StationCertificate] = Collection("ocpp_certificates")


async def keep(tx: Tx, certificate: StationCertificate) -> None:
    """A new one, for its station; one that waits yet is brought no more."""
    await CERTIFICATES.of(tx).update_many(
        {"station": certificate["station"], "state": State.ISSUED.value},
        {"$set": {"state": State.GIVEN_UP.value, "said": "another one was asked for"}},
    )
    await CERTIFICATES.of(tx).insert_one(
        {
            **certificate,
            "issued": tx.now,
            "state": State.ISSUED.value,
            "attempts": 0,
            "due": tx.now,
            "forget": certificate["ends"] + _KEPT_AFTER,
        }
    )


async def lately(where: Where, station: str) -> int:
    """How many the station has had within a day."""
    since = time_of(where) - timedelta(days=1)
    return await CERTIFICATES.of(where).count(
        {"station": station, "issued": {"$gt": since}}, limit=MAX_A_DAY
    )


async def issued(where: Where, station_ids: Sequence[str]) -> list[StationCertificate]:
    """Those that are to be brought to these stations: at most one to each."""
    return await CERTIFICATES.of(where).find(
        {"station": {"$in": list(station_ids)}, "state": State.ISSUED.value}
    )


async def brought(tx: Tx, certificate: StationCertificate, *, taken: bool, said: str) -> None:
    """The station has answered."""
    state = State.DELIVERED if taken else State.REFUSED
    await _set(tx, certificate, {"state": state.value, "said": said[:200]})


async def not_brought(tx: Tx, certificate: StationCertificate, why: str) -> None:
    """Again later, for so often."""
    attempts = certificate["attempts"] + 1
    changes: StationCertificate = {
        "attempts": attempts,
        "due": tx.now + timedelta(seconds=AGAIN.after(attempts)),
        "said": why[:200],
    }
    if attempts >= MAX_ATTEMPTS:
        changes["state"] = State.GIVEN_UP.value
    await _set(tx, certificate, changes)


async def latest(where: Where, station: str, limit: int) -> list[StationCertificate]:
    return await CERTIFICATES.of(where).find(
        {"station": station}, sort=[("issued", -1)], limit=limit
    )


async def is_anothers(where: Where, station: str, name: str) -> bool:
    """Whether another station has that name, as its id or its serial number."""
    others = {"_id": {"$ne": station}, "$or": [{"folded_id": fold(name)}, {"serial": name}]}
    return await STATIONS.of(where).count(others, limit=1) > 0


def shown(certificate: StationCertificate) -> dict[str, object]:
    """As an operator sees it."""
    names = ("serial", "common_name", "issued", "ends", "state", "attempts", "said")
    return {"fingerprint": certificate["_id"], **{name: certificate.get(name) for name in names}}


async def _set(tx: Tx, certificate: StationCertificate, changes: StationCertificate) -> None:
    await CERTIFICATES.of(tx).update_one(
        {"_id": certificate["_id"], "state": State.ISSUED.value}, {"$set": changes}
    )
