"""Charging sessions in the store: found, and written so that OCPI Session and CDR follow.

`save` is the one door: a session's document, its Session object (with the marks of the peers
that have not seen it) and, when it is completed, its CDR are one transaction. Decides nothing
about what happens to a session: that is charging_sessions.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from db_interface.collection import Collection, Where
from db_interface.database import Database
from db_interface.transaction import Tx
from domain.charge_points import charge_points
from domain.charge_points.charge_point_events import SessionSet
from domain.objects import OcpiObject
from domain.objects.cdrs import add_cdr
from domain.outbox.publishing import publish
from domain.rendered import Rendered
from domain.schemas import SchemaError
from domain.sessions.cdr_making import make_cdr
from domain.sessions.session_document import ChargingSession
from domain.sessions.session_object import Course, course_of, owned_session, session_object
from domain.sessions.session_states import Status

logger = logging.getLogger("cpo.sessions")

SESSIONS: Collection[ChargingSession] = Collection("charging_sessions")


@dataclass(frozen=True)
class Rules:
    """`update_every_s`: a Session that merely grows is published no more often than this.
    `cdr_zero`: sessions that cost nothing get a CDR, too. `transparency_url`: where drivers can
    check signed meter data (SignedData.url)."""

    update_every_s: float = 10.0
    cdr_zero: bool = True
    transparency_url: str = ""


@dataclass(frozen=True)
class _Owner:
    """The party of ours whose charge point it is; `name` is its Locations' operator."""

    country_code: str
    party_id: str
    name: str


async def get(where: Where, session_id: str) -> ChargingSession | None:
    return await SESSIONS.of(where).find_one({"_id": session_id})


async def running_session(
    where: Where, cp_id: str, connector_id: str | None = None
) -> ChargingSession | None:
    """The session that holds the connector (None: any of the charge point), or None."""
    query: dict[str, object] = {"cp_id": cp_id, "running": True}
    if connector_id is not None:
        query["connector_id"] = connector_id
    return await SESSIONS.of(where).find_one(query)


async def latest_session(where: Where, cp_id: str, connector_id: str) -> ChargingSession | None:
    """The session at the connector that was opened last, running or over; None: none ever."""
    return await SESSIONS.of(where).find_one(
        {"cp_id": cp_id, "connector_id": connector_id}, sort=[("created", -1)]
    )


async def session_of_reservation(
    where: Where, reservation_id: str | None
) -> ChargingSession | None:
    """The Session of a reservation that nobody has charged on yet, or None."""
    if reservation_id is None:
        return None
    return await SESSIONS.of(where).find_one(
        {"reservation_id": reservation_id, "status": Status.RESERVATION.value}
    )


async def quiet_for(db: Database, silence: timedelta, limit: int) -> list[str]:
    """Ids of running sessions of which nothing was heard for so long, the quietest first."""
    rows = await SESSIONS.of(db).find(
        {"running": True, "last_heard": {"$lte": db.now() - silence}},
        {"_id": 1},
        sort=[("last_heard", 1)],
        limit=limit,
    )
    return [row["_id"] for row in rows]


async def to_be_stopped(db: Database, limit: int) -> list[ChargingSession]:
    """[{_id, cp_id}] of sessions that are over and that their charge point goes on with."""
    return await SESSIONS.of(db).find({"to_stop": True}, {"cp_id": 1}, limit=limit)


async def stop_was_told(where: Where, session_id: str) -> None:
    """The charge point knows that the session is over."""
    await SESSIONS.of(where).update_one(
        {"_id": session_id, "to_stop": True}, {"$unset": {"to_stop": ""}}
    )


async def set_beside(tx: Tx, session_id: str, changes: ChargingSession) -> None:
    """Note what neither the Session object nor the charge point's state shows."""
    await SESSIONS.of(tx).update_one({"_id": session_id}, {"$set": changes})


def same_token(one: OcpiObject, other: OcpiObject) -> bool:
    names = ("country_code", "party_id", "type", "uid")
    return all(one[name].lower() == other[name].lower() for name in names)


async def save(
    tx: Tx,
    before: ChargingSession | None,
    changes: ChargingSession,
    rules: Rules,
    *,
    at_once: bool,
) -> ChargingSession:
    """Write `changes` (with `before` None: the whole new document); the document after it.

    `at_once` False: the Session object follows when the last publication is long enough ago.
    """
    after: ChargingSession = {**(before or {}), **changes}
    completed = after["status"] == Status.COMPLETED and (
        before is None or before["status"] != after["status"]
    )
    due = before is None or tx.now - before["published_at"] >= timedelta(
        seconds=rules.update_every_s
    )
    if at_once or due:
        course = course_of(after)
        if course is not None and course.problem:
            logger.error("session %s has no price: %s", after["_id"], course.problem)
        await _publish(tx, after, course)
        changes = {**changes, "published_at": tx.now}
        if completed and course is not None:
            problem = await _make_cdr(tx, after, course, rules)
            if problem is not None:
                changes["cdr_problem"] = problem
    after = {**after, **changes}
    await _write(tx, before, after, changes)
    await _tell_charge_point(tx, before, after)
    return after


async def _publish(tx: Tx, after: ChargingSession, course: Course | None) -> None:
    """Bring the Session object up to date; its last_updated moves only if it changes."""
    fields = session_object(after, course)
    obj = owned_session(after, fields, tx.now)
    kept = await tx.store.objects("sessions").document(obj.key, tx)
    if kept is not None:
        stored = Rendered(kept["raw"]).plain()
        if {**stored, "last_updated": None} == {**obj.fields, "last_updated": None}:
            return
        if kept["last_updated"] >= tx.now:
            later = kept["last_updated"] + timedelta(milliseconds=1)
            obj = owned_session(after, fields, later)
    await publish(tx.store, "sessions", obj, tx)


async def _make_cdr(tx: Tx, after: ChargingSession, course: Course, rules: Rules) -> str | None:
    """Make the session's CDR where there is to be one; why it could not be made, or None."""
    if course.problem:
        return course.problem
    if _costs_nothing(course) and (after["started"] is None or not rules.cdr_zero):
        return None
    try:
        cdr = make_cdr(after, course, tx.now)
    except SchemaError as error:
        # The session has ended whatever becomes of its bill; the operator is told.
        logger.error("session %s has no CDR: %s", after["_id"], error)
        return str(error)
    await add_cdr(tx.store, cdr, tx)
    return None


def _costs_nothing(course: Course) -> bool:
    if course.priced is None:
        return not any(
            d["type"] == "ENERGY" and d["volume"] for p in course.periods for d in p["dimensions"]
        )
    return not course.priced.total_cost.excl and not course.priced.total_cost.incl


async def _write(
    tx: Tx, before: ChargingSession | None, after: ChargingSession, changes: ChargingSession
) -> None:
    if before is None:
        await SESSIONS.of(tx).insert_one(after)
        return
    written: dict[str, Any] = {n: value for n, value in changes.items() if n != "segments"}
    if "segments" in changes:
        # Only what is new: a long session has many.
        known = before["segments"]
        written |= {
            f"segments.{index}": segment
            for index, segment in enumerate(changes["segments"])
            if index >= len(known) or known[index] != segment
        }
    await SESSIONS.of(tx).update_one({"_id": after["_id"]}, {"$set": written})


async def _tell_charge_point(
    tx: Tx, before: ChargingSession | None, after: ChargingSession
) -> None:
    """Let the charge point's document name the session that holds it."""
    if (before is not None and before["running"]) == after["running"]:
        return
    owner = _Owner(after["country_code"], after["party_id"], after["operator"])
    held_by = SessionSet(after["_id"] if after["running"] else None)
    await charge_points.apply(tx, owner, after["cp_id"], held_by)
