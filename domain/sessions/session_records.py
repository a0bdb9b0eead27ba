"""Charging sessions in the store: found, and written so that OCPI Session and CDR follow.

`save` is the one door: a session's document, its Session object (with the marks of the peers
that have not seen it) and, when it is completed, its CDR are one transaction. Decides nothing
about what happens to a session: that is charging_sessions.

A document of `charging_sessions`:
    _id                 Session.id
    cp_id, connector_id, evse_uid, location_id, country_code, party_id, operator
    running             holds its connector: at most one per connector (unique index)
    status              session_states.Status
    token               the cdr_token's fields, and group_id
    peer_id, auth_method, authorization_reference, source (remote, local), command_id
    reservation_id, reservation_over (and since when: _at), reservation_expired
    tariffs             all that the connector had at the start, as they were then
    time_zone, currency, capabilities, max_power_w, cdr_location, meter_id    of the start, too
    created, started, ended, end_reason
    last_heard          Central's clock; last_at: the charge point's, of its latest meter value
    register_start_wh, energy_wh, power_w, soc
    segments            session_segments
    preferences         OCPI ChargingPreferences that were accepted
    signed_data         OCPI SignedData
    published_at        when the Session object was last brought up to date
    cdr_problem         why there is no CDR, should its price not be told
    unbilled            {energy_wh, at, why}: what came to light when it was too late
    to_stop             the charge point charges although the session is over: it is to be told
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.transaction import Tx, mongo_session
from domain.charge_points import charge_points
from domain.charge_points.charge_point_events import SessionSet
from domain.objects.cdrs import add_cdr
from domain.outbox.publishing import publish
from domain.rendered import Rendered
from domain.schemas import SchemaError
from domain.sessions.cdr_making import make_cdr
from domain.sessions.session_object import Course, course_of, owned_session, session_object
from domain.sessions.session_states import Status
from domain.times import to_milliseconds

logger = logging.getLogger("cpo.sessions")

COLLECTION = "charging_sessions"

Document = dict[str, Any]


@dataclass(frozen=True)
class Rules:
    """`update_every_s`: a Session that merely grows is published no more often than this.
    `cdr_zero`: sessions that cost nothing get a CDR, too."""

    update_every_s: float = 10.0
    cdr_zero: bool = True


@dataclass(frozen=True)
class _Owner:
    """The party of ours whose charge point it is; `name` is its Locations' operator."""

    country_code: str
    party_id: str
    name: str


async def get(db: Database, session_id: str, tx: Tx | None = None) -> Document | None:
    return await db[COLLECTION].find_one({"_id": session_id}, session=mongo_session(tx))


async def running_session(
    db: Database, cp_id: str, connector_id: str | None = None, tx: Tx | None = None
) -> Document | None:
    """The session that holds the connector (None: any of the charge point), or None."""
    query = {"cp_id": cp_id, "running": True}
    if connector_id is not None:
        query["connector_id"] = connector_id
    return await db[COLLECTION].find_one(query, session=mongo_session(tx))


async def session_of_token(
    db: Database, cp_id: str, token: Mapping[str, Any], tx: Tx | None = None
) -> Document | None:
    """The running session that a token may stop: its own, or one of its group."""
    rows = db[COLLECTION].find({"cp_id": cp_id, "running": True}, session=mongo_session(tx))
    for document in await rows.to_list(None):
        if same_token(document["token"], token) or _same_group(document["token"], token):
            return document
    return None


def same_token(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    names = ("country_code", "party_id", "type", "uid")
    return all(one[name].lower() == other[name].lower() for name in names)


def _same_group(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    names = ("country_code", "party_id", "group_id")
    return bool(one.get("group_id") and other.get("group_id")) and all(
        one[name].lower() == other[name].lower() for name in names
    )


async def save(
    store: DbInterface,
    before: Document | None,
    changes: Mapping[str, Any],
    now: datetime,
    tx: Tx,
    rules: Rules,
    *,
    at_once: bool,
) -> Document:
    """Write `changes` (with `before` None: the whole new document); the document after it.

    `at_once` False: the Session object follows when the last publication is long enough ago.
    """
    now = to_milliseconds(now)
    changes = dict(changes)
    after: Document = {**(before or {}), **changes}
    completed = (
        after["status"] == Status.COMPLETED and (before or {}).get("status") != after["status"]
    )
    due = before is None or now - before["published_at"] >= timedelta(seconds=rules.update_every_s)
    if at_once or due:
        course = course_of(after)
        if course is not None and course.problem:
            logger.error("session %s has no price: %s", after["_id"], course.problem)
        await _publish(store, after, course, now, tx)
        changes["published_at"] = now
        if completed and course is not None:
            changes |= await _make_cdr(store, after, course, now, tx, rules)
    await _write(store.db, before, after, changes, tx)
    await _tell_charge_point(store, before, after, now, tx)
    return {**after, **changes}


async def _publish(
    store: DbInterface, after: Document, course: Course | None, now: datetime, tx: Tx
) -> None:
    """Bring the Session object up to date; its last_updated moves only if it changes."""
    obj = owned_session(after, session_object(after, course), now)
    kept = await store.objects("sessions").document(obj.key, tx)
    if kept is not None:
        stored = Rendered(kept["raw"]).plain()
        if {**stored, "last_updated": None} == {**obj.fields, "last_updated": None}:
            return
        if kept["last_updated"] >= now:
            obj = owned_session(
                after,
                session_object(after, course),
                kept["last_updated"] + timedelta(milliseconds=1),
            )
    await publish(store, "sessions", obj, tx)


async def _make_cdr(
    store: DbInterface,
    after: Document,
    course: Course,
    now: datetime,
    tx: Tx,
    rules: Rules,
) -> Document:
    """Make the session's CDR where there is to be one; the changes that tell of it."""
    if course.problem:
        return {"cdr_problem": course.problem}
    if _costs_nothing(course) and (after.get("started") is None or not rules.cdr_zero):
        return {}
    try:
        cdr = make_cdr(after, course, now)
    except SchemaError as error:
        # The session has ended whatever becomes of its bill; the operator is told.
        logger.error("session %s has no CDR: %s", after["_id"], error)
        return {"cdr_problem": str(error)}
    await add_cdr(store, cdr, tx)
    return {}


def _costs_nothing(course: Course) -> bool:
    if course.priced is None:
        return not any(
            d["type"] == "ENERGY" and d["volume"] for p in course.periods for d in p["dimensions"]
        )
    return not course.priced.total_cost.excl and not course.priced.total_cost.incl


async def _write(
    db: Database, before: Document | None, after: Document, changes: Document, tx: Tx
) -> None:
    if before is None:
        await db[COLLECTION].insert_one({**after, **changes}, session=tx.mongo)
        return
    written = {name: value for name, value in changes.items() if name != "segments"}
    if "segments" in changes:
        # Only what is new: a long session has many.
        kept = before["segments"]
        written |= {
            f"segments.{index}": segment
            for index, segment in enumerate(changes["segments"])
            if index >= len(kept) or kept[index] != segment
        }
    await db[COLLECTION].update_one({"_id": after["_id"]}, {"$set": written}, session=tx.mongo)


async def _tell_charge_point(
    store: DbInterface, before: Document | None, after: Document, now: datetime, tx: Tx
) -> None:
    """Let the charge point's document name the session that holds it."""
    if bool((before or {}).get("running")) == after["running"]:
        return
    owner = _Owner(after["country_code"], after["party_id"], after["operator"])
    held_by = SessionSet(after["_id"] if after["running"] else None)
    await charge_points.apply(tx, owner, after["cp_id"], held_by)
