"""A Location after the status of one EVSE changed, without deriving the rest of it anew."""

from __future__ import annotations

from datetime import datetime

from db_interface.json_data import JsonObject
from domain.objects import OcpiObject
from domain.sites.last_updated import stamp_after


def with_status(
    previous: OcpiObject, evse_uid: str, status: str, *, now: datetime
) -> JsonObject | None:
    """`previous` with that status, and the timestamps that follow; None: it has no such EVSE.

    The same as `build_location` makes of unchanged records with the new status.
    """
    evses = list(previous.get("evses", ()))
    folded = evse_uid.lower()
    at = next((n for n, evse in enumerate(evses) if evse["uid"].lower() == folded), None)
    if at is None:
        return None
    if evses[at]["status"] == status:
        return {**previous}
    stamp = stamp_after(previous, now)
    evses[at] = {**evses[at], "status": status, "last_updated": stamp}
    return {**previous, "evses": evses, "last_updated": stamp}
