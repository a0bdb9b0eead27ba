"""The audit log as a list: who did what to what."""

from __future__ import annotations

from db_interface.database import Database
from db_interface.json_data import JsonObject
from domain.audit.entries import AUDIT, AuditEntry, folded
from domain.audit.listing import row_of
from domain.listing.filters import between, period, text
from domain.listing.listing import Listing, Question, Stored
from domain.paging import newest_by, oldest_by


async def question(db: Database, values: JsonObject) -> Question:
    query: JsonObject = {}
    if "about" in values:
        query["ids"] = folded(values["about"])
    if "by" in values:
        query["who.name"] = values["by"]
    if "action" in values:
        query["action"] = values["action"]
    at = between(values)
    return Question(query if at is None else {**query, "at": at})


async def rows(db: Database, documents: list[AuditEntry]) -> list[JsonObject]:
    return [row_of(document) for document in documents]


LIST: Listing[AuditEntry] = Listing(
    name="audit",
    source=Stored(AUDIT.of, question),
    rows=rows,
    filters=(
        text("about", "About (an id)", "What is written about this id.", 200, narrow=True),
        text("by", "By (a name)", "What this person or key did.", 100),
        text("action", "Action", "This action (peers.invite)."),
        *period("Done"),
    ),
    orders=(newest_by("at"), oldest_by("at")),
    columns={
        "at": "at",
        "by": "by.name",
        "kind": "by.kind",
        "role": "by.role",
        "action": "action",
        "about": "about",
        "result": "result",
        "why": "why",
        "before": "before",
        "after": "after",
        "correlation_id": "correlation_id",
        "seq": "seq",
        "hash": "hash",
    },
)
