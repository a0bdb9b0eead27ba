"""One command's way: from the peer's request over Central and the charge point to the result that
the peer was told, and to the session and CDR that came of it. In the order of time."""

from __future__ import annotations

from datetime import datetime, timezone

from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import OwnedDocument, OwnedObjects
from domain.commands.command_queue import COMMANDS, Command
from domain.exchanges.exchange import EXCHANGES, Direction, Exchange
from domain.exchanges.search_keys import folded
from domain.operator.commands import one, said_of
from domain.sessions.session_records import SESSIONS

MAX_EXCHANGES = 50
_SUMMARY = dict.fromkeys(
    ("at", "direction", "method", "url", "status", "ocpi_status", "peer_id", "took_ms", "error"), 1
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


async def way_of(db: Database, command_id: str) -> JsonObject | None:
    """{command, session_id, cdrs, steps}; None: there is no such command. Steps are {at, what,
    detail} and, of an exchange with the peer, its id."""
    document = await COMMANDS.of(db).find_one({"_id": command_id})
    shown = await one(db, command_id)
    if document is None or shown is None:
        return None
    steps = [*_of_command(document, shown), *map(_of_exchange, await _exchanges(db, document))]
    session_id = document.get("session_id")
    cdrs: list[OwnedDocument] = []
    if session_id:
        steps += await _of_session(db, session_id)
        cdrs = await OwnedObjects(db, "cdrs").documents(
            {"links.session": session_id.lower()}, fields={"_id": 1}
        )
    correlation = (document.get("delivery") or {}).get("correlation_id")
    return {
        "command": shown,
        "correlation_id": correlation,
        "session_id": session_id,
        "cdrs": [cdr["_id"] for cdr in cdrs],
        "steps": sorted(steps, key=lambda step: step["at"] or _EPOCH),
    }


async def _exchanges(db: Database, command: Command) -> list[Exchange]:
    """Those that bear the command's id, or the correlation id of the request."""
    ids = [command["_id"], (command.get("delivery") or {}).get("correlation_id")]
    return await EXCHANGES.of(db).find(
        {"keys": {"$in": [folded(id_) for id_ in ids if id_]}},
        _SUMMARY,
        sort=[("_id", -1)],
        limit=MAX_EXCHANGES,
    )


def _step(at: datetime | None, what: str, detail: str = "", **more: object) -> JsonObject:
    return {"at": at, "what": what, "detail": detail, **more}


def _of_exchange(exchange: Exchange) -> JsonObject:
    asked = exchange["direction"] == Direction.IN.value
    what = "the peer asked us" if asked else "we told the peer"
    status = exchange["status"]
    answer = f"HTTP {status}" if status else exchange.get("error") or "no answer"
    said = f"{exchange['method']} {exchange['url']}: {answer}"
    if exchange.get("ocpi_status"):
        said += f", OCPI {exchange['ocpi_status']}"
    detail = f"{said} ({exchange['took_ms']} ms)"
    return _step(exchange["at"], what, detail, exchange_id=exchange["_id"])


def _of_command(command: Command, shown: JsonMapping) -> list[JsonObject]:
    place = f"charge point {command['cp_id']}" if command["cp_id"] else "no charge point"
    steps = [_step(command["created"], "kept by Central", f"{command['kind']} for {place}")]
    if "sent_at" in command:
        attempts = f"attempts: {command['attempts']}"
        steps.append(_step(command["sent_at"], "asked of the charge point", attempts))
    if "answered_at" in command:
        steps.append(_step(command["answered_at"], "decided", said_of(shown)))
    elif "result" in command and "expired_at" not in command:
        steps.append(_step(command["created"], "decided at once", said_of(shown)))
    if "expired_at" in command:
        steps.append(_step(command["expired_at"], "no answer in time", said_of(shown)))
    if "finished_at" in command:
        problem = (command.get("delivery") or {}).get("error", "")
        steps.append(_step(command["finished_at"], f"final: {command['state']}", problem))
    return steps


async def _of_session(db: Database, session_id: str) -> list[JsonObject]:
    wanted = dict.fromkeys(("started", "ended", "energy_wh", "end_reason", "status"), 1)
    session = await SESSIONS.of(db).find_one({"_id": session_id}, wanted)
    if session is None:
        return []
    steps = []
    if session.get("started"):
        steps.append(_step(session["started"], "the session began", session_id))
    if session.get("ended"):
        kwh = (session.get("energy_wh") or 0.0) / 1000
        steps.append(_step(session["ended"], "the session ended", f"{kwh:.3f} kWh"))
    return steps
