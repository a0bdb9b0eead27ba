"""Every class and enum of the OCPI text's tables against our models, field by field.

tests/data/ocpi_tables.json is made from the text by extract_tables.py.
"""

from __future__ import annotations

import json
import re
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import py_ocpi.core.enums as core_enums
import pytest
from pydantic import StrictBool
from pydantic.fields import SHAPE_LIST, SHAPE_SINGLETON, ModelField

from domain import schemas
from domain.schemas import OcpiModel
from domain.schemas.cdrs import SESSION_ONLY_DIMENSIONS
from domain.schemas.commands import COMMAND_REQUESTS
from domain.schemas.enums import CommandType
from domain.schemas.types import CiString, DateTime, Int, Number, String, Url
from domain.schemas.versions import ModuleIdentifier

TABLES = json.loads((Path(__file__).parents[2] / "data" / "ocpi_tables.json").read_text())
every_class = pytest.mark.parametrize("class_name", TABLES["classes"])


@cache
def models() -> dict[str, type[OcpiModel]]:
    return {
        name: value
        for name, value in vars(schemas).items()
        if isinstance(value, type) and issubclass(value, OcpiModel) and value is not OcpiModel
    }


def enums_in_use() -> dict[str, type[Enum]]:
    used = {
        field.type_.__name__: field.type_
        for model in models().values()
        for field in model.__fields__.values()
        if issubclass(field.type_, Enum)
    }
    # Not fields of an object: a path segment, a whole answer, and a list of the library's.
    used |= {e.__name__: e for e in (CommandType, schemas.ChargingPreferencesResponse)}
    return used


def test_we_have_exactly_the_classes_of_the_text() -> None:
    assert set(models()) == set(TABLES["classes"])


@every_class
def test_fields_and_their_order_are_those_of_the_table(class_name: str) -> None:
    assert list(models()[class_name].__fields__) == list(TABLES["classes"][class_name])


@every_class
def test_cardinality_is_that_of_the_table(class_name: str) -> None:
    for name, (_, cardinality) in TABLES["classes"][class_name].items():
        field = models()[class_name].__fields__[name]
        assert bool(field.required) == (cardinality in ("1", "+")), name
        assert field.shape == (SHAPE_LIST if cardinality in ("*", "+") else SHAPE_SINGLETON), name
        if field.shape == SHAPE_LIST:
            _, error = field.validate([], {}, loc=name)
            assert (error is not None) == (cardinality == "+"), name


@every_class
def test_type_and_length_are_those_of_the_table(class_name: str) -> None:
    for name, (kind, _) in TABLES["classes"][class_name].items():
        check_type(models()[class_name].__fields__[name].type_, kind)


def check_type(ours: Any, kind: str) -> None:
    if text := re.fullmatch(r"(string|CiString)\((\d+)\)", kind):
        assert issubclass(ours, CiString if text[1] == "CiString" else String)
        assert ours.max_length == int(text[2])
    elif integer := re.fullmatch(r"int(?:\((\d)\))?", kind):
        assert issubclass(ours, Int)
        if integer[1]:
            assert ours.minimum >= 0
            assert len(str(ours.maximum)) == int(integer[1])
    elif kind == "ModuleID":
        assert ours is ModuleIdentifier  # an enum that parties may extend, so the text says
    elif kind in TABLES["enums"]:
        assert ours.__name__ == kind
    elif kind in TABLES["classes"]:
        assert ours is models()[kind]
    else:
        exact = {"boolean": StrictBool, "DateTime": DateTime, "URL": Url}
        assert ours is exact[kind] if kind in exact else issubclass(ours, Number)


@pytest.mark.parametrize(
    "enum_name", [name for name in TABLES["enums"] if name not in ("ModuleID",)]
)
def test_enum_values_are_those_of_the_table(enum_name: str) -> None:
    ours = enums_in_use()[enum_name]
    assert [member.value for member in ours] == TABLES["enums"][enum_name]


def test_module_ids_are_those_of_the_table_but_for_one_too_many_of_the_library() -> None:
    extra = {member.value for member in core_enums.ModuleID} - set(TABLES["enums"]["ModuleID"])
    assert extra == {"clientinfo"}


def test_each_command_has_its_request_object() -> None:
    assert set(COMMAND_REQUESTS) == set(TABLES["enums"]["CommandType"])


def test_session_only_dimensions_are_dimensions() -> None:
    assert set(TABLES["enums"]["CdrDimensionType"]) >= SESSION_ONLY_DIMENSIONS


@every_class
def test_text_is_taken_up_to_its_length_and_no_further(class_name: str) -> None:
    for field in models()[class_name].__fields__.values():
        if issubclass(field.type_, (String, CiString)) and field.type_.pattern is None:
            check_length(f"{class_name}.{field.name}", field)


def check_length(path: str, field: ModelField) -> None:
    if issubclass(field.type_, Url):
        longest: Any = "https://example.com/".ljust(255, "x")
    elif path == "Location.time_zone":
        longest = "Europe/Oslo"
    else:
        longest = "x" * field.type_.max_length
    wrap = (lambda v: [v]) if field.shape == SHAPE_LIST else (lambda v: v)
    assert field.validate(wrap(longest), {}, loc=path) == (wrap(longest), None)
    too_long = longest.ljust(field.type_.max_length + 1, "x")
    assert field.validate(wrap(too_long), {}, loc=path)[1] is not None
    if not issubclass(field.type_, (Url, CiString)) and path != "Location.time_zone":
        # Lengths are in characters, not bytes.
        umlauts = "ü" * field.type_.max_length
        assert field.validate(wrap(umlauts), {}, loc=path) == (wrap(umlauts), None)
