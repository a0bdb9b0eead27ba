"""A station's configuration read, held against the templates that apply to it, and put right.

Whoever can ask the station does it: its gateway after it has booted and every so often, or an
operator from elsewhere, through the questions.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypedDict

from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.transaction import Tx
from domain.ocpp import configurations, stations, templates
from domain.ocpp.configurations import Drift
from domain.ocpp.stations import Station

Ask = Callable[[str, JsonMapping], Awaitable[JsonObject]]
"""(operation, fields) to the station's answer (cpo_app/ocpp/operations.py)."""

RATE_UNITS_16 = "ChargingScheduleAllowedChargingRateUnit"
RATE_UNITS_2 = "SmartChargingCtrlr.RateUnit"
MAX_PERIODS_16 = "ChargingScheduleMaxPeriods"
MAX_PERIODS_2 = "SmartChargingCtrlr.PeriodsPerSchedule"
_UNITS = {"current": "A", "a": "A", "power": "W", "w": "W"}
ACCEPTED = "ACCEPTED"


class NotTold(Exception):
    """The station would not tell its configuration; the message says why."""


class Configured(TypedDict):
    """`templates`: which apply. `drift`: what was not as they want it, and what the station said
    when it was told."""

    templates: list[str]
    drift: list[Drift]


async def configure(store: DbInterface, station: Station, ask: Ask) -> Configured:
    """Read, compare, put right. Raises NotTold, and whatever `ask` does."""
    known = await templates.all_of(store.db)
    wanted = templates.wanted_of(known, station)
    old = station.get("protocol") == "ocpp1.6"
    # Of a device model there is much: what is wanted of it is asked for, and no more.
    keys = [] if old else sorted({RATE_UNITS_2, MAX_PERIODS_2, *wanted})
    said = await ask("get_configuration", {"keys": keys})
    if said.get("result") != ACCEPTED:
        raise NotTold(said.get("message") or "it does not tell its configuration")
    entries = said.get("entries") or []
    drift = templates.drift_of(wanted, entries)
    if drift:
        values = [{"key": one["key"], "value": one["wanted"]} for one in drift]
        told = await ask("set_configuration", {"values": values})
        statuses = {row["key"]: row["status"] for row in told.get("statuses") or ()}
        refused = str(told.get("message") or "Rejected")
        drift = [{**one, "status": str(statuses.get(one["key"], refused))} for one in drift]
    names = templates.names_of(known, station)

    async def work(tx: Tx) -> None:
        taken = [
            {"key": one["key"], "value": one["wanted"]}
            for one in drift
            if one["status"] == "Accepted"
        ]
        held = configurations.held(tx, names, drift)
        now = [*entries, *taken]
        await configurations.keep(tx, station["_id"], now, whole=old, also=held)
        changes = _of_profiles(station, entries)
        if changes:
            await stations.update(tx, station["_id"], changes)

    await store.transact(work)
    return {"templates": names, "drift": drift}


def _of_profiles(station: Station, entries: Sequence[JsonMapping]) -> Station:
    """What is news of the charging profiles that it takes: their units, and how long they are."""
    told: dict[str, str] = {one["key"]: one.get("value") or "" for one in entries}
    changes: Station = {}
    units = _rate_units(told.get(RATE_UNITS_16) or told.get(RATE_UNITS_2) or "")
    if units and units != station.get("rate_units"):
        changes["rate_units"] = units
    most = (told.get(MAX_PERIODS_16) or told.get(MAX_PERIODS_2) or "").strip()
    if most.isdecimal() and 0 < int(most[:9]) != station.get("max_periods"):
        changes["max_periods"] = int(most[:9])
    return changes


def _rate_units(told: str) -> list[str]:
    units = [_UNITS.get(part.strip().casefold()) for part in told.split(",")]
    return sorted({unit for unit in units if unit is not None})
