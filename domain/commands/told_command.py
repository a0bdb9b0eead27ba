"""What others are told of a command: whose, at what, how far, and how it ended. Pure.

Neither its content (a card's token is in it) nor the name of the person of ours who asked. That a
peer has taken the result is between it and us.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from db_interface.json_data import JsonMapping
from domain.commands.command_queue import Command
from domain.commands.command_states import OPEN
from domain.times import format_datetime

ENDED = "ENDED"


class ToldCommand(TypedDict):
    """`status`: RECEIVED, SENT (the charge point was asked), ENDED. `asked_by`: the peer's id, or
    None: the operator. `result`: as whoever asked was, or will be, told."""

    command_id: str
    kind: str
    status: str
    charge_point_id: str | None
    session_id: str | None
    asked_by: str | None
    created: str
    deadline: str
    sent_at: str | None
    ended_at: str | None
    timed_out: bool
    result: JsonMapping | None


def told_command(command: Command) -> ToldCommand:
    is_open = command["state"] in OPEN
    return {
        "command_id": command["_id"],
        "kind": command["kind"],
        "status": command["state"] if is_open else ENDED,
        "charge_point_id": command["cp_id"],
        "session_id": command.get("session_id"),
        "asked_by": command.get("peer_id"),
        "created": format_datetime(command["created"]),
        "deadline": format_datetime(command["deadline"]),
        "sent_at": _said(command.get("sent_at")),
        "ended_at": None if is_open else _said(ended_at(command)),
        "timed_out": "expired_at" in command,
        "result": None if is_open else command.get("result"),
    }


def ended_at(command: Command) -> datetime:
    """One that was only to be delivered had ended when it was made."""
    return command.get("answered_at") or command.get("expired_at") or command["created"]


def state_since(command: Command) -> datetime:
    """When it came to what is told of it."""
    if command["state"] not in OPEN:
        return ended_at(command)
    return command.get("sent_at") or command["created"]


def _said(at: datetime | None) -> str | None:
    return None if at is None else format_datetime(at)
