"""The end of a transaction: what it comes to is billed, or held and shown, and never lost."""

from __future__ import annotations

from datetime import datetime

from cpo_app.ocpp.charging.station_clock import Times
from cpo_app.ocpp.handlers import Incoming
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.charge_points import dead_letters
from domain.ocpp.energy_counter import contradiction, energy_wh, steady_register_wh
from domain.ocpp.signed_values import signed_data
from domain.ocpp.transactions import Transaction
from domain.sessions.session_holds import hold
from domain.sessions.session_registers import note_register_end

CLOCK_WAS_WRONG = "its charge point's clock was found wrong after it had begun"


async def prepare(tx: Tx, incoming: Incoming, transaction: Transaction, clock: Times) -> None:
    """Before Central hears of the end: what cannot be told is not billed."""
    why = contradiction(transaction["counter"])
    begun = transaction.get("begun_told_at")
    if begun is not None and clock.is_otherwise_than(begun, transaction["begun_at"]):
        why = why or CLOCK_WAS_WRONG
    if why is not None:
        await hold(tx, transaction["session_id"], why, incoming.central.rules)


def ended_message(transaction: Transaction, at: datetime, reason: str) -> JsonObject:
    """As telemetry has it."""
    counter = transaction["counter"]
    return {
        "kind": "session_stopped",
        "session_id": transaction["session_id"],
        "connector_id": transaction["session_connector"],
        "at": at,
        "register_wh": steady_register_wh(counter),
        "energy_wh": energy_wh(counter),
        "reason": reason,
        "signed_data": signed_data(transaction.get("signed", [])),
    }


async def conclude(tx: Tx, transaction: Transaction) -> None:
    """After Central has heard of the end: the register as it really stood, for the next session
    begins there."""
    counter = transaction["counter"]
    if counter["register_wh"] is not None and counter["restarts"]:
        await note_register_end(
            tx, transaction["session_id"], counter["register_wh"], energy_wh(counter)
        )


async def keep_lost(tx: Tx, cp_id: str, message: JsonObject, why: str) -> dead_letters.DeadLetter:
    """An end that no session can be ended with: it stays until somebody has dealt with it."""
    numbered = {**message, "seq": 1}
    batch = message["session_id"]
    kept = dead_letters.letter(tx, cp_id, batch, numbered, why, refused=False)
    kept["refused_wh"] = message["energy_wh"]
    await dead_letters.keep(tx, [kept])
    return kept
