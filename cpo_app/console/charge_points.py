"""What the console shows of charge points: read from the store, bounded, through indexes.

Never reads a key, a hash, or where an engine listens: the projections leave them in the store.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import fold
from domain.charge_points.evse_states import EvseStatus, View

PAGE = 100
NEVER_SEEN_AMONG = 200
"""Those that were never seen are looked for among this many of the latest registrations."""
TROUBLE = (EvseStatus.OUTOFORDER, EvseStatus.UNKNOWN, EvseStatus.INOPERATIVE)
"""What an operator should look at, the worst first."""

_REGISTERED, _DEREGISTERED = "REGISTERED", "DEREGISTERED"
_SHOWN = dict.fromkeys(
    (
        "ocpi_status",
        "state",
        "operative",
        "operative_told",
        "presence",
        "last_seen",
        "status_updated",
        "heartbeat_interval_s",
        "heartbeat_due",
        "registered_at",
        "telemetry_at",
        "engine_state",
        "faults",
        "connectors",
        "session_id",
        "reservation_id",
    ),
    1,
)
_REGISTRATION = {"location": 1, "status": 1, "site_id": 1, "ocpi": 1}

Document = JsonMapping


async def counts(db: Database) -> dict[str, int]:
    """How many charge points are in which OCPI status; every registration counts once."""
    statuses = [status.value for status in EvseStatus]
    known, registered, deregistered = await asyncio.gather(
        asyncio.gather(*(_count(db, "charge_points", {"ocpi_status": s}) for s in statuses)),
        _count(db, "registrations", {"status": _REGISTERED}),
        _count(db, "registrations", {"status": _DEREGISTERED}),
    )
    found = dict(zip(statuses, known, strict=True))
    # EV_Central has no document of those that it never saw.
    seen = sum(n for status, n in found.items() if status != EvseStatus.REMOVED.value)
    found[EvseStatus.UNKNOWN.value] += max(0, registered - seen)
    found[EvseStatus.REMOVED.value] = deregistered
    return found


async def in_trouble(db: Database, limit: int) -> list[JsonObject]:
    """Rows of those out of order, silent or out of service; the latest change of each first."""
    rows: list[JsonObject] = []
    for status in TROUBLE:
        rows += await _in_status(db, status.value, limit - len(rows))
        if len(rows) >= limit:
            return rows
    return rows + await never_seen(db, limit - len(rows))


async def never_seen(db: Database, limit: int) -> list[JsonObject]:
    """Registered lately, and EV_Central has not heard of them yet."""
    stages: list[JsonObject] = [
        {"$match": {"status": _REGISTERED}},
        {"$sort": {"registered_seq": -1}},
        {"$limit": NEVER_SEEN_AMONG},
        {
            "$lookup": {
                "from": "charge_points",
                "localField": "_id",
                "foreignField": "_id",
                "pipeline": [{"$project": {"_id": 1}}],
                "as": "seen",
            }
        },
        {"$match": {"seen": []}},
        {"$limit": max(1, limit)},
        {"$project": {**_REGISTRATION, "registration_date": 1}},
    ]
    found = await db["registrations"].aggregate(stages).to_list(limit) if limit > 0 else []
    return [row_of(registration, None) for registration in found]


async def table(
    db: Database, *, status: str | None, search: str, after: str | None
) -> tuple[list[JsonObject], str | None]:
    """Rows for the table, and the `after` of the next page.

    `search` is the beginning of an id. With `status` the latest PAGE changes, without by id.
    """
    if status == EvseStatus.REMOVED.value:
        removed = db["registrations"].find({"status": _DEREGISTERED}, _REGISTRATION)
        found = await removed.sort("registered_seq", -1).limit(PAGE).to_list(PAGE)
        return await _with_states(db, found), None
    if status is not None:
        rows = await _in_status(db, status, PAGE)
        if status == EvseStatus.UNKNOWN.value:
            rows += await never_seen(db, PAGE - len(rows))
        return rows, None
    key = "_id"
    match: JsonObject = {} if after is None else {"_id": {"$gt": after}}
    if search:
        key = "folded_id"
        match = {key: {"$regex": f"^{re.escape(fold(search))}"}}
    registrations = db["registrations"].find(match, _REGISTRATION)
    found = await registrations.sort(key, 1).limit(PAGE + 1).to_list(PAGE + 1)
    rows = await _with_states(db, found[:PAGE])
    more = len(found) > PAGE and not search
    return rows, rows[-1]["id"] if more else None


async def one(db: Database, cp_id: str) -> JsonObject | None:
    """Everything that is shown of one charge point, by its id in any case; None: unknown."""
    wanted = {
        **_REGISTRATION,
        "metadata": 1,
        "registration_date": 1,
        "updated_at": 1,
        "last_authenticated": 1,
        "certificate_pem": 1,
        "history": {"$slice": -10},
    }
    registration = await db["registrations"].find_one({"folded_id": fold(cp_id)}, wanted)
    if registration is None:
        return None
    key = registration["_id"]
    charge_point = await db["charge_points"].find_one({"_id": key}, _SHOWN)
    return {
        **row_of(registration, charge_point),
        "registration": {
            **registration,
            "certificate": bool(registration.pop("certificate_pem", None)),
        },
        "charge_point": charge_point or {},
    }


async def history(db: Database, cp_id: str, limit: int) -> list[JsonObject]:
    """The latest changes of its status, the newest first: [{at, from, to, why}]."""
    found = db["evse_status_history"].find({"cp_id": cp_id}, {"_id": 0, "cp_id": 0})
    return await found.sort([("at", -1), ("n", -1)]).limit(limit).to_list(limit)


def timeline(changes: Sequence[Document], since: datetime, until: datetime) -> list[JsonObject]:
    """The statuses of [since, until) as pieces {status, begin, end, x, width} of a bar of 1000.

    `changes` newest first; before the oldest of them its `from` held.
    """
    pieces: list[JsonObject] = []
    end, length = until, (until - since).total_seconds()
    for change in changes:
        begin = max(change["at"], since)
        if begin < end:
            pieces.append({"status": change["to"], "begin": begin, "end": end})
            end = begin
        if change["at"] <= since:
            break
    else:
        before = changes[-1]["from"] if changes else None
        if before is not None and since < end:
            pieces.append({"status": before, "begin": since, "end": end})
    for piece in pieces:
        start_s = (piece["begin"] - since).total_seconds()
        width_s = (piece["end"] - piece["begin"]).total_seconds()
        piece["x"] = round(1000 * start_s / length, 2)
        piece["width"] = round(max(1000 * width_s / length, 1.5), 2)
    return pieces[::-1]


def row_of(registration: Document, charge_point: Document | None) -> JsonObject:
    """A charge point in a table."""
    facts = charge_point or {}
    removed = registration["status"] != _REGISTERED
    unseen = View.DEREGISTERED if removed else View.SILENT
    ocpi = registration.get("ocpi") or {}
    status = EvseStatus.REMOVED.value if removed else facts.get("ocpi_status")
    return {
        "id": registration["_id"],
        "place": registration.get("location"),
        "status": status or EvseStatus.UNKNOWN.value,
        "state": unseen.value if removed else facts.get("state", unseen.value),
        "since": facts.get("status_updated"),
        "operative": facts.get("operative", True),
        "last_seen": facts.get("last_seen"),
        "never_seen": charge_point is None,
        "session": facts.get("session_id"),
        "faults": faults_of(facts),
        "offered": bool(ocpi.get("offered")),
        "reasons": ocpi.get("reasons") or [],
        "connectors": facts.get("connectors") or [],
    }


def faults_of(charge_point: Document) -> list[str]:
    """What its monitor reports, then what its engine reports of connectors."""
    said = [
        ": ".join(part for part in (fault["code"], fault.get("message")) if part)
        for fault in charge_point.get("faults") or ()
    ]
    for connector in charge_point.get("connectors") or ():
        if connector.get("error_code"):
            said.append(f"connector {connector['id']}: {connector['error_code']}")
    if not said and charge_point.get("engine_state") in ("FAULTED", "UNREACHABLE"):
        said.append(f"engine {charge_point['engine_state']}")
    return said


async def held_back(db: Database, limit: int) -> tuple[list[JsonObject], int]:
    """Registered, but not offered over OCPI, with the reasons; and how many there are."""
    match = {"status": _REGISTERED, "ocpi.offered": False}
    found = db["registrations"].find(match, {**_REGISTRATION, "updated_at": 1})
    rows = await found.sort("updated_at", -1).limit(limit).to_list(limit)
    shown = [
        {
            "id": row["_id"],
            "place": row["location"],
            "reasons": row["ocpi"].get("reasons") or [],
            "updated_at": row.get("updated_at"),
        }
        for row in rows
    ]
    return shown, await _count(db, "registrations", match)


def last(hours: float, now: datetime) -> tuple[datetime, datetime]:
    """The period of that many hours that ends now."""
    end = now.astimezone(timezone.utc)
    return end - timedelta(hours=hours), end


async def _in_status(db: Database, status: str, limit: int) -> list[JsonObject]:
    found = db["charge_points"].find({"ocpi_status": status}, _SHOWN)
    states = await found.sort("status_updated", -1).limit(limit).to_list(limit)
    wanted = {"_id": {"$in": [state["_id"] for state in states]}}
    rows = await db["registrations"].find(wanted, _REGISTRATION).to_list(limit)
    by_id = {row["_id"]: row for row in rows}
    return [row_of(by_id[state["_id"]], state) for state in states if state["_id"] in by_id]


async def _with_states(db: Database, found: Sequence[Document]) -> list[JsonObject]:
    wanted = {"_id": {"$in": [registration["_id"] for registration in found]}}
    states = await db["charge_points"].find(wanted, _SHOWN).to_list(len(found) or 1)
    by_id = {state["_id"]: state for state in states}
    return [row_of(registration, by_id.get(registration["_id"])) for registration in found]


async def _count(db: Database, collection: str, match: Document) -> int:
    return await db[collection].count_documents(match)
