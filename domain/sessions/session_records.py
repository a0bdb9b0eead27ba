"""Charging sessions in the store: found, and written so that OCPI Session and CDR follow.

`save` is the one door: a session's document, its Session object (with the marks of the peers
that have not seen it) and, when it is completed, its CDR (session_bills) are one transaction.
`let_go` alone leaves the Session object as it is. Decides nothing about what happens to a
session: that is charging_sessions.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from db_interface.collection import Collection, Where
from db_interface.database import Database
from db_interface.json_data import JsonMapping
from db_interface.owned_objects import OwnedDocument, OwnedObject
from db_interface.transaction import Tx
from domain.charge_points import charge_points
from domain.charge_points.charge_point_events import SessionSet
from domain.counters import ENERGY_WH
from domain.log_events import event
from domain.objects import OcpiObject
from domain.outbox.publishing import publish, publish_again
from domain.rendered import Rendered
from domain.sessions.power_samples import is_early, with_sample
from domain.sessions.session_bills import bill
from domain.sessions.session_document import ChargingSession, Suspicion
from domain.sessions.session_object import Course, course_of, owned_session, session_object
from domain.sessions.session_rules import Rules
from domain.sessions.session_states import FINAL, Status
from domain.times import format_datetime

logger = logging.getLogger("cpo.sessions")

SESSIONS: Collection[ChargingSession] = Collection("charging_sessions")

_SOON = 5
"""Readings that come this much oftener than Sessions are published come all the time."""
_NOTES = frozenset({"suspect", "held", "cdr_problem", "unbilled", "measured", "to_stop"})
"""What is there or not: None takes it away, so that those that have it are found by an index."""


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


async def latest_at(where: Where, cp_id: str, limit: int) -> list[ChargingSession]:
    """The sessions of a charge point that were opened last, the latest first."""
    return await SESSIONS.of(where).find({"cp_id": cp_id}, sort=[("created", -1)], limit=limit)


async def session_of_reservation(
    where: Where, reservation_id: str | None
) -> ChargingSession | None:
    """The Session of a reservation that nobody has charged on yet, or None."""
    if reservation_id is None:
        return None
    return await SESSIONS.of(where).find_one(
        {"reservation_id": reservation_id, "status": Status.RESERVATION.value}
    )


async def quiet_for(
    db: Database, silence: timedelta, limit: int, without: Iterable[str] = ()
) -> list[str]:
    """Ids of running sessions of which nothing was heard for so long, the quietest first."""
    rows = await SESSIONS.of(db).find(
        {
            "running": True,
            "last_heard": {"$lte": db.now() - silence},
            "_id": {"$nin": list(without)},
        },
        {"_id": 1},
        sort=[("last_heard", 1)],
        limit=limit,
    )
    return [row["_id"] for row in rows]


async def suspect_for(
    db: Database, silence: timedelta, limit: int, without: Iterable[str] = ()
) -> list[str]:
    """Ids of sessions that have been suspect for so long, the longest first."""
    rows = await SESSIONS.of(db).find(
        {"suspect.since": {"$lte": db.now() - silence}, "_id": {"$nin": list(without)}},
        {"_id": 1},
        sort=[("suspect.since", 1)],
        limit=limit,
    )
    return [row["_id"] for row in rows]


async def to_be_stopped(
    db: Database, limit: int, without: Iterable[str] = ()
) -> list[ChargingSession]:
    """[{_id, cp_id}] of sessions that charge and must not, but at the charge points `without`."""
    return await SESSIONS.of(db).find(
        {"to_stop": True, "cp_id": {"$nin": list(without)}}, {"cp_id": 1}, limit=limit
    )


async def stop_was_told(where: Where, session_id: str) -> None:
    """The charge point knows that the session is to end."""
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

    `at_once` False: the Session object follows when the last publication is long enough ago. Of
    a session that is held nothing is published, and no CDR is made.
    """
    after: ChargingSession = {**(before or {}), **changes}
    held = after.get("held") is not None
    completed = (
        not held
        and after["status"] == Status.COMPLETED
        and (before is None or before["status"] != after["status"] or bool(before.get("held")))
    )
    course: Course | None = None
    if at_once or before is None or is_due(tx, before, rules):
        course = course_to_be_told(tx, after)
        if is_shown(after):
            await _publish(tx, after, course)
        changes = {**changes, "published_at": tx.now, **sampled(before or {}, after)}
        if completed and course is not None:
            problem = await bill(tx, after, course, cdr_zero=rules.cdr_zero)
            changes["cdr_problem"] = problem
        if completed:
            changes["frozen"] = True
    elif is_early(before.get("samples", b"")):
        changes = {**changes, **sampled(before, after)}
    after = {**after, **changes}
    if before is not None and after["status"] != before["status"]:
        _say_what_became_of_it(tx, after, course)
    tx.once_committed(ENERGY_WH.inc, grown_by_wh(before, after))
    await _write(tx, before, after, changes)
    await _tell_charge_point(tx, before, after)
    return after


def _say_what_became_of_it(tx: Tx, session: ChargingSession, course: Course | None) -> None:
    """A line when it begins, and one when it is over."""
    status, place = session["status"], f"{session['cp_id']} connector {session['connector_id']}"
    ids = {
        "session_id": session["_id"],
        "cp_id": session["cp_id"],
        "connector_id": session["connector_id"],
        "party": f"{session['token']['country_code']}/{session['token']['party_id']}",
        "peer_id": session.get("peer_id"),
        "status": status,
    }
    if status == Status.ACTIVE.value:
        said = event(logger, "session.started", **ids)
        tx.say(said, "session %s ACTIVE: began at %s", session["_id"], place)
    elif Status(status) in FINAL:
        kwh = round((session.get("energy_wh") or 0.0) / 1000, 3)
        cost = None if course is None or course.priced is None else course.priced.total_cost.excl
        why, currency = session.get("end_reason"), session["currency"]
        tx.say(
            event(logger, "session.ended", **ids, kwh=kwh, cost=cost, currency=currency, why=why),
            "session %s %s: %s; %s, %.3f kWh, %s",
            session["_id"],
            status,
            why,
            place,
            kwh,
            "free" if cost is None else f"{cost:.2f} {currency} excl. VAT",
        )


def grown_by_wh(before: ChargingSession | None, after: ChargingSession) -> float:
    """The energy that came to it. A session that shrinks (a guess that is put right) takes none
    back: what is counted only grows."""
    known_wh = (before or {}).get("energy_wh") or 0.0
    return max(0.0, (after.get("energy_wh") or known_wh) - known_wh)


def sampled(before: ChargingSession, after: ChargingSession) -> ChargingSession:
    """One sample more of how its energy grew, now that its Session is brought up to date."""
    if not after.get("segments"):
        return {}
    kept = before.get("samples", b"")
    at = min(after["last_at"], after.get("ended") or after["last_at"])
    energy_wh, power_w = after["energy_wh"], after.get("power_w")
    return {"samples": with_sample(kept, after["created"], at, energy_wh, power_w)}


def is_due(tx: Tx, document: ChargingSession, rules: Rules) -> bool:
    """Whether its last publication is long enough ago for the next one."""
    return tx.now - document["published_at"] >= timedelta(seconds=rules.update_every_s)


def can_wait(tx: Tx, document: ChargingSession, rules: Rules) -> bool:
    """Whether a publication that is due can be left to its next reading: the one before this came
    just now, so that the next will be there in a moment, and it has not waited for long."""
    every = timedelta(seconds=rules.update_every_s)
    heard_just_now = tx.now - document["last_heard"] <= every / _SOON
    return heard_just_now and tx.now - document["published_at"] < 2 * every


async def let_go(tx: Tx, document: ChargingSession, suspect: Suspicion) -> None:
    """Another may charge at its connector; peers keep the Session as they have it."""
    changes: ChargingSession = {"suspect": suspect, "running": False}
    after: ChargingSession = {**document, **changes}
    await _write(tx, document, after, changes)
    await _tell_charge_point(tx, document, after)


def course_to_be_told(tx: Tx, after: ChargingSession) -> Course | None:
    """Its course; that it has no price is logged."""
    course = course_of(after)
    if course is not None and course.problem:
        tx.say(logger.error, "session %s has no price: %s", after["_id"], course.problem)
    return course


def is_shown(document: ChargingSession) -> bool:
    """Whether its Session follows what happens to it."""
    return document.get("held") is None and not document.get("frozen")


async def _publish(tx: Tx, after: ChargingSession, course: Course | None) -> None:
    """Bring the Session object up to date; its last_updated moves only if it changes."""
    obj = owned_session(after, session_object(after, course), tx.now)
    kept = await tx.store.objects("sessions").document(obj.key, tx)
    changed = obj if kept is None else _changed(kept, obj)
    if changed is not None:
        await publish(tx.store, "sessions", changed, tx)


async def publish_grown(tx: Tx, sessions: Sequence[ChargingSession]) -> None:
    """`_publish` of many that charge on, with one question and one write for all."""
    if not sessions:
        return
    objects = []
    for after in sessions:
        course = course_to_be_told(tx, after)
        objects.append(owned_session(after, session_object(after, course), tx.now))
        # Each takes a while: others have their turn in between.
        await asyncio.sleep(0)
    known = await tx.store.objects("sessions").present([obj.key for obj in objects], tx)
    states = []
    for obj in objects:
        kept = known.get(obj.key)
        if kept is None:
            await publish(tx.store, "sessions", obj, tx)
        elif (changed := _changed(kept, obj)) is not None:
            states.append((kept, changed))
    await publish_again(tx.store, "sessions", states, tx)


def _changed(kept: OwnedDocument, obj: OwnedObject) -> OwnedObject | None:
    """The Session with a stamp after that of what is kept; None: it is that."""
    stored = Rendered(kept["raw"]).plain()
    if {**stored, "last_updated": None} == {**obj.fields, "last_updated": None}:
        return None
    if kept["last_updated"] < obj.last_updated:
        return obj
    later = kept["last_updated"] + timedelta(milliseconds=1)
    fields = {**obj.fields, "last_updated": format_datetime(later)}
    return replace(obj, fields=fields, last_updated=later)


async def _write(
    tx: Tx, before: ChargingSession | None, after: ChargingSession, changes: ChargingSession
) -> None:
    if before is None:
        await SESSIONS.of(tx).insert_one(after)
        return
    change = change_of(before, changes)
    if change:
        await SESSIONS.of(tx).update_one({"_id": after["_id"]}, change)


def change_of(before: ChargingSession, changes: ChargingSession) -> JsonMapping:
    """The changes as MongoDB takes them; empty where there are none."""
    taken_away = {name: "" for name, value in changes.items() if _gone(name, value)}
    written: dict[str, object] = {
        name: value
        for name, value in changes.items()
        if name != "segments" and name not in taken_away
    }
    if "segments" in changes:
        known, segments = before["segments"], changes["segments"]
        if len(segments) < len(known):
            written["segments"] = segments
        else:
            # Only what is new: a long session has many.
            written |= {
                f"segments.{index}": segment
                for index, segment in enumerate(segments)
                if index >= len(known) or known[index] != segment
            }
    update: dict[str, object] = {"$set": written} if written else {}
    if taken_away:
        update["$unset"] = taken_away
    return update


def _gone(name: str, value: object) -> bool:
    return value is None and name in _NOTES


async def _tell_charge_point(
    tx: Tx, before: ChargingSession | None, after: ChargingSession
) -> None:
    """Let the charge point's document name the session that holds it."""
    if (before is not None and before["running"]) == after["running"]:
        return
    owner = _Owner(after["country_code"], after["party_id"], after["operator"])
    held_by = SessionSet(after["_id"] if after["running"] else None)
    await charge_points.apply(tx, owner, after["cp_id"], held_by)
