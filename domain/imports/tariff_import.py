"""Tariffs out of files: which are refused though they are valid, and which only warned of.

A tariff whose restrictions contradict each other, or that cannot be priced, is refused: it would
bill what nobody meant. What merely looks odd goes in with a warning. One contradiction is so
common in the field that it only warns: the day-ahead tariffs of 2025 and 2026 whose elements have
one day as start_date and as end_date, which is exclusive, so that they never apply.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from db_interface.json_data import JsonObject
from domain.imports.changes import changes
from domain.imports.file_import import Refused, Understood
from domain.objects.tariffs import owned_tariff
from domain.pricing import tariff_problems
from domain.schemas import tidy_tariff, validate
from domain.versions.own import Tariff

_WARNING = "warning: "
_ONE_DAY = re.compile(r"(elements\[\d+\])\S* start_date (\S+) is not below end_date \2: never true")
_LONGEST = 400


def judged_tariff(row: JsonObject) -> tuple[JsonObject, list[str], list[str]]:
    """The tariff of a row, what speaks against it, and what is odd in it. Raises SchemaError."""
    tariff = validate(Tariff, tidy_tariff(row, Tariff))
    return tariff, *_judged(tariff_problems(tariff))


def read_tariff(row: JsonObject) -> Understood:
    """The tariff of a row, and what is odd in it. Raises SchemaError or Refused."""
    tariff, wrong, odd = judged_tariff(row)
    if wrong:
        raise Refused(_cut("; ".join(wrong)))
    return Understood(owned_tariff(tariff), odd, list(changes(Tariff, row, tariff)))


def _judged(problems: Iterable[str]) -> tuple[list[str], list[str]]:
    """What speaks against a tariff, and what is only odd in it."""
    wrong: list[str] = []
    odd: list[str] = []
    never: list[str] = []
    for text in problems:
        one_day = _ONE_DAY.match(text)
        if one_day:
            never.append(one_day[1])
        elif text.startswith(_WARNING):
            odd.append(text.removeprefix(_WARNING))
        else:
            wrong.append(text)
    if never:
        odd.append(
            f"{len(never)} elements from {never[0]} on never apply: their end_date, which is "
            "exclusive, is their start_date"
        )
    return wrong, odd


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]} ..."
