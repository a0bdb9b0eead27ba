"""Everything that an operator sees of one session: who charged where, how it went, what it costs
and why, which CDRs came of it, and which peers have been told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import OwnedDocument, OwnedObjects, plain
from domain.ocpp import transactions
from domain.operator import station_transactions
from domain.operator.course_told import PowerPoint, Stretch, power, stretches
from domain.operator.where_delivered import Delivered, of_object
from domain.pricing import Explained, Priced, PricingInputError, price_cdr
from domain.sessions.power_samples import samples_of
from domain.sessions.session_bills import in_force
from domain.sessions.session_document import ChargingSession
from domain.sessions.session_object import course_of
from domain.sessions.session_records import SESSIONS
from domain.sessions.session_states import FINAL, Status
from domain.times import parse_datetime


@dataclass(frozen=True)
class CourseTold:
    """`problem`: why there is no price. `measured`: whether `points` are what the charge point
    measured, else the mean of each period. `of_cdr`: the session's own details are gone, and this
    is what its CDR says."""

    stretches: Sequence[Stretch] = ()
    points: Sequence[PowerPoint] = ()
    measured: bool = False
    rows: Sequence[Explained] = ()
    total: JsonMapping | None = None
    currency: str | None = None
    problem: str | None = None
    of_cdr: str | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class OneSession:
    """`facts`: Central's document, without what is not shown; empty of one that it has forgotten.
    `fields`: its OCPI Session, None where peers were never to see one."""

    id: str
    facts: ChargingSession
    fields: JsonObject | None
    key: str | None
    course: CourseTold
    cdrs: Sequence[JsonObject]
    delivered: Sequence[Delivered]
    transaction: JsonObject | None
    can: Sequence[str] = field(default_factory=tuple)
    """the actions by hand that mean something now"""


async def one(store: DbInterface, session_id: str) -> OneSession | None:
    """By its id, in any case; None: there is none."""
    db = store.db
    document = await _object(db, session_id)
    facts = await SESSIONS.of(db).find_one({"_id": session_id})
    if facts is None and document is not None:
        session_id = document["fields"]["id"]
        facts = await SESSIONS.of(db).find_one({"_id": session_id})
    if facts is None and document is None:
        return None
    cdr_documents, delivered, transaction = await asyncio.gather(
        OwnedObjects(db, "cdrs").documents({"links.session": session_id.lower()}),
        _delivered(db, document),
        transactions.of_session(db, session_id),
    )
    cdrs = [
        {**plain(row), "key": row["_id"]}
        for row in sorted(cdr_documents, key=lambda row: row["seq"])
    ]
    fields = None if document is None else plain(document)
    known: ChargingSession = facts if facts is not None else {}
    return OneSession(
        id=session_id,
        facts=known,
        fields=fields,
        key=None if document is None else document["_id"],
        course=_course(known, fields, cdrs),
        cdrs=cdrs,
        delivered=delivered,
        transaction=None if transaction is None else station_transactions.shown(transaction),
        can=_by_hand(known),
    )


async def _object(db: Database, session_id: str) -> OwnedDocument | None:
    found = await OwnedObjects(db, "sessions").documents({"lid": session_id.lower()})
    return found[0] if found else None


async def _delivered(db: Database, document: OwnedDocument | None) -> list[Delivered]:
    return [] if document is None else await of_object(db, "sessions", document)


def _by_hand(facts: ChargingSession) -> list[str]:
    """What session_hands would do, and not refuse at once."""
    if not facts or "trimmed" in facts or "segments" not in facts:
        return []
    status, held = Status(facts["status"]), facts.get("held") is not None
    can = []
    idle = status is Status.RESERVATION and not (facts["running"] or facts.get("suspect"))
    if not idle and (held or status is not Status.COMPLETED):
        can.append("sessions.end")
    if held or facts.get("estimated"):
        can.append("sessions.release")
    loose = facts.get("unbilled") is not None or facts.get("cdr_problem") is not None
    if (held and status in FINAL) or (not held and loose):
        can.append("sessions.write_off")
    return can


def _course(
    facts: ChargingSession, fields: JsonMapping | None, cdrs: Sequence[JsonObject]
) -> CourseTold:
    if facts.get("segments"):
        return _course_of(facts)
    standing = in_force(cdrs)
    if standing:
        return course_of_cdr(standing[-1], facts.get("time_zone", "UTC"))
    if fields is not None and fields.get("charging_periods"):
        end = parse_datetime(fields.get("end_date_time") or fields["last_updated"])
        told = stretches(fields["charging_periods"], end, None)
        points, measured = power((), told)
        return CourseTold(told, points, measured, end=end, total=fields.get("total_cost"))
    return CourseTold()


def _course_of(facts: ChargingSession) -> CourseTold:
    course = course_of(facts)
    if course is None:
        return CourseTold()
    told = stretches(course.periods, course.end, course.priced)
    points, measured = power(samples_of(facts.get("samples", b""), facts["created"]), told)
    return CourseTold(
        stretches=told,
        points=points,
        measured=measured,
        rows=() if course.priced is None else course.priced.explanation,
        total=None if course.priced is None else course.priced.total_cost.to_ocpi(),
        currency=facts["currency"],
        problem=course.problem,
        end=course.end,
    )


def course_of_cdr(cdr: JsonMapping, time_zone: str) -> CourseTold:
    """What a CDR says of its course, priced anew by its own tariffs."""
    priced: Priced | None = None
    problem: str | None = None
    try:
        if cdr.get("tariffs"):
            priced = price_cdr(cdr, None, time_zone)
    except PricingInputError as error:
        problem = str(error)
    end = parse_datetime(cdr["end_date_time"])
    told = stretches(cdr["charging_periods"], end, priced)
    points, measured = power((), told)
    return CourseTold(
        stretches=told,
        points=points,
        measured=measured,
        rows=() if priced is None else priced.explanation,
        total=cdr["total_cost"] if priced is None else priced.total_cost.to_ocpi(),
        currency=cdr["currency"],
        problem=problem,
        of_cdr=cdr["id"],
        end=end,
    )
