"""A free connector that is told to be free once more: nothing is written for that.

Each station tells the state of each connector whenever it comes back; thousands may come at once,
after a gateway has started again. Only the free one is looked at without a transaction: whatever
else is told may have to do with a session or a reservation.
"""

from __future__ import annotations

from cpo_app.ocpp.handlers import Incoming
from domain.charge_points import charge_points
from domain.charge_points.evse_states import ConnectorState
from domain.ocpp import transactions
from domain.ocpp.seats import known_seat
from domain.ocpp.status_mapping import Told


async def is_no_news(
    incoming: Incoming, evse: int, connector: int, told: Told, error_code: str | None
) -> bool:
    """Whether Central has it just so, and nobody charges there."""
    held = incoming.connection
    if told.state is not ConnectorState.AVAILABLE or error_code is not None:
        return False
    seat = known_seat(held.station, held.protocol, evse, connector)
    if seat is None:
        return False
    db = incoming.store.db
    charge_point = await charge_points.get(db, seat.cp_id)
    if charge_point is None or charge_point["session_id"] is not None:
        return False
    connectors = {one["id"]: one for one in charge_point["connectors"]}
    known = connectors.get(seat.connector_id)
    if known is None or (known["state"], known["ev_state"]) != (told.state.value, told.ev_state):
        return False
    if known["error_code"] is not None or known["session_id"] is not None:
        return False
    return await transactions.running_at(db, seat.cp_id, seat.connector_id) is None
