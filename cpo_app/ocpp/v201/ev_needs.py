"""OCPP 2.0.1 and 2.1, K15 to K17: what an EV says of how it wants to be charged (ISO 15118).

Its wish makes no schedule here: who makes them are the driver's preferences and the peers' charging
profiles. Where one of these stands for the session, the EV is given that one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from cpo_app.ocpp.box import OCPP_21
from cpo_app.ocpp.handlers import Handler, Incoming
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.transaction import Tx
from domain.commands import command_queue
from domain.ocpp import transactions
from domain.sessions import session_records
from domain.sessions.charging_profiles import PUT_BACK

WITHIN = timedelta(minutes=1)
"""The EV waits for its schedule no longer."""
ACCEPTED, REJECTED, NO_PROFILE = "Accepted", "Rejected", "NoChargingProfile"


async def _charging_needs(incoming: Incoming, payload: JsonObject) -> JsonObject:
    stands = await incoming.transact(partial(_take, incoming=incoming, payload=payload))
    if stands is None:
        return {"status": REJECTED}
    if stands:
        return {"status": ACCEPTED}
    # 2.0.1 has no word for a station that may do as it likes.
    return {"status": NO_PROFILE if incoming.connection.protocol == OCPP_21 else REJECTED}


async def _take(tx: Tx, incoming: Incoming, payload: JsonMapping) -> bool | None:
    """Whether a schedule stands, which is on its way then; None: no session runs there."""
    seat = await incoming.seat(tx, payload["evseId"], 0)
    session = None if seat is None else await session_records.running_session(tx, seat.cp_id)
    if seat is None or session is None:
        return None
    known = await transactions.of_session(tx, session["_id"])
    if known is None or known["ended"]:
        return None
    if "profile" not in session and "plan" not in session:
        return False
    await command_queue.add(
        tx,
        PUT_BACK,
        cp_id=seat.cp_id,
        deadline=tx.now + WITHIN,
        also={"session_id": session["_id"]},
    )
    return True


async def _charging_schedule(_incoming: Incoming, _payload: JsonObject) -> JsonObject:
    """What the EV makes of it; that it keeps to the limits its station sees to."""
    return {"status": ACCEPTED}


HANDLERS: Mapping[str, Handler] = {
    "NotifyEVChargingNeeds": _charging_needs,
    "NotifyEVChargingSchedule": _charging_schedule,
}
