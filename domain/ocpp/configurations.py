"""The collection `ocpp_configurations`: what a station told of its configuration, the last time.

Values that are secrets are never kept. What a station of OCPP 2.0.1 reports comes in parts
(NotifyReport), each in a message of its own; it counts once the last one is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypedDict

from db_interface.collection import Collection, Where
from db_interface.json_data import JsonMapping
from db_interface.transaction import Tx
from domain.ocpp import variables

MAX_ENTRIES = 5000
MAX_VALUE = 2500
"""OCPP 2.0.1, attributeValue; 1.6 has 500."""
_SECRET = ("authorizationkey", "password", "privatekey")
HIDDEN = "(not shown)"


class Entry(TypedDict, total=False):
    key: str
    value: str | None
    readonly: bool


class Drift(TypedDict):
    """A value that is not what a template wants. `status`: what the station said to being told;
    empty: it has not been told."""

    key: str
    wanted: str
    has: str | None
    template: str
    status: str


class Report(TypedDict):
    """What has come of a report under way."""

    request_id: int
    entries: list[Entry]


class Configuration(TypedDict, total=False):
    """A document of `ocpp_configurations`."""

    _id: str
    """station"""
    entries: list[Entry]
    read_at: datetime
    report: Report | None
    templates: list[str]
    """which apply to it"""
    held_at: datetime
    """when it was last held against them"""
    drift: list[Drift]
    """what was found then, and what became of it"""


CONFIGURATIONS: Collection[Configuration] = Collection("ocpp_configurations")


def is_secret(key: str) -> bool:
    return any(word in key.casefold().replace("_", "") for word in _SECRET)


async def get(where: Where, station: str) -> Configuration | None:
    return await CONFIGURATIONS.of(where).find_one({"_id": station})


async def keep(
    tx: Tx,
    station: str,
    told: Iterable[JsonMapping],
    *,
    whole: bool,
    also: Configuration | None = None,
) -> None:
    """What it told just now: all that it has (`whole`), or some of it. `also`: `held`."""
    known = None if whole else await get(tx, station)
    before = [] if known is None else known.get("entries", [])
    entries = {entry["key"]: entry for entry in before}
    for row in told:
        entry = _entry(row)
        entries[entry["key"]] = {**entries.get(entry["key"], {}), **entry}
    kept = sorted(entries.values(), key=lambda entry: entry["key"])[:MAX_ENTRIES]
    await _set(tx, station, {**(also or {}), "entries": kept, "read_at": tx.now})


async def report_asked(tx: Tx, station: str, request_id: int) -> None:
    """It is about to report all that it has."""
    await _set(tx, station, {"report": {"request_id": request_id, "entries": []}})


async def report_part(tx: Tx, station: str, report: JsonMapping) -> None:
    """A NotifyReport; of a report that nobody waits for nothing is kept."""
    known = await get(tx, station)
    waiting = None if known is None else known.get("report")
    if waiting is None or waiting["request_id"] != report.get("requestId"):
        return
    told = [_entry(row) for row in variables.entries_of(report)]
    so_far = [*waiting["entries"], *told][:MAX_ENTRIES]
    if report.get("tbc"):
        await _set(tx, station, {"report": {**waiting, "entries": so_far}})
        return
    await keep(tx, station, so_far, whole=True)
    await _set(tx, station, {"report": None})


def held(tx: Tx, templates: Sequence[str], drift: Sequence[Drift]) -> Configuration:
    """That it was held against the templates just now."""
    hidden: list[Drift] = [
        {**one, "wanted": HIDDEN, "has": HIDDEN} if is_secret(one["key"]) else one for one in drift
    ]
    return {"templates": list(templates), "held_at": tx.now, "drift": hidden}


async def _set(tx: Tx, station: str, changes: Configuration) -> None:
    await CONFIGURATIONS.of(tx).update_one({"_id": station}, {"$set": changes}, upsert=True)


def _entry(row: JsonMapping) -> Entry:
    key = str(row["key"])[:200]
    value = row.get("value")
    if value is not None:
        value = HIDDEN if is_secret(key) else str(value)[:MAX_VALUE]
    entry: Entry = {"key": key, "value": value}
    if row.get("readonly") is not None:
        entry["readonly"] = bool(row["readonly"])
    return entry
