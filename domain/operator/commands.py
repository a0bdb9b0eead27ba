"""Commands as an operator sees them: of peers and of our own people, and how each has ended.

`said` of each: "ACCEPTED", "REJECTED: ...", "under way".
"""

from __future__ import annotations

from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from domain.commands.command_queue import COMMANDS, Command
from domain.commands.command_states import OPEN
from domain.paging import newest

_NAMES = (
    *("_id", "kind", "state", "cp_id", "peer_id", "by", "session_id", "created", "deadline"),
    *("attempts", "sent_at", "answered_at", "expired_at", "result", "finished_at"),
)
SHOWN = dict.fromkeys(_NAMES, 1)


async def page(
    db: Database,
    *,
    limit: int,
    cp_id: str | None = None,
    query: JsonMapping | None = None,
    cursor: str | None = None,
) -> tuple[list[JsonObject], str | None]:
    """The latest first, and the cursor of those behind them. Raises BadCursor."""
    wanted: JsonObject = {**(query or {}), **({} if cp_id is None else {"cp_id": cp_id})}
    rows, following = await newest(
        COMMANDS.of(db),
        wanted,
        by="created",
        limit=limit,
        cursor=cursor,
        fields=SHOWN,
    )
    return [row_of(row) for row in rows], following


async def one(db: Database, command_id: str) -> JsonObject | None:
    found = await COMMANDS.of(db).find_one({"_id": command_id}, SHOWN)
    return None if found is None else row_of(found)


def is_open(command: JsonMapping) -> bool:
    """Whether the charge point is still to answer."""
    return command["state"] in OPEN


def said_of(command: JsonMapping) -> str:
    """ "ACCEPTED", "REJECTED: The EVSE is reserved", "under way"."""
    result = command.get("result")
    if is_open(command) or not result:
        return "under way"
    texts = [text["text"] for text in result.get("message") or ()]
    return ": ".join([str(result.get("result", "done")), *texts])


def row_of(command: Command) -> JsonObject:
    row = {name: value for name, value in dict(command).items() if name != "_id"}
    return {"id": command["_id"], **row, "said": said_of(row)}
