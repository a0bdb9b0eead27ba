"""Everything that an operator sees of one CDR: its price line by line, the CDRs that credit or
replace it, who has it, and with which proof.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import OwnedDocument, OwnedObjects, party_key, plain
from domain.operator.course_told import power
from domain.operator.one_session import CourseTold, course_of_cdr
from domain.operator.where_delivered import Delivered, of_object
from domain.sessions.cdr_time_zone import time_zone_of
from domain.sessions.power_samples import samples_of
from domain.sessions.session_bills import in_force
from domain.sessions.session_document import ChargingSession
from domain.sessions.session_records import SESSIONS

_SAME_KWH = 0.01
_AMOUNTS = ("excl_vat", "incl_vat")


@dataclass(frozen=True)
class OneCdr:
    """`credits`: what it takes back; `credited_by`: what took it back. `others`: further CDRs of
    its session. `stands`: it is billed, and not credited. `differs`: its total is not what its
    tariffs and periods come to."""

    id: str
    key: str
    fields: JsonObject
    session: ChargingSession | None
    course: CourseTold
    credits: str | None
    credited_by: str | None
    others: Sequence[JsonObject]
    stands: bool
    differs: bool
    delivered: Sequence[Delivered]


async def found(
    db: Database, cdr_id: str, party: tuple[str, str] | None = None
) -> list[OwnedDocument]:
    """Those of that id, in any case: of several of our parties there may be one each."""
    query: JsonObject = {"lid": cdr_id.lower()}
    if party is not None:
        query["owner"] = party_key(*party)
    return await OwnedObjects(db, "cdrs").documents(query)


async def one(store: DbInterface, document: OwnedDocument) -> OneCdr:
    db, fields = store.db, plain(document)
    related, delivered, time_zone, session = await asyncio.gather(
        _related(db, document, fields),
        of_object(db, "cdrs", document),
        time_zone_of(store, fields),
        _session(db, fields),
    )
    course = _with_what_was_measured(course_of_cdr(fields, time_zone), fields, session)
    credit = next((one for one in related if one.get("credit_reference_id") == fields["id"]), None)
    return OneCdr(
        id=fields["id"],
        key=document["_id"],
        fields=fields,
        session=session,
        course=course,
        credits=fields.get("credit_reference_id"),
        credited_by=None if credit is None else credit["id"],
        others=related,
        stands=any(one["id"] == fields["id"] for one in in_force([fields, *related])),
        differs=_differs(fields, course),
        delivered=delivered,
    )


async def _session(db: Database, fields: JsonMapping) -> ChargingSession | None:
    session_id = fields.get("session_id")
    if not session_id:
        return None
    wanted = dict.fromkeys(("cp_id", "connector_id", "signature", "samples", "created"), 1)
    return await SESSIONS.of(db).find_one({"_id": session_id}, wanted)


def _with_what_was_measured(
    course: CourseTold, fields: JsonMapping, session: ChargingSession | None
) -> CourseTold:
    """The curve of its session, where that is kept and tells the same energy."""
    if session is None or "created" not in session:
        return course
    kept = list(samples_of(session.get("samples", b""), session["created"]))
    if not kept or abs(kept[-1].energy_wh / 1000 - fields["total_energy"]) > _SAME_KWH:
        return course
    points, measured = power(kept, course.stretches)
    return replace(course, points=points, measured=measured)


async def _related(db: Database, document: OwnedDocument, fields: JsonMapping) -> list[JsonObject]:
    """The CDRs of its session and those that credit it, or that it credits, in their order."""
    named = [{"links.credits": fields["id"].lower(), "owner": document["owner"]}]
    if fields.get("session_id"):
        named.append({"links.session": fields["session_id"].lower()})
    if fields.get("credit_reference_id"):
        named.append({"lid": fields["credit_reference_id"].lower(), "owner": document["owner"]})
    rows = await OwnedObjects(db, "cdrs").documents({"$or": named})
    return [
        {**plain(row), "key": row["_id"]}
        for row in sorted(rows, key=lambda row: row["seq"])
        if row["_id"] != document["_id"]
    ]


def _differs(fields: JsonMapping, course: CourseTold) -> bool:
    """Whether its total is another one than its own tariffs and periods come to."""
    if course.total is None or not fields.get("tariffs") or course.problem:
        return False
    sign = -1 if fields.get("credit") else 1
    given, come_to = fields["total_cost"], course.total
    return any(
        sign * Decimal(repr(given[name])) != Decimal(repr(come_to[name]))
        for name in _AMOUNTS
        if given.get(name) is not None and come_to.get(name) is not None
    )
