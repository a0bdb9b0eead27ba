"""Charge points as an operator sees them: how many are in which status, tables, each one.

Every registration counts, also one that EV_Central has never heard of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import fold
from domain.charge_points import signs_of_life, unaccounted_energy
from domain.charge_points.charge_point_documents import CHARGE_POINTS, ChargePoint, some
from domain.charge_points.evse_states import EvseStatus, Presence
from domain.charge_points.registration_records import DEREGISTERED, REGISTERED
from domain.charge_points.registration_store import REGISTRATIONS
from domain.operator import stations
from domain.operator.charge_point_rows import REGISTRATION_SHOWN, SHOWN, row_of
from domain.sites import redacted_metadata

NEVER_SEEN_AMONG = 200
"""Those that were never seen are looked for among this many of the latest registrations."""
PLACES_AT_ONCE = 10_000
TROUBLE = (EvseStatus.OUTOFORDER, EvseStatus.UNKNOWN, EvseStatus.INOPERATIVE)
"""What an operator should look at, the worst first."""
_HELD_BACK = {"status": REGISTERED, "ocpi.offered": False}


async def counts(db: Database) -> dict[str, int]:
    """How many charge points are in which OCPI status; every registration counts once."""
    return (await counts_and_never_seen(db))[0]


async def counts_and_never_seen(db: Database) -> tuple[dict[str, int], int]:
    """The counts, and how many of those that are UNKNOWN have not come yet."""
    statuses = [status.value for status in EvseStatus]
    known, registered, deregistered = await asyncio.gather(
        asyncio.gather(*(CHARGE_POINTS.of(db).count({"ocpi_status": s}) for s in statuses)),
        number_registered(db),
        REGISTRATIONS.of(db).count({"status": DEREGISTERED}),
    )
    found = dict(zip(statuses, known, strict=True))
    # EV_Central has no document of those that it never saw.
    seen = sum(n for status, n in found.items() if status != EvseStatus.REMOVED.value)
    never_seen = max(0, registered - seen)
    found[EvseStatus.UNKNOWN.value] += never_seen
    found[EvseStatus.REMOVED.value] = deregistered
    return found, never_seen


async def number_registered(db: Database) -> int:
    return await REGISTRATIONS.of(db).count({"status": REGISTERED})


async def number_held_back(db: Database) -> int:
    """Registered, but not offered over OCPI."""
    return await REGISTRATIONS.of(db).count(_HELD_BACK)


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
    if limit <= 0:
        return []
    stages: list[JsonObject] = [
        {"$match": {"status": REGISTERED}},
        {"$sort": {"registered_seq": -1}},
        {"$limit": NEVER_SEEN_AMONG},
        {
            "$lookup": {
                "from": CHARGE_POINTS.name,
                "localField": "_id",
                "foreignField": "_id",
                "pipeline": [{"$project": {"_id": 1}}],
                "as": "seen",
            }
        },
        {"$match": {"seen": []}},
        {"$limit": limit},
        {"$project": {**REGISTRATION_SHOWN, "registration_date": 1}},
    ]
    found = await REGISTRATIONS.of(db).aggregate(stages)
    return [row_of(registration, None) for registration in found]


async def page(
    db: Database, *, after: str | None, limit: int
) -> tuple[list[JsonObject], str | None]:
    """All of them by id, at most `limit` from behind `after` on; the next page's `after`."""
    match = {} if after is None else {"_id": {"$gt": after}}
    found = await REGISTRATIONS.of(db).find(
        match, REGISTRATION_SHOWN, sort=[("_id", 1)], limit=limit + 1
    )
    rows = await with_states(db, found[:limit])
    return rows, rows[-1]["id"] if len(found) > limit else None


async def one(db: Database, cp_id: str) -> JsonObject | None:
    """Everything that is shown of one charge point, by its id in any case; None: unknown."""
    wanted = {
        **REGISTRATION_SHOWN,
        "metadata": 1,
        "registration_date": 1,
        "updated_at": 1,
        "last_authenticated": 1,
        "certificate_fingerprint": 1,
        "site_waiting": 1,
        "history": {"$slice": -10},
    }
    registration = await REGISTRATIONS.of(db).find_one({"folded_id": fold(cp_id)}, wanted)
    if registration is None:
        return None
    states = await _states(db, [registration["_id"]])
    charge_point = states.get(registration["_id"])
    shown: JsonObject = dict(registration)
    shown["metadata"] = redacted_metadata(registration.get("metadata"))
    return {
        **row_of(registration, charge_point),
        "registration": shown,
        "charge_point": charge_point or {},
        "unaccounted_energy": await unaccounted_energy.of(db, registration["_id"]),
        "station": await stations.of_charge_point(db, registration["_id"]),
    }


async def not_heard_since(db: Database, cp_ids: Sequence[str], moment: datetime) -> int:
    """How many of them EV_Central has not heard of since."""
    states = await _states(db, cp_ids)
    heard = (states[cp_id].get("last_seen") for cp_id in cp_ids if cp_id in states)
    return len(cp_ids) - sum(1 for at in heard if at is not None and at >= moment)


async def mark_of(db: Database, status: str) -> tuple[int, object]:
    """Of the charge points in that status: another one as soon as one comes or goes."""
    latest = await CHARGE_POINTS.of(db).find(
        {"ocpi_status": status}, {"status_updated": 1}, sort=[("status_updated", -1)], limit=1
    )
    number = await CHARGE_POINTS.of(db).count({"ocpi_status": status})
    return number, latest[0].get("status_updated") if latest else None


async def heard_of_in(db: Database, status: str) -> list[str]:
    """Ids of all in that status that were heard of once, by their ids."""
    wanted = {"ocpi_status": status, "presence": {"$ne": Presence.NEVER_SEEN.value}}
    return sorted([row["_id"] for row in await CHARGE_POINTS.of(db).find(wanted, {"_id": 1})])


async def places_of(db: Database, cp_ids: Sequence[str]) -> dict[str, str | None]:
    """City or address of each, as it is registered; None: it is not."""
    found: dict[str, str | None] = dict.fromkeys(cp_ids)
    for begin in range(0, len(cp_ids), PLACES_AT_ONCE):
        wanted = {"_id": {"$in": list(cp_ids[begin : begin + PLACES_AT_ONCE])}}
        for row in await REGISTRATIONS.of(db).find(wanted, {"location": 1}):
            found[row["_id"]] = row.get("location")
    return found


async def held_back(db: Database, limit: int) -> tuple[list[JsonObject], int]:
    """Registered, but not offered over OCPI, with the reasons; and how many there are."""
    rows = await REGISTRATIONS.of(db).find(
        _HELD_BACK, {**REGISTRATION_SHOWN, "updated_at": 1}, sort=[("updated_at", -1)], limit=limit
    )
    shown = [{**row_of(row, None), "updated_at": row.get("updated_at")} for row in rows]
    return shown, await number_held_back(db)


async def _in_status(db: Database, status: str, limit: int) -> list[JsonObject]:
    states = await CHARGE_POINTS.of(db).find(
        {"ocpi_status": status}, SHOWN, sort=[("status_updated", -1)], limit=limit
    )
    states = await _heard(db, states)
    wanted = {"_id": {"$in": [state["_id"] for state in states]}}
    rows = await REGISTRATIONS.of(db).find(wanted, REGISTRATION_SHOWN)
    by_id = {row["_id"]: row for row in rows}
    return [row_of(by_id[state["_id"]], state) for state in states if state["_id"] in by_id]


async def with_states(db: Database, found: Sequence[JsonMapping]) -> list[JsonObject]:
    """Rows of registrations."""
    cp_ids = [registration["_id"] for registration in found]
    states, boxes = await asyncio.gather(_states(db, cp_ids), stations.of_charge_points(db, cp_ids))
    return [
        {
            **row_of(registration, states.get(registration["_id"])),
            "ocpp": boxes.get(registration["_id"]),
        }
        for registration in found
    ]


async def _states(db: Database, cp_ids: Sequence[str]) -> dict[str, ChargePoint]:
    return {row["_id"]: row for row in await _heard(db, await some(db, cp_ids, SHOWN))}


async def _heard(db: Database, rows: list[ChargePoint]) -> list[ChargePoint]:
    """The charge points with `last_seen` as signs of life have it."""
    signs = await signs_of_life.latest(db, [row["_id"] for row in rows])
    for row in rows:
        heard, known = signs.get(row["_id"]), row.get("last_seen")
        if heard is not None and (known is None or heard > known):
            row["last_seen"] = heard
    return rows
