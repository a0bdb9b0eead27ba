"""A day of a charge point as a bar: its statuses as pieces of a line. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from db_interface.json_data import JsonMapping, JsonObject


def timeline(changes: Sequence[JsonMapping], since: datetime, until: datetime) -> list[JsonObject]:
    """The statuses of [since, until) as pieces {status, begin, end, x, width} of a bar of 1000.

    `changes` newest first; before the oldest of them its `from` held.
    """
    pieces: list[JsonObject] = []
    end, length = until, (until - since).total_seconds()
    for change in changes:
        begin = max(change["at"], since)
        if begin < end:
            pieces.append({"status": change["to"], "begin": begin, "end": end})
            end = begin
        if change["at"] <= since:
            break
    else:
        before = changes[-1]["from"] if changes else None
        if before is not None and since < end:
            pieces.append({"status": before, "begin": since, "end": end})
    for piece in pieces:
        start_s = (piece["begin"] - since).total_seconds()
        width_s = (piece["end"] - piece["begin"]).total_seconds()
        piece["x"] = round(1000 * start_s / length, 2)
        piece["width"] = round(max(1000 * width_s / length, 1.5), 2)
    return pieces[::-1]
