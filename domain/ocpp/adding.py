"""The operator adds a station: its registration, which is its first EVSE's, and its password."""

from __future__ import annotations

from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.charge_points import registration_store
from domain.charge_points.registration_records import (
    REGISTERED,
    Application,
    Metadata,
    NotRegistered,
    Proof,
)
from domain.charge_points.registrations import register_in
from domain.ocpp import stations
from domain.ocpp.stations import Station, Status
from domain.secrets import new_token
from domain.sites import Party

NO_PLACE = "not said yet"
"""A place of that name is nowhere: the location is held back until there is one."""


class AlreadyAdded(Exception):
    """The station is ours already."""

    def __init__(self, station_id: str) -> None:
        super().__init__(f"{station_id} is added already; another password: ocpp-password")


async def add_station(
    tx: Tx,
    station_id: str,
    *,
    party: Party,
    location: str | None = None,
    metadata: Metadata | None = None,
    password_hash: str | None,
    one_evse: bool = False,
) -> Station:
    """Register it and let it come in. One that waits keeps its password with `password_hash` None;
    one that was deregistered starts anew. Raises AlreadyAdded."""
    known = await stations.get(tx, station_id)
    record = await registration_store.get(tx, station_id)
    registered = record is not None and record["status"] == REGISTERED
    if known is not None and known["status"] == Status.APPROVED.value:
        if registered:
            raise AlreadyAdded(known["_id"])
        await stations.remove(tx, station_id)
    key = record["_id"] if record is not None else known["_id"] if known is not None else station_id
    if record is None or not registered or location or metadata or not record.get("station"):
        place = location or (record["location"] if record is not None else NO_PLACE)
        await register_in(
            tx,
            Application(cp_id=key, location=place, metadata=metadata, station=key),
            proof=Proof(admin=True),
            open_to_new=True,
            credentials_hash=new_token() if record is None else record["credentials_hash"],
            party=party,
        )
    if known is not None and known["_id"] != key:
        await stations.remove(tx, station_id)
    station = await stations.add(tx, key, password_hash=password_hash, one_evse=one_evse)
    await audit.record(tx, "charge_points.add", audit.charge_point(key), after={"speaks": "OCPP"})
    return station


async def set_password(tx: Tx, station_id: str, password_hash: str) -> Station:
    """Another password from now on; the one before is good no more. Raises NotRegistered."""
    station = await stations.get(tx, station_id)
    if station is None or station["status"] != Status.APPROVED.value:
        raise NotRegistered
    await stations.update(tx, station["_id"], {"password_hash": password_hash})
    await audit.record(tx, "charge_points.ocpp_password", audit.charge_point(station["_id"]))
    return station
