"""How boxes depart from OCPP in ways that cannot be seen in a single message: noted by the operator
for a station, which alone is then treated otherwise. What can be seen is mended without being told
(cpo_app/ocpp/tolerance.py). Each with its reason; all are read somewhere, a test holds that.
"""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from db_interface.interface import DbInterface
from domain.charge_points import registration_store, site_keys
from domain.ocpp.stations import Station

NO_SUBPROTOCOL = "no_subprotocol"
LOCAL_TIME = "local_time"
SLOW_CALLS = "slow_calls"

QUIRKS: Mapping[str, str] = {
    NO_SUBPROTOCOL: "It names no subprotocol when it connects, as OCPP 1.5 did not: it is spoken "
    "to in OCPP 1.6. Others that name none are refused, for nobody knows what they speak.",
    LOCAL_TIME: "Its times bear no zone and are those of the clock on the wall. They are read in "
    "the time zone of its location; without this they are UTC, as OCPP has it, and its sessions "
    "would be hours off or held.",
    SLOW_CALLS: "It loses what it is asked right after it has answered (small modems, boxes that "
    "write to flash first): it is asked at most once a second.",
}


def has(station: Station, quirk: str) -> bool:
    return quirk in station.get("quirks", ())


async def wall_clock(store: DbInterface, station: Station) -> ZoneInfo | None:
    """The time zone of the station's location, where its times are of that; None: they are UTC."""
    if not has(station, LOCAL_TIME):
        return None
    record = await registration_store.get(store.db, station["_id"], ("site_id",))
    if record is None:
        return None
    lid = site_keys.location_id_of(record["site_id"])
    rows = await store.objects("locations").documents({"lid": lid})
    return ZoneInfo(rows[0]["fields"]["time_zone"]) if rows else None
