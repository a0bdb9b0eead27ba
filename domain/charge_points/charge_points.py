"""The state of every charge point, in the store, so that any worker can serve it.

`apply` is the one door: it changes the facts by an event, works out the OCPI status, and when
that changed writes the history and renews the site's OCPI location, all in one transaction.
Nothing else may write to `charge_points`. Knows no HTTP and no link.

The document's shape: charge_point_documents.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from db_interface.database import Database
from db_interface.transaction import Tx
from domain.charge_points import registration_store
from domain.charge_points.charge_point_documents import CHARGE_POINTS, ChargePoint, get
from domain.charge_points.charge_point_events import (
    Event,
    RegistrationChanged,
    facts_of,
    never_seen,
)
from domain.charge_points.evse_history import record
from domain.charge_points.evse_states import STATUS, View, view_of
from domain.charge_points.registration_records import REGISTERED, Record
from domain.charge_points.registration_store import canonical_id
from domain.charge_points.site_publishing import status_changed
from domain.sites import Party

__all__ = [
    "Applied",
    "ChargePoint",
    "apply",
    "canonical_id",
    "get",
    "overdue",
    "registration_changed",
    "reservations_out_of_service",
]


@dataclass(frozen=True)
class Applied:
    """What became of an event: the charge point after it, and the status before."""

    charge_point: ChargePoint
    status_before: str | None

    @property
    def status_changed(self) -> bool:
        return self.charge_point.get("ocpi_status") != self.status_before


async def apply(tx: Tx, party: Party, cp_id: str, event: Event) -> Applied:
    """Let `event` happen to the charge point, and let the Location of its site follow.

    `cp_id` in any case: the document is kept under the id as EV_Registry has it. A charge point
    that was never heard of gets its document here. Two workers at once: the later one's
    transaction conflicts and runs again on what the first has written.
    """
    registration = await registration_store.get(tx, cp_id, ("status", "site_id", "ocpi"))
    key = cp_id if registration is None else registration["_id"]
    applied = await _apply(tx, key, event, registration)
    if applied.status_changed and registration is not None:
        await status_changed(tx, registration, applied.charge_point["ocpi_status"], party)
    return applied


async def registration_changed(tx: Tx, cp_id: str) -> None:
    """For EV_Registry, inside the transaction of a registration or deregistration, after it is
    written and before the site is rebuilt: the status follows at once. One that Central never
    saw stays unknown to it.
    """
    registration = await registration_store.get(tx, cp_id, ("status",))
    if registration is not None and await get(tx, registration["_id"]) is not None:
        await _apply(tx, registration["_id"], RegistrationChanged(), registration)


async def _apply(tx: Tx, key: str, event: Event, registration: Record | None) -> Applied:
    """The event's effect on the charge point and its history, not on the Location."""
    found = await get(tx, key)
    before = found or never_seen(key)
    changes = event.changes(before, tx.now)
    if changes is None:
        return Applied(before, before.get("ocpi_status"))
    registered = registration is not None and registration["status"] == REGISTERED
    after: ChargePoint = {**before, **changes}
    view = view_of(facts_of(after, registered=registered))
    status_before, status = before.get("ocpi_status"), STATUS[view].value
    changes.update({"state": view.value, "ocpi_status": status})
    if status != status_before:
        at, n = await record(tx, before, status, _why(view, event))
        changes.update({"status_updated": at, "status_n": n})
    after.update(changes)
    if found is None:
        await CHARGE_POINTS.of(tx).insert_one(after)
    else:
        await CHARGE_POINTS.of(tx).update_one({"_id": key}, {"$set": changes})
    return Applied(after, status_before)


async def reservations_out_of_service(
    db: Database, statuses: Sequence[str], limit: int
) -> list[str]:
    """Keys of the reservations at charge points of these OCPI statuses."""
    rows = await CHARGE_POINTS.of(db).find(
        {"reservation_id": {"$type": "string"}, "ocpi_status": {"$in": list(statuses)}},
        {"reservation_id": 1},
        limit=limit,
    )
    return [row["reservation_id"] for row in rows if row["reservation_id"]]


async def overdue(
    db: Database, now: datetime, watched_s: float, limit: int
) -> list[tuple[str, datetime]]:
    """(cp_id, heartbeat_due) of those whose heartbeats did not come, the longest overdue first.

    Only those with a silence allowed that is no longer than `watched_s`: who has watched for
    less cannot know that nothing came.
    """
    rows = await CHARGE_POINTS.of(db).find(
        {"heartbeat_due": {"$lte": now}, "silence_s": {"$lte": watched_s}},
        {"heartbeat_due": 1},
        sort=[("heartbeat_due", 1)],
        limit=limit,
    )
    return [(row["_id"], row["heartbeat_due"]) for row in rows if row["heartbeat_due"]]


def _why(view: View, event: Event) -> str:
    """A removal is EV_Registry's doing, whatever event brought it to light."""
    return RegistrationChanged().why if view is View.DEREGISTERED else event.why
