"""What silence makes of a session: suspect, and only after days closed, as an estimate.

A suspect session lets go of its connector, so that another can start there; peers keep its
Session as it was. Its charge point's word ends the doubt whenever it comes (charging_sessions).
The table: session_states.CERTAINTY.
"""

from __future__ import annotations

import logging

from db_interface.transaction import Tx
from domain.sessions.charging_sessions import finish, reservation_goes_on
from domain.sessions.session_document import ChargingSession
from domain.sessions.session_records import get, let_go
from domain.sessions.session_rules import Rules
from domain.sessions.session_states import CERTAINTY, FINAL, Certainty, Closed, Sign, Status

logger = logging.getLogger("cpo.sessions")


def certainty_of(document: ChargingSession) -> Certainty:
    if document.get("suspect") is not None:
        return Certainty.SUSPECT
    return Certainty.ESTIMATED if document.get("estimated") else Certainty.HEARD


async def fell_silent(tx: Tx, session_id: str, why: str) -> bool:
    """Nobody can say how the session goes on; whether that is new."""
    document = await get(tx, session_id)
    if document is None or not document["running"]:
        return False
    await let_go(tx, document, {"since": tx.now, "why": why})
    tx.say(logger.warning, "session %s is suspect: %s", session_id, why)
    return True


async def give_up(tx: Tx, session_id: str, rules: Rules) -> bool:
    """Close a suspect session of which nothing was heard for days on what was measured; whether
    it was one. What never began is INVALID; a start on a reservation leaves the reservation."""
    document = await get(tx, session_id)
    if document is None or Status(document["status"]) in FINAL:
        return False
    if Sign.GIVEN_UP not in CERTAINTY[certainty_of(document)]:
        return False
    if document["status"] == Status.RESERVATION:
        await reservation_goes_on(tx, document, rules)
        return True
    began = document["started"] is not None
    suspect = document.get("suspect")
    why = "nothing was heard of it" if suspect is None else suspect["why"]
    ended = document["last_at"] if began else max(tx.now, document["created"])
    await finish(tx, document, {}, ended, why, Closed.ESTIMATE, rules)
    return True
