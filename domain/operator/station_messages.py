"""The messages of the station whose EVSE a charge point is, as an operator sees them."""

from __future__ import annotations

from datetime import datetime

from db_interface.database import Database
from db_interface.json_data import JsonObject
from domain.ocpp import message_log, stations


async def of_charge_point(
    db: Database,
    cp_id: str,
    *,
    action: str | None = None,
    message_id: str | None = None,
    text: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 100,
) -> list[JsonObject] | None:
    """The newest first; None: it speaks no OCPP. A station that waits to be added has some, too."""
    seat = await stations.of_charge_point(db, cp_id)
    station = await stations.get(db, cp_id) if seat is None else seat[0]
    if station is None:
        return None
    rows = await message_log.listed(
        db,
        station["_id"],
        action=action,
        message_id=message_id,
        text=text,
        since=since,
        until=until,
        limit=limit,
    )
    return [dict(row) for row in rows]
