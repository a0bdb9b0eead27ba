"""Rows as CSV (RFC 4180) that a spreadsheet may open: times are UTC, and no text is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone

import orjson

from db_interface.json_data import JsonMapping

_FORMULA = tuple("=+-@\t\r\n")


def lines(columns: Mapping[str, str], rows: Iterable[JsonMapping]) -> str:
    """`columns`: by name, the path of the value in a row."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([_cell(_value(row, path)) for path in columns.values()] for row in rows)
    return out.getvalue()


def heading(columns: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(columns)
    return out.getvalue()


def harmless(text: str) -> str:
    """What others have written must not be calculated; and a carriage return would end the row,
    for some readers."""
    said = text.replace("\r", " ")
    return f"'{said}" if text.startswith(_FORMULA) else said


def _value(row: JsonMapping, path: str) -> object:
    found: object = row
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return harmless("; ".join(value))
    return harmless(orjson.dumps(value, default=str).decode())
