"""Which charge point an EVSE of a station is, and which connector of it is meant.

Here a charge point is one EVSE with its connectors, one of which charges at a time. A station's
first EVSE is the charge point of the station's own id, EVSE n the charge point `ID-n`: registered
when it is first heard of, at the same place, with the same party and metadata.

OCPP 1.6 counts connectors through the station: each is an EVSE of its own with the connector "1",
unless the operator has said that they are connectors of one EVSE (`one_evse`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from db_interface.transaction import Tx
from domain.charge_points import registration_store
from domain.charge_points.registration_records import (
    Application,
    Metadata,
    NamedParty,
    Proof,
    Record,
)
from domain.charge_points.registrations import register_in
from domain.ocpp import stations
from domain.ocpp.stations import Station, StationConnector, StationEvse
from domain.secrets import new_token
from domain.sites import Party

logger = logging.getLogger("cpo.ocpp")

MAX_EVSES = 32
MAX_CONNECTORS = 16
"""Of an EVSE. What lies beyond is no box that there is."""
_OF_ONE_EVSE = ("evse", "evse_id", "connectors", "physical_reference", "parking")
"""Metadata that are of the first EVSE alone."""


@dataclass(frozen=True)
class Seat:
    cp_id: str
    connector_id: str
    evse: int
    is_new: bool = False
    """The station's document has it since just now."""


def counted(station: Station, protocol: str, evse: int, connector: int) -> tuple[int, int] | None:
    """(EVSE, connector of it), of what a message names; None: the whole station."""
    if protocol != "ocpp1.6":
        return None if evse == 0 else (evse, connector or 1)
    number = connector or evse
    if number == 0:
        return None
    return (1, number) if station.get("one_evse") else (number, 1)


def known_seat(station: Station, protocol: str, evse: int, connector: int) -> Seat | None:
    """The seat, where the station has reported it before."""
    place = counted(station, protocol, evse, connector)
    if place is None:
        return None
    for one in station["evses"]:
        if one["evse"] == place[0]:
            for known in one["connectors"]:
                if known["number"] == place[1]:
                    return Seat(one["cp_id"], known["id"], place[0])
    return None


async def seat_of(
    tx: Tx, station_id: str, protocol: str, evse: int, connector: int, party: Party
) -> Seat | None:
    """The seat; one that is new is made. None: the whole station, or more than a box has."""
    station = await stations.get(tx, station_id)
    if station is None:
        return None
    found = known_seat(station, protocol, evse, connector)
    if found is not None:
        return found
    place = counted(station, protocol, evse, connector)
    if place is None or not (1 <= place[0] <= MAX_EVSES and 1 <= place[1] <= MAX_CONNECTORS):
        return None
    return await _make(tx, station, place, party)


async def _make(tx: Tx, station: Station, place: tuple[int, int], party: Party) -> Seat | None:
    number, connector = place
    evses = {one["evse"]: one for one in station["evses"]}
    if number not in evses:
        evse = await _new_evse(tx, station, number, party)
        if evse is None:
            return None
        evses[number] = evse
    evse = evses[number]
    new: StationConnector = {"id": str(connector), "number": connector}
    evse["connectors"] = sorted([*evse["connectors"], new], key=lambda one: one["number"])
    ordered = [evses[key] for key in sorted(evses)]
    await stations.update(tx, station["_id"], {"evses": ordered})
    return Seat(evse["cp_id"], new["id"], number, is_new=True)


async def _new_evse(tx: Tx, station: Station, number: int, party: Party) -> StationEvse | None:
    """None: its id is another charge point's."""
    if number == 1:
        return {"evse": 1, "cp_id": station["_id"], "connectors": []}
    cp_id = f"{station['_id']}-{number}"
    first = await registration_store.get(tx, station["_id"])
    there = await registration_store.get(tx, cp_id)
    if there is not None and there.get("station") != station["_id"]:
        tx.say(
            logger.error, "EVSE %d of %s: %s is another charge point", number, station["_id"], cp_id
        )
        return None
    if first is not None:
        await _register(tx, cp_id, station["_id"], first, party)
    return {"evse": number, "cp_id": cp_id, "connectors": []}


async def _register(tx: Tx, cp_id: str, station_id: str, first: Record, party: Party) -> None:
    """It has credentials that nobody knows: it comes in as its station alone."""
    metadata: Metadata = {
        **{name: value for name, value in first["metadata"].items() if name not in _OF_ONE_EVSE},
        "site_id": first["metadata"].get("site_id") or first["_id"],
    }
    await register_in(
        tx,
        Application(
            cp_id=cp_id,
            location=first["location"],
            metadata=metadata,
            party=NamedParty(first.get("party")),
            station=station_id,
        ),
        proof=Proof(admin=True),
        open_to_new=True,
        credentials_hash=new_token(),
        party=party,
    )
