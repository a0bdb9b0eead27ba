"""The list of charge points: every registration, with what EV_Central knows of it.

Those in a status are found by what EV_Central knows; those that it has not heard of yet are in
none of its documents, and are looked for among the registrations, some at a time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from db_interface.database import Database
from db_interface.indexes import BY_NAME
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import fold
from domain.charge_points.charge_point_documents import CHARGE_POINTS
from domain.charge_points.evse_states import EvseStatus
from domain.charge_points.registration_records import DEREGISTERED, REGISTERED
from domain.charge_points.registration_store import REGISTRATIONS
from domain.listing.filters import choice, flag, text
from domain.listing.listing import Listing, Question
from domain.operator import charge_points
from domain.operator.charge_point_rows import REGISTRATION_SHOWN
from domain.operator.lists.locations import begins
from domain.paging import Order, Stretch

AT_ONCE = 1000
"""Registrations that are looked at for those in a status."""
NEVER_SEEN = "never seen"
"""EV_Central has not heard of it."""


class ChargePoints:
    """Where they are: registrations, and EV_Central's documents."""

    async def find(
        self, db: Database, values: JsonObject, part: Stretch, fields: JsonMapping | None = None
    ) -> list[JsonObject]:
        status = values.get("status")
        asked = await _question(db, values)
        if status in (None, EvseStatus.REMOVED.value):
            return await _registered(db, asked, part, {**REGISTRATION_SHOWN, "folded_id": 1})
        if asked.query:
            ids = await _walked(db, asked, part, status)
        elif status != EvseStatus.UNKNOWN.value:
            ids = await _in_status(db, status, part)
        else:
            ids = await _in_status(db, status, part)
            unseen = await _walked(db, Question({"status": REGISTERED}), part, NEVER_SEEN)
            ids = sorted({*ids, *unseen}, reverse=part.order.keys[0][1] < 0)[: part.limit]
        rows = await REGISTRATIONS.of(db).find({"_id": {"$in": ids}}, REGISTRATION_SHOWN)
        by_id = {row["_id"]: dict(row) for row in rows}
        # EV_Central may know one that was never registered: its place in the list stays.
        return [by_id.get(cp_id, {"_id": cp_id}) for cp_id in ids]

    async def number(self, db: Database, values: JsonObject, most: int) -> int | None:
        asked = await _question(db, values)
        status = values.get("status")
        if not values:
            return await REGISTRATIONS.of(db).estimated_count()
        if status in (None, EvseStatus.REMOVED.value):
            return await REGISTRATIONS.of(db).count(
                asked.query, limit=most, collation=asked.collation
            )
        return None if asked.query else (await charge_points.counts(db))[status]

    async def order(self, db: Database, values: JsonObject) -> Order | None:
        among_registered = values.get("status") in (None, EvseStatus.REMOVED.value)
        return (await _question(db, values)).order if among_registered else None


async def rows(db: Database, found: list[JsonObject]) -> list[JsonObject]:
    return await charge_points.with_states(db, [row for row in found if "status" in row])


async def _question(db: Database, values: JsonObject) -> Question:
    """Of the registrations; the status, but REMOVED, is none of theirs."""
    query: JsonObject = {}
    if values.get("status") == EvseStatus.REMOVED.value:
        query["status"] = DEREGISTERED
    if "held" in values:
        query["$and"] = [{"status": REGISTERED, "ocpi.offered": not values["held"]}]
    if "q" in values:
        return await _beginning(db, values["q"], query)
    return Question(query)


async def _beginning(db: Database, said: str, others: JsonMapping) -> Question:
    """By id, else by the place of the registration."""
    by_id = {**others, "folded_id": {"$regex": f"^{re.escape(fold(said))}"}}
    by_place = {**others, "location": begins(said)}
    registrations = REGISTRATIONS.of(db)
    if not await registrations.count(by_id, limit=1) and await registrations.count(
        by_place, limit=1, collation=BY_NAME
    ):
        by_name = Order("place", "by place", [("location", 1), ("_id", 1)])
        return Question(by_place, BY_NAME, order=by_name)
    return Question(by_id, order=Order("id", "by id", [("folded_id", 1)]))


async def _in_status(db: Database, status: str, part: Stretch) -> list[str]:
    found = await CHARGE_POINTS.of(db).find(
        part.of({"ocpi_status": status}), {"_id": 1}, sort=part.sort, limit=part.limit
    )
    return [row["_id"] for row in found]


async def _registered(
    db: Database, asked: Question, part: Stretch, fields: JsonMapping
) -> list[JsonObject]:
    found = await REGISTRATIONS.of(db).find(
        part.of(asked.query),
        fields,
        sort=part.sort,
        limit=part.limit,
        collation=asked.collation,
    )
    return [dict(row) for row in found]


async def _walked(db: Database, asked: Question, part: Stretch, status: str) -> list[str]:
    """Of those registrations, in order, the ids of them that are in that status."""
    kept: list[str] = []
    step = replace(part, limit=AT_ONCE)
    while True:
        ids = [row["_id"] for row in await _registered(db, asked, step, {"_id": 1})]
        known = await CHARGE_POINTS.of(db).find({"_id": {"$in": ids}}, {"ocpi_status": 1})
        statuses = {row["_id"]: row.get("ocpi_status") for row in known}
        kept += [cp_id for cp_id in ids if _is(status, cp_id, statuses)]
        if len(ids) < AT_ONCE or len(kept) >= part.limit:
            return kept[: part.limit]
        step = replace(step, after=(ids[-1],))


def _is(status: str, cp_id: str, statuses: Mapping[str, str | None]) -> bool:
    if cp_id not in statuses:
        return status in (NEVER_SEEN, EvseStatus.UNKNOWN.value)
    return statuses[cp_id] == status


LIST: Listing[JsonObject] = Listing(
    name="charge-points",
    source=ChargePoints(),
    rows=rows,
    filters=(
        choice("status", "Status", "In this OCPI status.", [one.value for one in EvseStatus]),
        text("q", "Id or place begins with", "Whose id or place begins so.", narrow=True),
        flag("held", "Held back", "Registered, and not offered over OCPI; or offered."),
    ),
    orders=(
        Order("id", "by id", [("_id", 1)]),
        Order("-id", "by id, backwards", [("_id", -1)]),
    ),
    columns={
        "charge_point": "id",
        "place": "place",
        "party": "party",
        "ocpi_status": "status",
        "state": "state",
        "since": "since",
        "operative": "operative",
        "last_heard": "last_seen",
        "session_id": "session",
        "faults": "faults",
        "offered": "offered",
        "not_offered_because": "reasons",
    },
)
