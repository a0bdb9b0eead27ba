"""What others are told of a charge point's state: the engine's reports as they stand, without meter
values (sessions have those), addresses and keys. Pure.

It says what is so, and not since when each report is known: a report that repeats the state of
before is no change.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypedDict

from domain.charge_points.charge_point_documents import ChargePoint, Fault
from domain.sites import ocpi_id
from domain.times import format_datetime

_STEP = timedelta(milliseconds=1)


class ToldConnector(TypedDict):
    id: str
    state: str
    ev_state: str
    error_code: str | None
    session_id: str | None


class ToldState(TypedDict):
    """`status` is the EVSE's in OCPI, `evse_uid` what its location calls it; `state` is Central's
    own view, `presence` whether its monitor speaks."""

    charge_point_id: str
    evse_uid: str
    status: str | None
    status_since: str | None
    state: str | None
    presence: str
    operative: bool
    engine_state: str | None
    faults: list[Fault]
    session_id: str | None
    reservation_id: str | None
    connectors: list[ToldConnector]


def told_state(charge_point: ChargePoint) -> ToldState:
    since = charge_point.get("status_updated")
    return {
        "charge_point_id": charge_point["_id"],
        "evse_uid": ocpi_id(charge_point["_id"]),
        "status": charge_point.get("ocpi_status"),
        "status_since": None if since is None else format_datetime(since),
        "state": charge_point.get("state"),
        "presence": charge_point["presence"],
        "operative": charge_point["operative"],
        "engine_state": charge_point.get("engine_state"),
        "faults": [
            {"code": fault["code"], "message": fault["message"]} for fault in charge_point["faults"]
        ],
        "session_id": charge_point["session_id"],
        "reservation_id": charge_point["reservation_id"],
        "connectors": [
            {
                "id": connector["id"],
                "state": connector["state"],
                "ev_state": connector["ev_state"],
                "error_code": connector["error_code"],
                "session_id": connector["session_id"],
            }
            for connector in charge_point["connectors"]
        ],
    }


def told_at(charge_point: ChargePoint) -> datetime | None:
    """When that changed last; None: not since it is noted."""
    return charge_point.get("told_at") or charge_point.get("status_updated")


def next_told_at(before: ChargePoint, now: datetime) -> datetime:
    """The moment of a change: later than the one before, so that no two states have the same."""
    known = told_at(before)
    return now if known is None else max(now, known + _STEP)
