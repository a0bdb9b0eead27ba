"""How an object that was taken over differs from the one in the file, field by field.

It compares what was given with what came out, so it cannot forget a mend that is made elsewhere.
What says nothing (null, an object of nulls) and is left out is no change: OCPI reads both alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from pydantic import StrictBool
from pydantic.fields import SHAPE_LIST, ModelField

from db_interface.json_data import JsonMapping
from domain.imports.json_rows import printable
from domain.imports.report import Change
from domain.schemas.leniency import CONTROL
from domain.schemas.types import (
    CiString,
    Country,
    CountryCode,
    Currency,
    DateTime,
    Int,
    Language,
    Latitude,
    LocalTime,
    Longitude,
    Number,
    OcpiModel,
    String,
    TimeZone,
    Url,
)

UNKNOWN = "unknown field dropped"

# The first base that fits names the change: special types before the general ones.
_KINDS: tuple[tuple[type, str], ...] = (
    (Enum, "spelling of an enumerated value mended"),
    (Country, "country written as its code"),
    (CountryCode, "country code in upper case"),
    (Currency, "currency in upper case"),
    (Language, "language cut to its code"),
    (Latitude, "coordinate with 5 to 7 decimals"),
    (Longitude, "coordinate with 5 to 7 decimals"),
    (LocalTime, "time of day written as HH:MM"),
    (TimeZone, "spelling of a time zone mended"),
    (Url, "URL made valid"),
    (DateTime, "timestamp written in UTC as OCPI has it"),
    (Int, "number out of text"),
    (Number, "number out of text, or rounded"),
)


def changes(
    model: type[OcpiModel], given: JsonMapping, taken: JsonMapping, path: str = ""
) -> Iterator[Change]:
    """What was changed between `given` and `taken`, an object of the model."""
    if given == taken:
        return
    for name, value in given.items():
        if name not in model.__fields__ and not _says_nothing(value):
            yield Change(UNKNOWN, path + printable(name, 80))
    for name, field in model.__fields__.items():
        yield from _of_field(field, given.get(name), taken.get(name), path + name)


def _of_field(field: ModelField, given: Any, taken: Any, path: str) -> Iterator[Change]:
    if given is None or taken is None:
        if taken is not None:
            yield Change("filled in", path)
        elif isinstance(given, str):
            yield Change("text without a value left out", path)
        elif not _says_nothing(given):
            yield Change("dropped", path)
        return
    if field.shape != SHAPE_LIST:
        yield from _of_value(field.type_, given, taken, path)
        return
    if not isinstance(given, list):
        yield Change("a single value made a list", path)
        given = [given]
    for one, other in zip((item for item in given if item is not None), taken, strict=False):
        yield from _of_value(field.type_, one, other, path)


def _of_value(kind: Any, given: Any, taken: Any, path: str) -> Iterator[Change]:
    if isinstance(given, dict) and isinstance(taken, dict):
        if issubclass(kind, OcpiModel):
            yield from changes(kind, given, taken, f"{path}.")
    elif given != taken or isinstance(given, bool) is not isinstance(taken, bool):
        yield Change(_kind_of_change(kind, given), path)


def _kind_of_change(kind: Any, given: Any) -> str:
    if kind is StrictBool:
        return "true or false out of text or a number"
    for base, name in _KINDS:
        if issubclass(kind, base):
            return name
    if issubclass(kind, (String, CiString)):
        if not isinstance(given, str):
            return "number taken as text"
        return "control characters replaced" if CONTROL.search(given) else "blanks trimmed"
    return "rewritten"


def _says_nothing(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_says_nothing(item) for item in value.values())
    return value is None or value == []
