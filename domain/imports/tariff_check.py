"""A tariff while it is being written: what an import would say of it, each with its line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import orjson

from db_interface.json_data import JsonObject
from domain.imports.json_lines import line_of, lines_of
from domain.imports.tariff_import import judged_tariff
from domain.schemas import SchemaError

MAX_SAID = 30
_LINE = re.compile(r"line (\d+) column (\d+)")
_PATH = re.compile(r"[a-z_]+(?:\[\d+\]|\.[a-z_]+|\.\d+)*")


@dataclass(frozen=True)
class Problem:
    """`line` from 1; `path` empty where the text as a whole is meant."""

    line: int
    path: str
    text: str


@dataclass(frozen=True)
class Checked:
    """`tariff` as it would be kept; None while anything speaks against it."""

    tariff: JsonObject | None = None
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def check_tariff(text: str, *, last_updated: str) -> Checked:
    """The same judgement as an import's (tariff_import.py); `last_updated` where it says none."""
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        place = _LINE.search(str(error))
        line = int(place[1]) if place else 1
        said = str(error).partition(":")[0]
        return Checked(problems=[Problem(line, "", f"no valid JSON: {said}")])
    if not isinstance(given, dict):
        return Checked(problems=[Problem(1, "", "is no JSON object")])
    lines = lines_of(text)
    try:
        tariff, wrong, odd = judged_tariff({"last_updated": last_updated, **given})
    except SchemaError as error:
        found = [Problem(line_of(path, lines), path, said) for path, said in error.errors]
        return Checked(problems=sorted(found, key=lambda one: one.line)[:MAX_SAID])
    problems = [_placed(said, lines) for said in wrong[:MAX_SAID]]
    warnings = [_placed(said, lines) for said in odd[:MAX_SAID]]
    return Checked(None if problems else tariff, problems, warnings)


def _placed(said: str, lines: dict[tuple[str | int, ...], int]) -> Problem:
    """Of a sentence that begins with the field that it is about."""
    named = _PATH.match(said)
    path = named[0] if named else ""
    line = line_of(path, lines)
    return Problem(line, path if line > 1 else "", said.removeprefix(path).lstrip(": ") or said)
