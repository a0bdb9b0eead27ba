"""The list of commands, of peers and our own; kept for 30 days."""

from __future__ import annotations

from db_interface.database import Database
from db_interface.json_data import JsonObject
from domain.commands.command_queue import COMMANDS, Command
from domain.commands.command_states import State
from domain.listing.filters import between, choice, period, text
from domain.listing.listing import Listing, Question, Stored
from domain.operator.commands import SHOWN, row_of
from domain.paging import newest_by, oldest_by


async def question(db: Database, values: JsonObject) -> Question:
    query: JsonObject = {}
    if "charge_point" in values:
        query["cp_id"] = values["charge_point"]
    if "state" in values:
        query["state"] = values["state"]
    if "session" in values:
        query["session_id"] = values["session"]
    created = between(values)
    return Question(query if created is None else {**query, "created": created})


async def rows(db: Database, documents: list[Command]) -> list[JsonObject]:
    return [row_of(document) for document in documents]


LIST: Listing[Command] = Listing(
    name="commands",
    source=Stored(COMMANDS.of, question, SHOWN),
    rows=rows,
    filters=(
        text("charge_point", "Charge point", "For this charge point.", narrow=True),
        choice("state", "State", "In this state.", [one.value for one in State]),
        text("session", "Session", "About this session.", narrow=True),
        *period("Given"),
    ),
    orders=(newest_by("created"), oldest_by("created")),
    columns={
        "command_id": "id",
        "kind": "kind",
        "state": "state",
        "charge_point": "cp_id",
        "peer": "peer_id",
        "by": "by.name",
        "session_id": "session_id",
        "given": "created",
        "sent": "sent_at",
        "answered": "answered_at",
        "finished": "finished_at",
        "result": "said",
    },
)
