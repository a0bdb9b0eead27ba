"""A charge point on one line: its registration and what Central knows of it, put together. Pure.

Never a key, a hash, or where an engine listens: the projections leave them in the store.
"""

from __future__ import annotations

from db_interface.json_data import JsonMapping, JsonObject
from domain.charge_points.evse_states import EvseStatus, View
from domain.charge_points.registration_records import REGISTERED

SHOWN = dict.fromkeys(
    (
        "ocpi_status",
        "state",
        "operative",
        "operative_told",
        "presence",
        "last_seen",
        "status_updated",
        "heartbeat_interval_s",
        "heartbeat_due",
        "registered_at",
        "telemetry_at",
        "engine_state",
        "faults",
        "connectors",
        "session_id",
        "reservation_id",
        "clock",
    ),
    1,
)
REGISTRATION_SHOWN = {"location": 1, "status": 1, "site_id": 1, "party": 1, "ocpi": 1}


def row_of(registration: JsonMapping, charge_point: JsonMapping | None) -> JsonObject:
    """A charge point in a table."""
    facts = charge_point or {}
    removed = registration["status"] != REGISTERED
    unseen = View.DEREGISTERED if removed else View.SILENT
    ocpi = registration.get("ocpi") or {}
    status = EvseStatus.REMOVED.value if removed else facts.get("ocpi_status")
    return {
        "id": registration["_id"],
        "place": registration.get("location"),
        "party": _party(registration.get("party")),
        "status": status or EvseStatus.UNKNOWN.value,
        "state": unseen.value if removed else facts.get("state", unseen.value),
        "since": facts.get("status_updated"),
        "operative": facts.get("operative", True),
        "last_seen": facts.get("last_seen"),
        "never_seen": charge_point is None,
        "session": facts.get("session_id") or _session_reported(facts),
        "faults": faults_of(facts),
        "clock_offset_s": (facts.get("clock") or {}).get("offset_s"),
        "offered": bool(ocpi.get("offered")),
        "reasons": ocpi.get("reasons") or [],
        "connectors": facts.get("connectors") or [],
    }


def faults_of(charge_point: JsonMapping) -> list[str]:
    """What its monitor reports, then what its engine reports of connectors."""
    said = [
        ": ".join(part for part in (fault["code"], fault.get("message")) if part)
        for fault in charge_point.get("faults") or ()
    ]
    for connector in charge_point.get("connectors") or ():
        if connector.get("error_code"):
            said.append(f"connector {connector['id']}: {connector['error_code']}")
    if not said and charge_point.get("engine_state") in ("FAULTED", "UNREACHABLE"):
        said.append(f"engine {charge_point['engine_state']}")
    return said


def _party(named: JsonMapping | None) -> str | None:
    """Which of our parties it was registered for; None: the first."""
    return None if named is None else f"{named['country_code']}/{named['party_id']}"


def _session_reported(charge_point: JsonMapping) -> str | None:
    """By a connector of its engine; Central may not know of it (yet)."""
    sessions = (row.get("session_id") for row in charge_point.get("connectors") or ())
    return next((session for session in sessions if session), None)
