"""A reservation that we do not keep: its eMSP is told (mod_commands, Flow)."""

from __future__ import annotations

from datetime import timedelta

from db_interface.transaction import Tx
from domain.commands import command_queue
from domain.commands.command_intake import GRACE_S, result_body
from domain.commands.command_queue import Command
from domain.reservations.reservations import Reservation

CPO_CANCELED = "RESERVATION_CANCELED"


async def tell_canceled(tx: Tx, held: Reservation) -> None:
    """We cannot, or do not, keep it: the eMSP is told at the URL of its RESERVE_NOW ("if the CPO
    cancels the reservation", mod_commands, Flow). One of our own people's goes without a word."""
    if "answer_to" not in held or held["peer_id"] is None:
        return
    until = tx.now + timedelta(seconds=GRACE_S)
    also: Command = {
        "result": result_body("CANCELED_RESERVATION"),
        "delivery": {**held["answer_to"], "until": until},
        "peer_id": held["peer_id"],
    }
    await command_queue.add(tx, CPO_CANCELED, cp_id=None, deadline=until, also=also)
