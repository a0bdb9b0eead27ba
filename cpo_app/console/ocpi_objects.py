"""What the console shows of CDRs, locations and tariffs: the objects as peers get them.

Drivers' card numbers are shown by their last characters only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

import orjson

from cpo_app.console.words import hidden
from db_interface.counters import COUNTS
from db_interface.database import Database
from db_interface.indexes import BY_NAME
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import NOBODY, OwnedDocument, OwnedObjects, fold, plain
from domain.objects import tariff_assignment
from domain.reconciliation.cdr_totals import SUMMED_FIELDS, CdrTotal, totals
from domain.visibility import GUESTS

LATEST = 100
LOCATIONS_PAGE = 50
MAX_SUMMED = 20_000
MODULES = ("locations", "sessions", "cdrs", "tariffs")
_LAST_LETTER = "\uffff"


async def total(db: Database, module: str) -> int:
    """How many objects a module has, whoever may see them; counted as they were written."""
    return sum(row["n"] for row in await COUNTS.of(db).find({"module": module}, {"n": 1}))


async def latest_cdrs(db: Database) -> list[JsonObject]:
    """The latest CDRs, newest first."""
    wanted = {
        f"fields.{name}": 1
        for name in (
            "id",
            "country_code",
            "party_id",
            "session_id",
            "start_date_time",
            "end_date_time",
            "cdr_token",
            "cdr_location.evse_uid",
            "cdr_location.name",
            "cdr_location.city",
            "total_energy",
            "total_time",
            "total_cost",
            "currency",
            "credit",
            "remark",
        )
    }
    return [{**row["fields"], "key": row["_id"]} for row in await latest(db, "cdrs", wanted)]


async def cdr_totals(db: Database, since: datetime) -> tuple[list[CdrTotal], bool]:
    """The sums by currency of the CDRs made since: of the latest MAX_SUMMED at most; and whether
    that was all of them."""
    wanted = dict.fromkeys((f"fields.{name}" for name in SUMMED_FIELDS), 1)
    rows = await OwnedObjects(db, "cdrs").documents(
        {"last_updated": {"$gte": since}},
        fields=wanted,
        sort=[("last_updated", -1), ("seq", -1)],
        limit=MAX_SUMMED + 1,
    )
    return totals(row["fields"] for row in rows[:MAX_SUMMED]), len(rows) <= MAX_SUMMED


async def locations(
    db: Database, *, search: str, held: bool, after: int | None
) -> tuple[list[JsonObject], int | None]:
    """A page of locations, and the `after` of the next one.

    `search`: the beginning of an id, else of a city's name (case and accents do not matter).
    `held`: only those that no peer may see.
    """
    match: JsonObject = {}
    if held:
        match["audience"] = NOBODY
    if search:
        rows = await _search(db, search, match)
        return [_location(row) for row in rows], None
    if after is not None:
        match["seq"] = {"$gt": after}
    rows = await OwnedObjects(db, "locations").documents(
        match, fields=_LOCATION, sort=[("seq", 1)], limit=LOCATIONS_PAGE + 1
    )
    shown = rows[:LOCATIONS_PAGE]
    return [_location(row) for row in shown], (
        shown[-1]["seq"] if len(rows) > LOCATIONS_PAGE else None
    )


async def latest_tokens(db: Database) -> list[JsonMapping]:
    """The latest of drivers' cards, newest first."""
    names = ("country_code", "party_id", "uid", "type", "valid", "whitelist", "last_updated")
    rows = await latest(db, "tokens", {f"fields.{name}": 1 for name in (*names, "contract_id")})
    return [row["fields"] for row in rows]


async def object_text(db: Database, module: str, key: str) -> str | None:
    """An object as indented OCPI JSON, card numbers hidden; None: there is none."""
    found = await OwnedObjects(db, module).document(key)
    if found is None:
        return None
    fields = plain(found)
    if isinstance(fields.get("cdr_token"), dict) and fields["cdr_token"].get("uid"):
        fields["cdr_token"]["uid"] = hidden(fields["cdr_token"]["uid"])
    return orjson.dumps(fields, option=orjson.OPT_INDENT_2).decode()


async def groups_of(db: Database, key: str) -> Sequence[str]:
    """The groups that a location is in."""
    found = await OwnedObjects(db, "locations").document(key)
    return (found or {}).get("groups", ())


async def tariffs_of(db: Database, key: str) -> JsonObject | None:
    """The tariffs of a location's connectors, and whose word that is."""
    found = await OwnedObjects(db, "locations").document(key)
    return None if found is None else await tariff_assignment.tariffs_at(db, found)


async def latest(db: Database, module: str, wanted: JsonMapping) -> list[OwnedDocument]:
    """The LATEST objects of a module, newest first."""
    return await OwnedObjects(db, module).documents(
        {}, fields=wanted, sort=[("seq", -1)], limit=LATEST
    )


async def _search(db: Database, search: str, match: JsonMapping) -> Sequence[OwnedDocument]:
    by_id = {**match, "lid": {"$regex": f"^{re.escape(fold(search))}"}}
    objects = OwnedObjects(db, "locations")
    rows = await objects.documents(by_id, fields=_LOCATION, sort=[("lid", 1)], limit=LOCATIONS_PAGE)
    if rows:
        return rows
    by_city = {**match, "fields.city": {"$gte": search, "$lt": search + _LAST_LETTER}}
    found = objects.of(db).driver.find(by_city, _LOCATION).collation(BY_NAME)
    cities: list[OwnedDocument] = await (
        found.sort("fields.city", 1).limit(LOCATIONS_PAGE).to_list(LOCATIONS_PAGE)
    )
    return cities


def _location(row: OwnedDocument) -> JsonObject:
    fields = row["fields"]
    evses = fields.get("evses") or []
    statuses: dict[str, int] = {}
    for evse in evses:
        statuses[evse["status"]] = statuses.get(evse["status"], 0) + 1
    audience = {NOBODY: "held back", GUESTS: "guests only"}.get(row["audience"], "offered")
    return {
        **fields,
        "key": row["_id"],
        "audience": audience,
        "statuses": sorted(statuses.items()),
        "evses": len(evses),
        "last_updated": row["last_updated"],
    }


_LOCATION = {
    "audience": 1,
    "seq": 1,
    "last_updated": 1,
    **{
        f"fields.{name}": 1
        for name in (
            "id",
            "country_code",
            "party_id",
            "name",
            "address",
            "postal_code",
            "city",
            "country",
            "evses.status",
        )
    },
}
