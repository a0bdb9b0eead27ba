"""OCPP 2.0.1 and 2.1 ReservationStatusUpdate: a station holds a reservation no longer (H04).

Its own word ends it here as well. One that has expired by its station's clock, and not yet by ours,
ends in a moment by itself; what is long before its time is a reservation that we cannot keep.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from cpo_app.ocpp.handlers import Handler, Incoming
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.transaction import Tx
from domain.ocpp import ids
from domain.reservations import reservations
from domain.reservations.cancelling import tell_canceled
from domain.reservations.reservation_sessions import ReservationSessions
from domain.reservations.reservations import Reservation, Status

EXPIRED = "Expired"
CLOCKS_DIFFER = timedelta(minutes=2)


async def _reservation_status(incoming: Incoming, payload: JsonObject) -> JsonObject:
    await incoming.transact(partial(_take, incoming=incoming, payload=payload))
    return {}


async def _take(tx: Tx, incoming: Incoming, payload: JsonMapping) -> None:
    held = await _of_number(tx, incoming, payload["reservationId"])
    if held is None:
        return
    party = incoming.central.party
    billing = ReservationSessions(incoming.central.rules)
    left = held["expiry_date"] - tx.now
    if payload["reservationUpdateStatus"] == EXPIRED and left < CLOCKS_DIFFER:
        # Before its time nothing happens: the sweep ends it.
        await reservations.end(tx, party, held["_id"], held["cp_id"], Status.EXPIRED, billing)
        return
    ended = await reservations.end(tx, party, held["_id"], held["cp_id"], Status.CANCELED, billing)
    if ended:
        await tell_canceled(tx, held)


async def _of_number(tx: Tx, incoming: Incoming, number: int) -> Reservation | None:
    """The one that holds an EVSE of the station under that number."""
    cp_ids = [one["cp_id"] for one in incoming.connection.station["evses"]]
    for held in await reservations.active_at(tx, cp_ids):
        if ids.reservation_number(held["_id"]) == number:
            return held
    return None


HANDLERS: Mapping[str, Handler] = {"ReservationStatusUpdate": _reservation_status}
