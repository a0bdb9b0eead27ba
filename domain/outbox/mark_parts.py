"""What of an object a change has touched, so that a push can be smaller than the whole. Pure.

A part is "evse:UID" (that EVSE's status, mod_locations 8.2.2.3) or "field:NAME" (a field of a
session that a PATCH may carry, mod_sessions 9.2.2.3). None: send the whole object.
"""

from __future__ import annotations

from typing import Any

from db_interface.json_data import JsonMapping

EVSE, FIELD = "evse:", "field:"

_MOMENT = "last_updated"
_OF_AN_EVSE = {"status", _MOMENT}
# What a PATCH may change in a running session any number of times with the same outcome. Not
# charging_periods: a PATCH appends them, and one that was sent twice would be charged twice.
_OF_A_SESSION = {"kwh", "total_cost"}
_MAX_EVSES = 4


def changed_parts(module: str, before: JsonMapping, after: JsonMapping) -> tuple[str, ...] | None:
    """The parts that lead from one state to the other, or None if they are not enough."""
    names = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    names.discard(_MOMENT)
    if module == "locations" and names == {"evses"}:
        return _changed_evses(before["evses"], after.get("evses", ()))
    if module == "sessions" and names and names <= _OF_A_SESSION and names <= after.keys():
        return tuple(FIELD + name for name in sorted(names))
    return None


def _changed_evses(before: Any, after: Any) -> tuple[str, ...] | None:
    if len(before) != len(after):
        return None
    touched: list[str] = []
    for old, new in zip(before, after, strict=True):
        if old == new:
            continue
        names = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
        if not names <= _OF_AN_EVSE or old["uid"] != new["uid"]:
            return None
        touched.append(EVSE + new["uid"])
    return tuple(touched) if len(touched) <= _MAX_EVSES else None
