"""The state of every charge point, in the store, so that any worker can serve it.

`apply` is the one door: it changes the facts by an event, works out the OCPI status, and when
that changed writes the history and renews the site's OCPI location, all in one transaction.
Nothing else may write to `charge_points`, but `unheard`, which lets `heartbeat_due` follow what was
heard. Knows no HTTP and no link.

The document's shape: charge_point_documents.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from db_interface.bulk import update_each
from db_interface.database import Database
from db_interface.transaction import Tx
from domain.charge_points import registration_store, signs_of_life
from domain.charge_points.charge_point_documents import CHARGE_POINTS, ChargePoint, get, some
from domain.charge_points.charge_point_events import (
    Event,
    Missed,
    NewsTaken,
    RegistrationChanged,
    TelemetryTaken,
    facts_of,
    never_seen,
)
from domain.charge_points.evse_history import record
from domain.charge_points.evse_states import STATUS, Presence, View, view_of
from domain.charge_points.registration_records import REGISTERED, Record
from domain.charge_points.registration_store import canonical_id
from domain.charge_points.site_publishing import status_changed
from domain.charge_points.told_state import next_told_at, told_state
from domain.events.kinds import CHARGE_POINTS as EVENTS_OF
from domain.events.marks import Touched, mark_event
from domain.sites import Party

__all__ = [
    "Applied",
    "ChargePoint",
    "apply",
    "canonical_id",
    "get",
    "missed",
    "registration_changed",
    "reservations_out_of_service",
    "some",
    "took_telemetry",
    "unheard",
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
    registration = await registration_store.get(tx, cp_id, registration_store.STANDING)
    key = cp_id if registration is None else registration["_id"]
    applied = await _apply(tx, key, event, registration)
    if applied.status_changed and registration is not None:
        await status_changed(tx, registration, applied.charge_point["ocpi_status"], party)
    return applied


async def registration_changed(tx: Tx, registration: Record) -> None:
    """For EV_Registry, inside the transaction of a registration or deregistration, after it is
    written and before the site is rebuilt: the status follows at once. One that Central never
    saw stays unknown to it.
    """
    if await get(tx, registration["_id"]) is not None:
        await _apply(tx, registration["_id"], RegistrationChanged(), registration)


async def _apply(tx: Tx, key: str, event: Event, registration: Record | None) -> Applied:
    """The event's effect on the charge point and its history, not on the Location."""
    found = await get(tx, key)
    before = found or never_seen(key)
    changes = event.changes(before, tx.now)
    if changes is None:
        return Applied(before, before.get("ocpi_status"))
    # One that EV_Registry never knew is let in by setting alone, and is then as any other.
    registered = registration is None or registration["status"] == REGISTERED
    after: ChargePoint = {**before, **changes}
    view = view_of(facts_of(after, registered=registered))
    status_before, status = before.get("ocpi_status"), STATUS[view].value
    changes.update({"state": view.value, "ocpi_status": status})
    if status != status_before:
        at, n = await record(tx, before, status, _why(view, event))
        changes.update({"status_updated": at, "status_n": n})
    after.update(changes)
    if found is None or told_state(after) != told_state(before):
        after["told_at"] = changes["told_at"] = next_told_at(before, tx.now)
        mark_event(Touched(EVENTS_OF, key), tx)
    await _note_presence(tx, before, after)
    if found is None:
        await CHARGE_POINTS.of(tx).insert_one(after)
    else:
        # Several events of one transaction are one write.
        await CHARGE_POINTS.of(tx).set_later(key, changes)
    return Applied(after, status_before)


async def took_telemetry(
    tx: Tx, taken: Sequence[tuple[ChargePoint, TelemetryTaken | NewsTaken]]
) -> None:
    """Telemetry that says nothing of states, of many charge points as they were found in the
    transaction: their OCPI status stays what it is."""
    changes = [
        ({"_id": before["_id"]}, {"$set": event.changes(before, tx.now)}) for before, event in taken
    ]
    await update_each(CHARGE_POINTS.of(tx), changes)


async def _note_presence(tx: Tx, before: ChargePoint, after: ChargePoint) -> None:
    silent = Presence.SILENT.value
    if (before["presence"] == silent) == (after["presence"] == silent):
        return
    if after["presence"] == silent:
        await signs_of_life.note_silence(tx, after["_id"])
    else:
        await signs_of_life.note_speech(tx, after["_id"])


async def missed(tx: Tx, party: Party, cp_id: str, due: datetime) -> Applied | None:
    """The heartbeats up to `due` did not come. None: a sign of life was written meanwhile."""
    known = await get(tx, cp_id)
    heard = (await signs_of_life.latest(tx, [cp_id])).get(cp_id)
    if known is not None and heard is not None and _due(known, heard) > tx.now:
        return None
    return await apply(tx, party, cp_id, Missed(due))


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


async def unheard(
    db: Database, now: datetime, watched_s: float, limit: int
) -> tuple[list[tuple[str, datetime]], bool]:
    """(cp_id, heartbeat_due) of those whose heartbeats did not come, the longest overdue first;
    and whether there may be more than the `limit` that was looked at.

    Only those with a silence allowed that is no longer than `watched_s`: who has watched for
    less cannot know that nothing came. Those that were heard of all the same are due later.
    """
    rows = await CHARGE_POINTS.of(db).find(
        {"heartbeat_due": {"$lte": now}, "silence_s": {"$lte": watched_s}},
        {"heartbeat_due": 1, "silence_s": 1},
        sort=[("heartbeat_due", 1)],
        limit=limit,
    )
    signs = await signs_of_life.latest(db, [row["_id"] for row in rows]) if rows else {}
    silent, alive = [], []
    for row in rows:
        heard, due = signs.get(row["_id"]), row["heartbeat_due"]
        assert due is not None  # noqa: S101 (the query)
        if heard is None or _due(row, heard) <= now:
            silent.append((row["_id"], due))
        else:
            later = {"last_seen": heard, "heartbeat_due": _due(row, heard)}
            alive.append(({"_id": row["_id"], "heartbeat_due": due}, {"$set": later}))
    await update_each(CHARGE_POINTS.of(db), alive)
    return silent, len(rows) == limit


def _due(charge_point: ChargePoint, heard: datetime) -> datetime:
    return heard + timedelta(seconds=charge_point["silence_s"])


def _why(view: View, event: Event) -> str:
    """A removal is EV_Registry's doing, whatever event brought it to light."""
    return RegistrationChanged().why if view is View.DEREGISTERED else event.why
