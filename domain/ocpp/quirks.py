"""How boxes depart from OCPP in ways that cannot be seen in a single message; what can be seen is
mended without being told (cpo_app/ocpp/tolerance.py). Each quirk with its reason; all are read
somewhere, a test holds that.

A box has the quirks that are known of its make (KNOWN, by what it says of itself when it boots,
each with where it is told of), and those that the operator has noted for the station: on or off,
which outranks what is known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from db_interface.interface import DbInterface
from domain.charge_points import registration_store, site_keys
from domain.ocpp.stations import Station

NO_SUBPROTOCOL = "no_subprotocol"
LOCAL_TIME = "local_time"
SLOW_CALLS = "slow_calls"
SLOW_START = "slow_start"
QUIET_BEFORE_BOOT = "quiet_before_boot"

QUIRKS: Mapping[str, str] = {
    NO_SUBPROTOCOL: "It names no subprotocol when it connects, as OCPP 1.5 did not: it is spoken "
    "to in OCPP 1.6. Others that name none are refused, for nobody knows what they speak. "
    "(Grizzl-E did so with some firmware: https://github.com/lbbrhzn/ocpp/issues/442; it cannot "
    "be known before it has connected.)",
    LOCAL_TIME: "Its times bear no zone and are those of the clock on the wall. They are read in "
    "the time zone of its location; without this they are UTC, as OCPP has it, and its sessions "
    "would be hours off or held.",
    SLOW_CALLS: "It loses what it is asked right after it has answered (small modems, boxes that "
    "write to flash first): it is asked at most once a second.",
    SLOW_START: "It drops the connection where its StartTransaction is answered at once: the "
    "answer is kept back for a second.",
    QUIET_BEFORE_BOOT: "What it is asked before its BootNotification is through throws it off, and "
    "it begins anew, for ever: it is asked nothing before, for 20 s at most.",
}


@dataclass(frozen=True)
class KnownBox:
    """Boxes of which a quirk is known: each pattern fits the whole of what they say of themselves,
    ignoring case; None fits all."""

    quirk: str
    source: str
    """where it is told of, in public"""
    vendor: str | None = None
    model: str | None = None
    firmware: str | None = None

    def fits(self, station: Station) -> bool:
        wanted = (
            (self.vendor, station.get("vendor")),
            (self.model, station.get("model")),
            (self.firmware, station.get("firmware")),
        )
        return all(
            pattern is None or re.fullmatch(pattern, said or "", re.IGNORECASE)
            for pattern, said in wanted
        )


KNOWN: tuple[KnownBox, ...] = (
    KnownBox(
        LOCAL_TIME,
        "https://github.com/evcc-io/evcc/issues/10399",
        vendor="Growatt",
        model="THOR.*",
    ),
    KnownBox(
        SLOW_START,
        "https://github.com/lbbrhzn/ocpp/issues/2080",
        model=r"F2ME\.EPROSE.*",
        firmware=r"2\.9\.3",
    ),
    KnownBox(
        QUIET_BEFORE_BOOT,
        "https://github.com/lbbrhzn/ocpp/issues/1503",
        vendor="Wall Box Chargers",
        firmware=r"6\.[67]\..*",
    ),
)


def has(station: Station, quirk: str) -> bool:
    if quirk in station.get("quirks", ()):
        return True
    if quirk in station.get("quirks_off", ()):
        return False
    return any(box.quirk == quirk and box.fits(station) for box in KNOWN)


def in_force(station: Station) -> list[str]:
    """All that the station has."""
    return [quirk for quirk in QUIRKS if has(station, quirk)]


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
