"""A station has started: what it is, is kept, and it is told the time and how often to call.

One that nobody has added is told to wait, and asks again.
"""

from __future__ import annotations

from cpo_app.ocpp.handlers import Incoming
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.ocpp import stations
from domain.ocpp.stations import Station, Status
from domain.times import format_datetime

ASKED_AGAIN_S = 30
"""How often a station that waits to be added asks whether it is."""


async def booted(incoming: Incoming, facts: Station) -> JsonObject:
    """The answer to a BootNotification, which is the same in all versions."""

    async def work(tx: Tx) -> Station | None:
        return await stations.changed(
            tx, incoming.connection.station_id, {**facts, "booted_at": incoming.received_at}
        )

    station = await incoming.transact(work)
    if station is not None:
        incoming.connection.station = station
    incoming.connection.boots += 1
    waits = station is None or station["status"] == Status.HELD.value
    return {
        "status": "Pending" if waits else "Accepted",
        "currentTime": format_datetime(incoming.received_at),
        "interval": ASKED_AGAIN_S if waits else incoming.settings.CPO_OCPP_HEARTBEAT_S,
    }


async def heartbeat(incoming: Incoming, _payload: JsonObject) -> JsonObject:
    """The time, by which charge points set their clocks. That it lives is known by now."""
    return {"currentTime": format_datetime(incoming.received_at)}
