"""How commands show results on stdout: JSON for scripts, lines for people (tables: tables.py)."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from datetime import datetime
from enum import Enum

import orjson

from db_interface.json_data import JsonMapping

_TIME_IN_JSON = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)")


def print_json(data: object) -> None:
    """Indented JSON; dates as ISO text."""
    text = orjson.dumps(data, default=str, option=orjson.OPT_INDENT_2).decode()
    sys.stdout.write(text + "\n")


def print_line(text: str) -> None:
    sys.stdout.write(text + "\n")


def print_facts(facts: JsonMapping) -> None:
    """Name and value, a line each."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        sys.stdout.write(f"{name:<{width}}  {plain_text(value)}\n")


def note(message: str) -> None:
    """For the person, not for the pipe."""
    sys.stderr.write(message + "\n")


def plain_text(value: object) -> str:
    """A value as people write it; never as Python does."""
    if value is None or value == {} or value == []:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, Enum):
        return plain_text(value.value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {plain_text(item)}" for name, item in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        separator = "; " if any(isinstance(item, Mapping) for item in value) else " "
        return separator.join(map(plain_text, value))
    # What an API has told is JSON: its times are texts.
    time = _TIME_IN_JSON.fullmatch(value) if isinstance(value, str) else None
    return f"{time[1]} {time[2]}" if time else str(value)
