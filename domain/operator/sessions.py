"""What an operator sees of sessions: their OCPI objects, and what EV_Central knows besides."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from statistics import median_low

from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import OwnedObjects, fold
from domain.metering.signatures import Verdict
from domain.sessions.session_document import ChargingSession
from domain.sessions.session_records import SESSIONS
from domain.sessions.session_signatures import DROPPED

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


LATE_AMONG = 101
SIGNATURE_VERDICTS = (*(verdict.value for verdict in Verdict), DROPPED)
_RUNNING = {"running": True, "last_heard": {"$gte": _EPOCH}}
_WITHOUT_CDR = {"cdr_problem": {"$exists": True}}


async def number_running(db: Database) -> int:
    """How many hold a connector."""
    return await SESSIONS.of(db).count(_RUNNING)


async def telemetry_late(db: Database) -> timedelta | None:
    """How old meter values are when they come: the median of the running sessions that were heard
    of last (one charge point that catches up, or whose clock is wrong, says nothing of all). None:
    of no session there are any."""
    rows = await SESSIONS.of(db).find(
        _RUNNING, {"last_heard": 1, "last_at": 1}, sort=[("last_heard", -1)], limit=LATE_AMONG
    )
    ages = [row["last_heard"] - row["last_at"] for row in rows if row.get("last_at")]
    return median_low(ages) if ages else None


async def number_without_cdr(db: Database) -> int:
    """How many have ended, but their bill could not be made."""
    return await SESSIONS.of(db).count(_WITHOUT_CDR)


async def signatures(db: Database) -> dict[str, int]:
    """How many came with signed meter data, by what came of the check."""
    return {
        verdict: await SESSIONS.of(db).count({"signature.verdict": verdict})
        for verdict in SIGNATURE_VERDICTS
    }


async def power_w(db: Database) -> float:
    """What running sessions draw by their latest meter values. Of those that have fallen silent
    nobody knows."""
    found = await SESSIONS.of(db).aggregate(
        [
            {"$match": {**_RUNNING, "suspect": {"$exists": False}}},
            {"$group": {"_id": None, "power_w": {"$sum": "$power_w"}}},
        ]
    )
    return float(found[0]["power_w"]) if found else 0.0


async def running(db: Database, limit: int) -> tuple[list[JsonObject], int]:
    """Sessions that hold a connector, the longest unheard of first; and how many there are."""
    rows = await SESSIONS.of(db).find(
        _RUNNING, SESSION_FACTS, sort=[("last_heard", 1)], limit=limit
    )
    return await shown(db, rows), await number_running(db)


async def of_charge_point(db: Database, cp_id: str, limit: int) -> list[JsonObject]:
    """Those that were opened there last, the latest first."""
    rows = await SESSIONS.of(db).find(
        {"cp_id": cp_id}, SESSION_FACTS, sort=[("created", -1), ("_id", -1)], limit=limit
    )
    return await shown(db, rows)


async def shown(db: Database, rows: list[ChargingSession]) -> list[JsonObject]:
    """Sessions with what their OCPI objects say besides."""
    keys = [
        fold(row["country_code"], row["party_id"], row["_id"])
        for row in rows
        if "country_code" in row
    ]
    objects = await OwnedObjects(db, "sessions").of(db).find({"_id": {"$in": keys}}, _SESSION)
    by_id = {fold(row["fields"]["id"]): row["fields"] for row in objects}
    return [_session(by_id.get(fold(row["_id"]), {}), row) for row in rows]


async def without_cdr(db: Database, limit: int) -> tuple[list[JsonObject], int]:
    """Sessions that ended, but whose bill could not be made, with the reason; how many."""
    rows = await SESSIONS.of(db).find(
        _WITHOUT_CDR,
        {"cp_id": 1, "ended": 1, "cdr_problem": 1},
        sort=[("cdr_problem", 1)],
        limit=limit,
    )
    facts = [
        {
            "id": row["_id"],
            "cp_id": row["cp_id"],
            "ended": row.get("ended"),
            "problem": row["cdr_problem"],
        }
        for row in rows
    ]
    return facts, await number_without_cdr(db)


def _session(fields: JsonMapping, facts: JsonMapping) -> JsonObject:
    """A session out of its OCPI object and EV_Central's document; either may be missing."""
    token = facts.get("token") or fields.get("cdr_token") or {}
    energy_wh = facts.get("energy_wh")
    return {
        "id": facts.get("_id") or fields.get("id"),
        "key": fold(fields["country_code"], fields["party_id"], fields["id"]) if fields else None,
        "status": facts.get("status") or fields.get("status"),
        "cp_id": facts.get("cp_id") or fields.get("evse_uid"),
        "connector_id": facts.get("connector_id") or fields.get("connector_id"),
        "kwh": fields.get("kwh") if energy_wh is None else energy_wh / 1000,
        "power_w": facts.get("power_w") if facts.get("running") else None,
        "soc": facts.get("soc"),
        "cost": fields.get("total_cost"),
        "currency": fields.get("currency"),
        "token": token,
        "source": facts.get("source"),
        "created": facts.get("created"),
        "started": facts.get("started") or facts.get("created") or fields.get("start_date_time"),
        "ended": facts.get("ended") or fields.get("end_date_time"),
        "last_heard": facts.get("last_heard") if facts.get("running") else None,
        "end_reason": facts.get("end_reason"),
        "problem": facts.get("cdr_problem"),
        "signature": facts.get("signature"),
    }


SESSION_FACTS = dict.fromkeys(
    (
        "cp_id",
        "connector_id",
        "country_code",
        "party_id",
        "status",
        "running",
        "token.country_code",
        "token.party_id",
        "token.contract_id",
        "token.uid",
        "source",
        "created",
        "started",
        "ended",
        "end_reason",
        "last_heard",
        "energy_wh",
        "power_w",
        "soc",
        "cdr_problem",
        "signature",
    ),
    1,
)
_SESSION = {
    f"fields.{name}": 1
    for name in (
        "id",
        "country_code",
        "party_id",
        "status",
        "evse_uid",
        "connector_id",
        "kwh",
        "total_cost",
        "currency",
        "cdr_token",
        "start_date_time",
        "end_date_time",
    )
}
