"""What the console shows of CDRs, locations and tariffs: the objects as peers get them.

Drivers' card numbers are shown by their last characters only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import orjson

from cpo_app.console.words import hidden
from db_interface.database import Database
from db_interface.json_data import JsonObject
from db_interface.owned_objects import OwnedObjects, plain
from domain.objects import tariff_assignment
from domain.reconciliation.cdr_totals import SUMMED_FIELDS, CdrTotal, totals

MAX_SUMMED = 20_000
MODULES = ("locations", "sessions", "cdrs", "tariffs")


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
