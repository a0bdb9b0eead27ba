"""What EV_Registry answers. Public facts only: no credential or its hash, no token but the one
just issued, no certificate, no host, port or key out of the metadata.
"""

from __future__ import annotations

from datetime import datetime

from db_interface.json_data import JsonObject
from domain.charge_points.registration_records import Offer, Record
from domain.schemas import format_datetime
from domain.sites import public_metadata


def time_text(moment: datetime | None) -> str | None:
    return None if moment is None else format_datetime(moment)


def facts(record: Record) -> JsonObject:
    """A charge point as anybody may see it."""
    return {
        "cp_id": record["_id"],
        "location": record["location"],
        "status": record["status"],
        "registration_date": time_text(record["registration_date"]),
        "updated_at": time_text(record["updated_at"]),
        "last_authenticated": time_text(record["last_authenticated"]),
        "has_certificate": bool(record.get("certificate_fingerprint")),
        "metadata": public_metadata(record["metadata"]),
        **_party(record),
        "ocpi": _offer(record["ocpi"]),
    }


def _party(record: Record) -> JsonObject:
    """Which of our parties it was registered for, where that is not the first."""
    party = record.get("party")
    return {"party": f"{party['country_code']}/{party['party_id']}"} if party else {}


def _offer(ocpi: Offer | None) -> JsonObject:
    """Whether it is offered over OCPI, under which location, and what stands in the way."""
    offer: JsonObject = {"offered": bool(ocpi and ocpi["offered"])}
    for name in ("location_id", "reasons", "warnings"):
        if ocpi and ocpi.get(name):
            offer[name] = ocpi[name]
    return offer
