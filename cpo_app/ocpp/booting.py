"""A station has started: what it is, is kept, and it is told the time and how often to call.

One that nobody has added is told to wait, and asks again.
"""

from __future__ import annotations

from cpo_app.ocpp.handlers import Incoming, NotHeld
from db_interface.json_data import JsonObject
from domain.ocpp import connections, quirks, stations
from domain.ocpp.stations import Station, Status
from domain.times import format_datetime

ASKED_AGAIN_S = 30
"""How often a station that waits to be added asks whether it is."""


async def booted(incoming: Incoming, facts: Station) -> JsonObject:
    """The answer to a BootNotification, which is the same in all versions."""

    # One document, and nothing that hangs on it: no transaction, for thousands may boot at once.
    db, connection = incoming.store.db, incoming.connection
    async with incoming.room:
        if not await connections.is_at(db, connection.station_id, connection.id):
            raise NotHeld(connection.station_id)
        booted_now: Station = {**facts, "booted_at": incoming.received_at}
        station = await stations.changed(db, connection.station_id, booted_now)
    if station is not None:
        # What is known of its make may be known from now on.
        connection.outdated = quirks.in_force(station) != quirks.in_force(connection.station)
        connection.station = station
    connection.boots += 1
    waits = station is None or station["status"] != Status.APPROVED.value
    return {
        "status": "Pending" if waits else "Accepted",
        "currentTime": format_datetime(incoming.received_at),
        "interval": ASKED_AGAIN_S if waits else incoming.settings.CPO_OCPP_HEARTBEAT_S,
    }


async def heartbeat(incoming: Incoming, _payload: JsonObject) -> JsonObject:
    """The time, by which charge points set their clocks. That it lives is known by now."""
    return {"currentTime": format_datetime(incoming.received_at)}
