"""The state of every charge point, in the store, so that any worker can serve it.

`apply` is the one door: it changes the facts by an event, works out the OCPI status, and when
that changed writes the history and renews the site's OCPI location, all in one transaction.
Nothing else may write to `charge_points`. Knows no HTTP and no link.

The document's shape stands in charge_point_events; derived here:
    state            evse_states.View, Central's own state
    ocpi_status      evse_states.EvseStatus
    status_updated   when it last changed
    status_n         how many entries its history has
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.owned_objects import fold
from db_interface.transaction import Tx, mongo_session
from domain.charge_points.charge_point_events import (
    Event,
    RegistrationChanged,
    facts_of,
    never_seen,
)
from domain.charge_points.evse_history import record
from domain.charge_points.evse_states import STATUS, View, view_of
from domain.charge_points.site_publishing import rebuild_site
from domain.sites import Party
from domain.times import to_milliseconds

COLLECTION = "charge_points"
REGISTERED = "REGISTERED"

Document = dict[str, Any]


@dataclass(frozen=True)
class Applied:
    """What became of an event: the charge point after it, and the status before."""

    charge_point: Document
    status_before: str | None

    @property
    def status_changed(self) -> bool:
        return self.charge_point.get("ocpi_status") != self.status_before


async def apply(
    store: DbInterface,
    party: Party,
    cp_id: str,
    event: Event,
    now: datetime,
    tx: Tx,
) -> Applied:
    """Let `event` happen to the charge point; call inside a transaction.

    `cp_id` in any case: the document is kept under the id as EV_Registry has it. A charge point
    that was never heard of gets its document here. Two workers at once: the later one's
    transaction conflicts and runs again on what the first has written.
    """
    now = to_milliseconds(now)  # as the store keeps it
    registration = await store.db["registrations"].find_one(
        {"folded_id": fold(cp_id)}, {"status": 1, "site_id": 1}, session=tx.mongo
    )
    key = cp_id if registration is None else registration["_id"]
    documents = store.db[COLLECTION]
    found = await documents.find_one({"_id": key}, session=tx.mongo)
    before: Document = found or never_seen(key)
    changes = event.changes(before, now)
    if changes is None:
        return Applied(before, before.get("ocpi_status"))
    registered = registration is not None and registration["status"] == REGISTERED
    view = view_of(facts_of({**before, **changes}, registered=registered))
    changes |= {"state": view.value, "ocpi_status": STATUS[view].value}
    status_before = before.get("ocpi_status")
    after: Document = {**before, **changes}
    if after["ocpi_status"] != status_before:
        changes |= await record(store.db, before, after["ocpi_status"], _why(view, event), now, tx)
        after |= changes
    await _write(documents, found, after, changes, tx)
    if after["ocpi_status"] != status_before and registration is not None:
        await rebuild_site(store, registration["site_id"], party, tx, now)
    return Applied(after, status_before)


async def registration_changed(
    store: DbInterface, party: Party, cp_id: str, now: datetime, tx: Tx
) -> None:
    """For EV_Registry, inside the transaction of a registration or deregistration, after it is
    written: the status follows at once. One that Central never saw stays unknown to it.
    """
    key = await canonical_id(store.db, cp_id, tx)
    if key is not None and await get(store.db, key, tx) is not None:
        await apply(store, party, key, RegistrationChanged(), now, tx)


async def get(db: Database, cp_id: str, tx: Tx | None = None) -> Document | None:
    """The document of a charge point, by its id as EV_Registry has it; None: never heard of."""
    return await db[COLLECTION].find_one({"_id": cp_id}, session=mongo_session(tx))


async def canonical_id(db: Database, cp_id: str, tx: Tx | None = None) -> str | None:
    """The id as EV_Registry has it, of one in any case; None: not registered there, ever."""
    found = await db["registrations"].find_one(
        {"folded_id": fold(cp_id)}, {"_id": 1}, session=mongo_session(tx)
    )
    return None if found is None else found["_id"]


async def overdue(
    db: Database, now: datetime, watched_s: float, limit: int
) -> list[tuple[str, datetime]]:
    """(cp_id, heartbeat_due) of those whose heartbeats did not come, the longest overdue first.

    Only those with a silence allowed that is no longer than `watched_s`: who has watched for
    less cannot know that nothing came.
    """
    found = db[COLLECTION].find(
        {"heartbeat_due": {"$lte": now}, "silence_s": {"$lte": watched_s}},
        {"heartbeat_due": 1},
    )
    rows = await found.sort("heartbeat_due", 1).limit(limit).to_list(limit)
    return [(row["_id"], row["heartbeat_due"]) for row in rows]


async def page(db: Database, *, after: str | None, limit: int) -> list[Mapping[str, Any]]:
    """Charge points for the operator, in order of their ids: every registration with its state.

    Each: {"registration": {...}, "charge_point": {...} or None}.
    """
    match: dict[str, Any] = {} if after is None else {"_id": {"$gt": after}}
    registrations: Sequence[Document] = await (
        db["registrations"]
        .find(match, {"location": 1, "status": 1, "site_id": 1})
        .sort("_id", 1)
        .limit(limit)
        .to_list(limit)
    )
    ids = [registration["_id"] for registration in registrations]
    found = await db[COLLECTION].find({"_id": {"$in": ids}}, {"command_key": 0}).to_list(None)
    by_id = {document["_id"]: document for document in found}
    return [{"registration": r, "charge_point": by_id.get(r["_id"])} for r in registrations]


async def _write(
    documents: Any, found: Document | None, after: Document, changes: Document, tx: Tx
) -> None:
    if found is None:
        await documents.insert_one(after, session=tx.mongo)
    elif changes:
        await documents.update_one({"_id": after["_id"]}, {"$set": changes}, session=tx.mongo)


def _why(view: View, event: Event) -> str:
    """A removal is EV_Registry's doing, whatever event brought it to light."""
    return RegistrationChanged().why if view is View.DEREGISTERED else event.why
