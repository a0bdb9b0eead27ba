"""A day or a month of a charge point as a bar: its statuses as pieces of a line. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from cpo_app.console.words import duration, moment
from db_interface.json_data import JsonMapping, JsonObject

MAX_PIECES = 300
"""With more the bar is made of as many even slices, each in its worst status."""
_WORST_FIRST = (
    *("OUTOFORDER", "UNKNOWN", "INOPERATIVE", "BLOCKED", "RESERVED", "CHARGING", "AVAILABLE"),
)


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
    if len(pieces) > MAX_PIECES:
        pieces = _slices(pieces[::-1], since, length)[::-1]
    for piece in pieces:
        start_s = (piece["begin"] - since).total_seconds()
        width_s = (piece["end"] - piece["begin"]).total_seconds()
        piece["x"] = round(1000 * start_s / length, 2)
        piece["width"] = round(max(1000 * width_s / length, 1.5), 2)
        times = f"from {moment(piece['begin'])} to {moment(piece['end'])} UTC"
        piece["said"] = f"{piece.pop('mixed', piece['status'])} {times}"
    return pieces[::-1]


def _slices(pieces: Sequence[JsonMapping], since: datetime, length_s: float) -> list[JsonObject]:
    """Even slices of the time of `pieces` (in order): so that no short fault is too thin to see."""
    step = timedelta(seconds=length_s / MAX_PIECES)
    slices: list[JsonObject] = []
    nth = 0
    for number in range(MAX_PIECES):
        begin, end = since + number * step, since + (number + 1) * step
        seconds: dict[str, float] = {}
        while nth < len(pieces):
            piece = pieces[nth]
            shared = min(end, piece["end"]) - max(begin, piece["begin"])
            if shared > timedelta(0):
                known = seconds.get(piece["status"], 0.0)
                seconds[piece["status"]] = known + shared.total_seconds()
            if piece["end"] > end:
                break
            nth += 1
        if seconds:
            worst = min(seconds, key=_rank)
            mixed = ", ".join(f"{name} {duration(s)}" for name, s in seconds.items())
            slices.append({"status": worst, "begin": begin, "end": end, "mixed": mixed})
    return slices


def _rank(status: str) -> int:
    return _WORST_FIRST.index(status) if status in _WORST_FIRST else len(_WORST_FIRST)
