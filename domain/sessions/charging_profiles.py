"""The charging profile of a session: noted while its charge point obeys it, and who hears of it.

The profile itself is obeyed by the charge point; what was accepted stands on the session
(session_document: `profile`, `profile_peers`). Everyone that has ever set one is told of every
change of the ActiveChargingProfile that they did not ask for (OCPI 2.2.1, 15.3.2.2).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from db_interface.database import Database
from db_interface.transaction import Tx
from domain.commands import command_queue
from domain.commands.command_delivery import DeliveryRecord
from domain.objects import OcpiObject
from domain.schemas import format_datetime
from domain.sessions.session_document import ChargingSession, ProfileListener
from domain.sessions.session_records import SESSIONS
from domain.sites.power_types import PHASES

UPDATE = "PROFILE_UPDATE"
PUT_BACK = "INNER_PROFILE"
"""The charge point is to obey what stands on the session: a peer's profile, a plan, or nothing."""

TOLD_BEFORE = timedelta(seconds=60)
"""So long before a charge point comes to the end of what it was told it is told more."""
TOLD_AGAIN = timedelta(seconds=20)
"""Sooner than that it is not."""

UPDATE_DURATION_S = 3600
"""Of the profiles that we send unasked: "between 5 and 60 minutes" (15.3.2.2)."""
UPDATE_WITHIN = timedelta(minutes=5)
"""An update that could not be delivered for longer tells nothing any more."""


async def keep(
    tx: Tx, session_id: str, delivery: DeliveryRecord, charging_profile: OcpiObject
) -> None:
    """The charge point obeys this profile now, as the peer of `delivery` asked."""
    peer_id = delivery["peer_id"]
    listener: ProfileListener = {
        "peer_id": peer_id,
        "from_party": delivery["from_party"],
        "to_party": delivery["to_party"],
        "correlation_id": delivery["correlation_id"],
    }
    profile = {
        "peer_id": peer_id,
        "charging_profile": dict(charging_profile),
        "set_at": tx.now,
    }
    await SESSIONS.of(tx).update_one(
        {"_id": session_id}, {"$set": {"profile": profile, f"profile_peers.{peer_id}": listener}}
    )


async def forget(tx: Tx, session_id: str) -> None:
    """The charge point obeys no profile any more."""
    await SESSIONS.of(tx).update_one({"_id": session_id}, {"$unset": {"profile": ""}})


async def told_until(tx: Tx, session_id: str, until: datetime | None) -> None:
    """The charge point knows what it is to obey up to then; None: all of it."""
    if until is None:
        await SESSIONS.of(tx).update_one(
            {"_id": session_id, "limit_due": {"$exists": True}}, {"$unset": {"limit_due": ""}}
        )
        return
    due = max(until - TOLD_BEFORE, tx.now + TOLD_AGAIN)
    await SESSIONS.of(tx).update_one({"_id": session_id}, {"$set": {"limit_due": due}})


async def to_be_told(db: Database, limit: int) -> list[ChargingSession]:
    """[{_id}] of sessions whose charge point is to be told more."""
    return await SESSIONS.of(db).find(
        {"limit_due": {"$lte": db.now()}}, {"_id": 1}, sort=[("limit_due", 1)], limit=limit
    )


async def tell_more(tx: Tx, session_id: str, within: timedelta) -> bool:
    """The charge point is told what follows of what stands on the session; False: nothing does, or
    not yet."""
    session = await SESSIONS.of(tx).find_one({"_id": session_id})
    if session is None or "limit_due" not in session or session["limit_due"] > tx.now:
        return False
    if not session["running"] or ("profile" not in session and "plan" not in session):
        await told_until(tx, session_id, None)
        return False
    # Should it not be reached: then once more.
    await told_until(tx, session_id, tx.now + within + TOLD_BEFORE)
    await command_queue.add(
        tx,
        PUT_BACK,
        cp_id=session["cp_id"],
        deadline=tx.now + within,
        also={"session_id": session_id},
    )
    return True


async def active_profile_changed(
    tx: Tx, session: ChargingSession, active: OcpiObject, *, asked_by: str | None = None
) -> int:
    """Let everyone know who has ever set a profile on the session, but whoever asked for the
    change: `active` is the ActiveChargingProfile now.

    Returns how many updates are on their way (PUT {their chargingprofiles}/{session_id}).
    """
    peers = session.get("profile_peers", {})
    concerned = [listener for peer_id, listener in peers.items() if peer_id != asked_by]
    until = tx.now + UPDATE_WITHIN
    for listener in concerned:
        delivery: DeliveryRecord = {
            "peer_id": listener["peer_id"],
            "from_party": listener["from_party"],
            "to_party": listener["to_party"],
            "correlation_id": listener["correlation_id"],
            "method": "PUT",
            "module": "chargingprofiles",
            "path": session["_id"],
            "until": until,
        }
        await command_queue.add(
            tx,
            UPDATE,
            cp_id=None,
            deadline=until,
            also={"result": active, "session_id": session["_id"], "delivery": delivery},
        )
    return len(concerned)


def unlimited(connector: OcpiObject, now: datetime) -> dict[str, Any]:
    """The ActiveChargingProfile where none is in force: "the maximum charging capacity of the
    EVSE" (15.3.2.2), from the connector's power in watts."""
    phases = PHASES.get(connector["power_type"], 1)
    volts_amperes = connector["max_voltage"] * connector["max_amperage"] * phases
    watts = connector.get("max_electric_power") or volts_amperes
    return {
        "start_date_time": format_datetime(now),
        "charging_profile": {
            "charging_rate_unit": "W",
            "charging_profile_period": [{"start_period": 0, "limit": watts}],
        },
    }
