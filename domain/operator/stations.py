"""Stations, the boxes that speak OCPP, as an operator sees them: what each is, whether it is here,
how it is configured.

Never a hash of a password, and no secret of its configuration.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from db_interface.database import Database
from db_interface.json_data import JsonObject
from domain.ocpp import (
    certificates,
    configurations,
    connections,
    local_lists,
    quirks,
    stations,
    transfers,
)
from domain.ocpp.connections import Connection
from domain.ocpp.stations import STATIONS, Station, Status
from domain.operator import station_transactions

TRANSFERS_SHOWN = 20
TRANSACTIONS_SHOWN = 10
CERTIFICATES_SHOWN = 5
_SHOWN = (
    "status",
    "protocol",
    "security_profile",
    "vendor",
    "model",
    "serial",
    "firmware",
    "booted_at",
    "boot_reason",
    "last_message_at",
    "one_evse",
    "rate_units",
    "max_periods",
)


async def with_connections(db: Database, found: list[Station]) -> list[JsonObject]:
    """Each with whether it is here."""
    here = await connections.some(db, [one["_id"] for one in found])
    return [_row(one, here.get(one["_id"])) for one in found]


async def counts(db: Database) -> dict[str, int]:
    """How many are connected, are not, and wait to be added."""
    approved, held, living = await asyncio.gather(
        stations.number(db, Status.APPROVED),
        stations.number(db, Status.HELD),
        connections.gateways(db),
    )
    # Of those that are held some may be here, too.
    here = min(approved, sum(one.get("connections", 0) for one in living))
    return {"connected": here, "not connected": approved - here, "held": held}


async def of_charge_points(db: Database, cp_ids: Sequence[str]) -> dict[str, JsonObject]:
    """Of those charge points that are EVSEs of a station: a line about it, by cp_id."""
    found = await STATIONS.of(db).find({"evses.cp_id": {"$in": list(cp_ids)}})
    wanted = set(cp_ids)
    return {
        evse["cp_id"]: {
            "protocol": one.get("protocol"),
            "firmware": one.get("firmware"),
            "last_message": one.get("last_message_at"),
        }
        for one in found
        for evse in one["evses"]
        if evse["cp_id"] in wanted
    }


async def of_charge_point(db: Database, cp_id: str) -> JsonObject | None:
    """All that is shown of the charge point's station; None: it speaks no OCPP."""
    seat = await stations.of_charge_point(db, cp_id)
    if seat is None:
        return None
    station, evse = seat
    here, configuration, cards, moved, charged, signed = await asyncio.gather(
        connections.some(db, [station["_id"]]),
        configurations.get(db, station["_id"]),
        local_lists.of_station(db, station["_id"]),
        transfers.latest(db, station["_id"], TRANSFERS_SHOWN),
        station_transactions.of_station(db, station["_id"], TRANSACTIONS_SHOWN),
        certificates.latest(db, station["_id"], CERTIFICATES_SHOWN),
    )
    kept = configuration or {}
    return {
        **_row(station, here.get(station["_id"])),
        "evse": evse,
        "configuration": kept.get("entries", []),
        "configuration_read_at": kept.get("read_at"),
        "templates": kept.get("templates", []),
        "held_at": kept.get("held_at"),
        "drift": kept.get("drift", []),
        "transactions": charged,
        "local_list": None if cards is None else {k: v for k, v in cards.items() if k != "_id"},
        "transfers": [transfers.shown(one) for one in moved],
        "certificates": [certificates.shown(one) for one in signed],
    }


def _row(station: Station, here: Connection | None) -> JsonObject:
    since: datetime | None = None if here is None else here["since"]
    return {
        "id": station["_id"],
        "charge_points": [one["cp_id"] for one in station["evses"]],
        **{name: station.get(name) for name in _SHOWN},
        "quirks": quirks.in_force(station),
        "connected": here is not None,
        "connected_since": since,
        "address": None if here is None else here["address"],
    }
