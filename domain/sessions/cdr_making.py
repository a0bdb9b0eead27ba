"""The CDR of a session that has ended: made from its document, never changed. No I/O.

Location, EVSE, connector, tariffs and token are those of the start (mod_cdrs, CDR object); the
periods and the price are the session's own (session_object.course_of).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.objects import OcpiObject
from domain.pricing import negate
from domain.schemas import format_datetime, validate
from domain.sessions.session_document import ChargingSession
from domain.sessions.session_object import TOKEN_FIELDS, Course
from domain.sites.identifiers import evse_id_of
from domain.versions.inner import CDR

# CdrLocation is shorter than Location in these (mod_cdrs, CdrLocation).
_MAX_LENGTH = {"name": 255, "address": 45, "city": 45, "postal_code": 10, "state": 20}
_NOT_AVAILABLE = "#NA"
_COPIED = (
    "country_code",
    "party_id",
    "auth_method",
    "authorization_reference",
    "meter_id",
    "currency",
    "signed_data",
)
_FREE = {"excl_vat": 0.0, "incl_vat": 0.0}


def cdr_location(location: OcpiObject, evse: OcpiObject, connector: OcpiObject) -> dict[str, Any]:
    """The CdrLocation of a connector, as it is now; texts too long for it are cut."""
    texts = {
        name: location[name][:most].rstrip()
        for name, most in _MAX_LENGTH.items()
        if location.get(name)
    }
    owner = location["country_code"], location["party_id"]
    return {
        **texts,
        "id": location["id"],
        "country": location["country"],
        "coordinates": dict(location["coordinates"]),
        "evse_uid": evse["uid"],
        "evse_id": evse.get("evse_id") or evse_id_of(evse["uid"], *owner) or _NOT_AVAILABLE,
        "connector_id": connector["id"],
        "connector_standard": connector["standard"],
        "connector_format": connector["format"],
        "connector_power_type": connector["power_type"],
    }


def make_cdr(
    document: ChargingSession, course: Course, now: datetime, cdr_id: str | None = None
) -> dict[str, Any]:
    """The CDR of an ended session; its id is the session's unless `cdr_id` is given.

    Where no tariff is in force it is free of charge. Raises SchemaError.
    """
    known: Mapping[str, Any] = document
    fields = {name: known[name] for name in _COPIED if known.get(name) is not None}
    if course.priced is None:
        energy = sum(_volume(period, "ENERGY") for period in course.periods)
        hours = (course.end - course.start).total_seconds() / 3600
        totals = {"total_cost": _FREE, "total_energy": round(energy, 4), "total_time": hours}
    else:
        totals = course.priced.totals()
    if course.tariffs:
        fields["tariffs"] = course.tariffs
    fields |= {
        "id": cdr_id or document["_id"],
        "session_id": document["_id"],
        "start_date_time": format_datetime(course.start),
        "end_date_time": format_datetime(course.end),
        "cdr_token": {name: document["token"][name] for name in TOKEN_FIELDS},
        "cdr_location": document["cdr_location"],
        "charging_periods": course.periods,
        "last_updated": format_datetime(now),
        **totals,
    }
    reason = document.get("end_reason")
    if reason:
        how = "estimated" if document.get("estimated") else "ended"
        fields["remark"] = f"{how}: {reason}"[:255]
    return validate(CDR, fields)


def credit_of(original: OcpiObject, now: datetime) -> dict[str, Any]:
    """The credit CDR of a CDR. Raises SchemaError."""
    fields = {
        **negate(original),
        "id": f"{original['id']}-C",
        "credit": True,
        "credit_reference_id": original["id"],
        "last_updated": format_datetime(now),
    }
    return validate(CDR, fields)


def _volume(period: OcpiObject, kind: str) -> float:
    volumes: list[float] = [d["volume"] for d in period["dimensions"] if d["type"] == kind]
    return sum(volumes)
