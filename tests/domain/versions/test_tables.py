"""Every class and enum of the texts of 2.1.1 and 2.3.0 against our models, field by field.

tests/data/ocpi_tables_VERSION.json is made from the texts by extract_tables.py; 2.2.1's tables have
their test in tests/domain/schemas/test_tables.py.
"""

from __future__ import annotations

import json
import re
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import StrictBool
from pydantic.fields import SHAPE_LIST, SHAPE_SINGLETON

from domain import schemas
from domain.schemas import OcpiModel
from domain.schemas.enums import CommandType as CommandType221
from domain.schemas.types import CiString, DateTime, Int, Number, String, Url
from domain.schemas.versions import ModuleIdentifier
from domain.versions import VERSIONS, ObjectKind
from domain.versions.v2_1_1.schemas.enums import CommandType as CommandType211
from domain.versions.v2_3_0.schemas.enums import OpenEnum

DATA = Path(__file__).parents[2] / "data"
NUMBERS = ("2.1.1", "2.3.0")
TABLES = {
    number: json.loads((DATA / f"ocpi_tables_{number.replace('.', '_')}.json").read_text())
    for number in NUMBERS
}
# Objects of modules that a CPO need not have, and that ours has not.
NOT_OURS = {"2.1.1": set(), "2.3.0": {"InvoiceReconciliationRecord"}}
CLASSES = [
    (number, name)
    for number in NUMBERS
    for name in TABLES[number]["classes"]
    if name not in NOT_OURS[number]
]
# Strings without a length in the table.
UNBOUNDED = {"string": String, "CiString": CiString}
OWN_LENGTH = 255


@cache
def models(number: str) -> dict[str, type[OcpiModel]]:
    """Every class that a version's objects are made of, by its name."""
    found: dict[str, type[OcpiModel]] = {}

    def walk(model: type[OcpiModel]) -> None:
        name = model.__name__
        assert found.setdefault(name, model) is model, f"two classes {name} in {number}"
        for field in model.__fields__.values():
            if isinstance(field.type_, type) and issubclass(field.type_, OcpiModel):
                walk(field.type_)

    for model in VERSIONS[number].models.values():
        walk(model)
    return found


@cache
def enums(number: str) -> dict[str, type]:
    used: dict[str, type] = {
        field.type_.__name__: field.type_
        for model in models(number).values()
        for field in model.__fields__.values()
        if isinstance(field.type_, type) and issubclass(field.type_, (Enum, OpenEnum))
    }
    # Not fields of an object: a path segment, and a whole answer.
    used["CommandType"] = CommandType211 if number == "2.1.1" else CommandType221
    used["ChargingPreferencesResponse"] = schemas.ChargingPreferencesResponse
    return used


@pytest.mark.parametrize("number", NUMBERS)
def test_we_have_exactly_the_classes_of_the_text(number: str) -> None:
    assert set(models(number)) == set(TABLES[number]["classes"]) - NOT_OURS[number]


def test_commands_of_2_1_1_are_answered_and_end_with_the_same_class() -> None:
    models = VERSIONS["2.1.1"].models
    assert models[ObjectKind.COMMAND_RESPONSE] is models[ObjectKind.COMMAND_RESULT]
    assert ObjectKind.CANCEL_RESERVATION not in models


@pytest.mark.parametrize("number", NUMBERS)
def test_fields_are_those_of_the_tables(number: str) -> None:
    for class_name, rows in TABLES[number]["classes"].items():
        if class_name not in NOT_OURS[number]:
            assert set(models(number)[class_name].__fields__) == set(rows), class_name


@pytest.mark.parametrize(("number", "class_name"), CLASSES)
def test_fields_are_as_their_rows_say(number: str, class_name: str) -> None:
    for name, (kind, cardinality) in TABLES[number]["classes"][class_name].items():
        field = models(number)[class_name].__fields__[name]
        assert bool(field.required) == (cardinality in ("1", "+")), name
        assert field.shape == (SHAPE_LIST if cardinality in ("*", "+") else SHAPE_SINGLETON), name
        if field.shape == SHAPE_LIST:
            _, error = field.validate([], {}, loc=name)
            assert (error is not None) == (cardinality == "+"), name
        has_type(number, field.type_, kind)


def has_type(number: str, ours: Any, kind: str) -> None:
    tables = TABLES[number]
    if text := re.fullmatch(r"([sS]tring|CiString)[(\[](?:1\.\.)?(\d+)[)\]]", kind):
        # 2.1.1's string is printable ASCII, as is a CiString.
        strings = (String, CiString) if number == "2.1.1" else String
        assert issubclass(ours, CiString if text[1] == "CiString" else strings)
        assert ours.max_length == int(text[2])
    elif kind in UNBOUNDED:
        assert issubclass(ours, UNBOUNDED[kind])
        assert ours.max_length == OWN_LENGTH
    elif integer := re.fullmatch(r"int(?:\((\d)\))?", kind):
        assert issubclass(ours, Int)
        if integer[1]:
            assert len(str(ours.maximum)) == int(integer[1])
    elif kind == "ModuleID":
        assert ours is ModuleIdentifier  # parties may add their own
    elif kind in tables["open_enums"]:
        assert issubclass(ours, OpenEnum)
        assert ours.__name__ == kind
    elif kind in tables["enums"]:
        assert issubclass(ours, Enum)
        assert ours.__name__ == kind
    elif kind in tables["classes"]:
        assert ours is models(number)[kind]
    else:
        exact = {"boolean": StrictBool, "DateTime": DateTime, "URL": Url}
        assert ours is exact[kind] if kind in exact else issubclass(ours, Number)
        assert kind in exact or kind == "number"


@pytest.mark.parametrize(
    ("number", "enum_name"),
    [
        (number, name)
        for number in NUMBERS
        for section in ("enums", "open_enums")
        for name in TABLES[number][section]
        if name != "ModuleID"
    ],
)
def test_enum_values_are_those_of_the_table(number: str, enum_name: str) -> None:
    ours = enums(number)[enum_name]
    if enum_name in TABLES[number]["open_enums"] and issubclass(ours, OpenEnum):
        assert set(ours.known) == set(TABLES[number]["open_enums"][enum_name])
    else:
        table = {**TABLES[number]["enums"], **TABLES[number]["open_enums"]}[enum_name]
        assert issubclass(ours, Enum)
        assert {member.value for member in ours} == set(table)


def test_an_open_enum_takes_a_value_that_the_text_does_not_know() -> None:
    connector = {
        "id": "1",
        "standard": "ACME_PLUG",
        "format": "CABLE",
        "power_type": "DC",
        "max_voltage": 800,
        "max_amperage": 500,
        "last_updated": "2025-01-01T00:00:00Z",
    }
    assert schemas.validate(VERSIONS["2.3.0"].models[ObjectKind.CONNECTOR], connector) == connector
    with pytest.raises(schemas.SchemaError):
        schemas.validate(schemas.Connector, connector)
