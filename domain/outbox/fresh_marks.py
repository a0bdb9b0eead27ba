"""How a mark says that there is something new to tell, whoever is to be told (marks.py, and
domain/events/marks.py). Pure.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from db_interface.json_data import JsonMapping, JsonObject

# Processes know the database's clock by an estimate: for all of them a fresh mark is due at once.
_SURELY_PAST = timedelta(seconds=30)
_NO_TIME = timedelta(0)


def fresh_mark(
    now: datetime,
    *,
    first: JsonMapping,
    also: JsonMapping | None = None,
    ahead: timedelta = _NO_TIME,
) -> JsonObject:
    """The update that makes the mark, or makes one that is there fresh: due at once, never tried.

    `first`: what it says from its beginning on; `also`: what this change adds; `ahead`: how much
    further to the front it belongs than others of now.
    """
    return {
        "$set": {"version": uuid.uuid4().hex, "changed": now, "attempts": 0, **(also or {})},
        "$min": {"due": now - _SURELY_PAST - ahead},
        "$setOnInsert": {**first, "since": now},
    }
