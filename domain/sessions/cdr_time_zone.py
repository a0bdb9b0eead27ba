"""The time zone that a CDR was priced in: kept with the session, as a CDR has no field for it."""

from __future__ import annotations

from db_interface.interface import DbInterface
from domain.objects import OcpiObject
from domain.sessions.session_records import SESSIONS


async def time_zone_of(store: DbInterface, cdr: OcpiObject) -> str:
    """The time zone that the CDR was priced in: its session's, else its location's, else UTC."""
    session_id = cdr.get("session_id")
    if session_id:
        known = await SESSIONS.of(store.db).find_one({"_id": session_id}, {"time_zone": 1})
        if known is not None:
            return known["time_zone"]
    rows = await store.objects("locations").documents({"lid": cdr["cdr_location"]["id"].lower()})
    return str(rows[0]["fields"]["time_zone"]) if rows else "UTC"
