"""`last_updated` moves only when the object really changes, and then its parents' with it.

Source: OCPI 2.2.1, mod_locations: the timestamp when a Location "or one of its EVSEs or
Connectors" was last updated.

Two states of an object never bear the same timestamp: who has seen one must be able to tell that
the other is newer.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from db_interface.json_data import JsonMapping, JsonObject
from domain.schemas import format_datetime, parse_datetime

MIN_STEP = timedelta(milliseconds=1)
"""The finest that the wire form tells apart."""


def stamped(location: JsonMapping, previous: JsonMapping | None, now: datetime) -> JsonObject:
    """The location (without timestamps) with those of `previous` where nothing has changed.

    The new timestamp is `now`, but always later than the previous one.
    """
    stamp = stamp_after(previous, now)
    return _stamped(location, previous, stamp, ("evses", "uid"), ("connectors", "id"))


def _stamped(
    new: JsonMapping,
    old: JsonMapping | None,
    stamp: str,
    *levels: tuple[str, str],
) -> JsonObject:
    result = {key: value for key, value in new.items() if key != "last_updated"}
    if levels and levels[0][0] in result:
        (children, identifier), deeper = levels[0], levels[1:]
        known = {str(child[identifier]).lower(): child for child in (old or {}).get(children, [])}
        result[children] = [
            _stamped(child, known.get(str(child[identifier]).lower()), stamp, *deeper)
            for child in result[children]
        ]
    if old and {**result, "last_updated": old["last_updated"]} == dict(old):
        return {**result, "last_updated": old["last_updated"]}
    return {**result, "last_updated": stamp}


def stamp_after(previous: JsonMapping | None, now: datetime) -> str:
    """`now` in its wire form, but a millisecond after the previous one at least."""
    if now.tzinfo is None:
        now = now.replace(tzinfo=timezone.utc)
    if previous:
        now = max(now, parse_datetime(previous["last_updated"]) + MIN_STEP)
    return format_datetime(now)
