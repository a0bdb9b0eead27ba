"""The plan of a session whose driver prefers CHEAP: when its charge point lets the car charge.

Made of the tariff that the session is charged by, kept on the session (session_document: `plan`),
obeyed by the charge point as an OCPI ChargingProfile, and made anew every few minutes out of what
was charged and what the car draws, so that the energy is there at the departure.

A ChargingProfile that a peer has set outranks it, and takes its place while it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from db_interface.database import Database
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.commands import command_queue
from domain.commands.command_queue import Command
from domain.objects import OcpiObject
from domain.pricing import compile_tariff
from domain.pricing.cheapest import Course, Span, cheapest_spans
from domain.pricing.local_time import zone_of
from domain.schemas import format_datetime, parse_datetime
from domain.sessions.session_document import ChargingPlan, ChargingSession
from domain.sessions.session_records import SESSIONS
from domain.sessions.tariff_choice import in_force

CAPABILITY = "CHARGING_PROFILE_CAPABLE"
SET_PREFERENCES = "SET_PREFERENCES"

LOOK_AGAIN = timedelta(minutes=5)
MIN_LOOK_AGAIN = timedelta(seconds=20)
PROBE = timedelta(minutes=5)
"""A car of which it is not known what it draws charges for so long first."""
RESERVE = 0.1
"""So much more time is planned than there should be need for."""
MIN_DRAWN_W = 500.0
"""Less is what a car needs that does not charge."""
_SAME = timedelta(seconds=90)
"""Plans whose spans differ by less are the same; what is far ahead may differ by more, for it comes
nearer."""


def plan_of(
    session: ChargingSession, preferences: OcpiObject, now: datetime
) -> ChargingPlan | None:
    """The plan that serves the preferences, of a session that charges; None: there is none that
    does, for want of time, power, or a tariff."""
    departure = parse_datetime(preferences["departure_time"])
    full_w = session.get("max_power_w")
    if not full_w or departure <= now:
        return None
    drawn_w = _drawn_w(session)
    power_w = drawn_w or float(full_w)
    missing_wh = max(0.0, preferences["energy_need"] * 1000 - session["energy_wh"])
    left_h = (departure - now).total_seconds() / 3600
    if missing_wh > power_w * left_h:
        return None
    tariff_id = in_force(session["tariffs"], now, session["token"], preferences)
    tariff = next((one for one in session["tariffs"] if one["id"] == tariff_id), None)
    if tariff is None:
        return None
    began = session.get("started") or session["created"]
    spans = cheapest_spans(
        compile_tariff(tariff),
        zone_of(session["time_zone"]),
        Course(began, session["energy_wh"], power_w),
        now,
        departure,
        missing_wh / power_w,
        missing_wh / power_w * RESERVE,
    )
    if missing_wh and drawn_w is None:
        spans = _with_probe(spans, now, departure)
    return {
        "spans": [{"start": start, "end": end} for start, end in spans],
        "until": departure,
        "drawn_w": drawn_w,
        "charging_profile": _profile(spans, full_w, now, departure),
        "look_at": _look_at(spans, missing_wh / power_w, now, departure),
    }


def best_effort(session: ChargingSession, now: datetime) -> ChargingPlan | None:
    """The plan of before, made anew. What can be had no more by the departure is charged for
    without a pause; after it the plan is over: None."""
    before, preferences = session["plan"], session["preferences"]
    if now >= before["until"]:
        return None
    found = plan_of(session, preferences, now)
    if found is not None:
        return found
    spans = [(now, before["until"])]
    full_w = session.get("max_power_w") or 0
    return {
        "spans": [{"start": now, "end": before["until"]}],
        "until": before["until"],
        "drawn_w": _drawn_w(session),
        "charging_profile": _profile(spans, full_w, now, before["until"]),
        "look_at": min(now + LOOK_AGAIN, before["until"]),
    }


def is_the_same(one: ChargingPlan, other: ChargingPlan, now: datetime) -> bool:
    """Whether the charge point does the same by both from now on."""
    mine, theirs = _ahead(one, now), _ahead(other, now)
    return len(mine) == len(theirs) and all(
        abs(a - b) < max(_SAME, (b - now) / 10)
        for pair, twin in zip(mine, theirs, strict=True)
        for a, b in zip(pair, twin, strict=True)
    )


async def due(db: Database, limit: int) -> list[ChargingSession]:
    """[{_id}] of running sessions whose plan is to be looked at."""
    return await SESSIONS.of(db).find(
        {"plan.look_at": {"$lte": db.now()}}, {"_id": 1}, sort=[("plan.look_at", 1)], limit=limit
    )


async def ask_for(
    tx: Tx,
    session: ChargingSession,
    preferences: OcpiObject,
    plan: ChargingPlan | None,
    within: timedelta,
) -> Command:
    """The charge point is to obey the plan, or none; what was accepted is kept by `keep`."""
    return await command_queue.add(
        tx,
        SET_PREFERENCES,
        cp_id=session["cp_id"],
        deadline=tx.now + within,
        also={
            "session_id": session["_id"],
            "content": {"preferences": dict(preferences), "plan": plan},
        },
    )


async def keep(tx: Tx, session_id: str, preferences: OcpiObject, plan: ChargingPlan | None) -> None:
    """These preferences hold, and the charge point obeys the plan."""
    kept: dict[str, object] = {"preferences": dict(preferences)}
    change: dict[str, object] = {"$set": kept}
    if plan is None:
        change["$unset"] = {"plan": ""}
    else:
        kept["plan"] = plan
    await SESSIONS.of(tx).update_one({"_id": session_id}, change)


async def prefer(tx: Tx, session_id: str, preferences: OcpiObject) -> None:
    """These preferences hold, which need no plan."""
    await SESSIONS.of(tx).update_one(
        {"_id": session_id}, {"$set": {"preferences": dict(preferences)}}
    )


async def look_again(tx: Tx, session_id: str, at: datetime) -> None:
    """The plan stands; it is held against the course of the session then."""
    await SESSIONS.of(tx).update_one(
        {"_id": session_id, "plan": {"$exists": True}}, {"$set": {"plan.look_at": at}}
    )


async def over(tx: Tx, session_id: str) -> None:
    """The departure is past, or the session: its charge point has come to the plan's end."""
    await SESSIONS.of(tx).update_one({"_id": session_id}, {"$unset": {"plan": ""}})


def _drawn_w(session: ChargingSession) -> float | None:
    """What the car draws, or drew before it was paused; None: that was not seen yet."""
    power_w = session.get("power_w") or 0.0
    if power_w >= MIN_DRAWN_W:
        return power_w
    return session["plan"]["drawn_w"] if "plan" in session else None


def _with_probe(spans: Sequence[Span], now: datetime, until: datetime) -> list[Span]:
    first = (now, min(now + PROBE, until))
    rest = [(max(start, first[1]), end) for start, end in spans if end > first[1]]
    if rest and rest[0][0] == first[1]:
        return [(now, rest[0][1]), *rest[1:]]
    return [first, *rest]


def _profile(spans: Sequence[Span], full_w: int, now: datetime, until: datetime) -> JsonObject:
    """Full power in the spans, nothing between them; unlimited from the departure on."""
    limits: dict[int, int] = {0: 0}
    for start, end in spans:
        limits[_seconds(start - now)] = full_w
        if end < until:
            limits[_seconds(end - now)] = 0
    return {
        "start_date_time": format_datetime(now),
        "duration": _seconds(until - now),
        "charging_rate_unit": "W",
        "charging_profile_period": [
            {"start_period": start_s, "limit": limits[start_s]} for start_s in sorted(limits)
        ],
    }


def _look_at(spans: Sequence[Span], hours: float, now: datetime, until: datetime) -> datetime:
    """Soon, and when the energy should be there at the latest; when nothing flows, once it does."""
    if not spans:
        return until
    if spans[0][0] > now:
        return spans[0][0] + MIN_LOOK_AGAIN
    there = max(timedelta(hours=hours), MIN_LOOK_AGAIN)
    return now + min(LOOK_AGAIN, there, until - now)


def _ahead(plan: ChargingPlan, now: datetime) -> list[Span]:
    return [(max(row["start"], now), row["end"]) for row in plan["spans"] if row["end"] > now]


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
