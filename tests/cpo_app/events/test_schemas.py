"""The schemas of docs/events.md: its examples, and what is really sent, are as they say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from domain.events.kinds import KINDS, TYPES
from domain.events.schemas import schema_of
from domain.schemas import CDR, Location, OcpiModel, Session, Tariff, validate

_ROOT = Path(__file__).parents[3]
PAGE = (_ROOT / "docs/events.md").read_text()
EXAMPLES: list[dict[str, Any]] = [
    json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.S)
]
OBJECTS: dict[str, type[OcpiModel]] = {
    "location": Location,
    "tariff": Tariff,
    "session": Session,
    "cdr": CDR,
}
PREFIX = "org.ocpi."


def kind_of(type_: str) -> str:
    return next(kind for kind, types in TYPES.items() if type_.removeprefix(PREFIX) in types)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["type"])
def test_an_example_is_as_its_schema_says(example: dict[str, Any]) -> None:
    schema = schema_of(kind_of(example["type"]), PREFIX)
    Draft7Validator.check_schema(schema)
    assert [error.message for error in Draft7Validator(schema).iter_errors(example)] == []
    model = OBJECTS.get(example["type"].removeprefix(PREFIX).split(".")[0])
    if model is not None and example["type"].endswith(("changed", "created")):
        validate(model, example["data"])


def test_there_is_an_example_of_every_type() -> None:
    told = {f"{PREFIX}{name}" for names in TYPES.values() for name in names}
    assert {example["type"] for example in EXAMPLES} == told


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_asks_again_has_it_whole(kind: str) -> None:
    assert schema_of(kind, PREFIX) == schema_of(kind, PREFIX)


def test_a_schema_refuses_what_is_not_so() -> None:
    for kind in KINDS:
        example = next(one for one in EXAMPLES if kind_of(one["type"]) == kind)
        wrongs: list[dict[str, Any]] = [{"data": {}}, {"type": "another"}, {"specversion": "0.3"}]
        for wrong in wrongs:
            assert not Draft7Validator(schema_of(kind, PREFIX)).is_valid({**example, **wrong})


def test_attributes_are_named_as_cloud_events_may_name_them() -> None:
    """CloudEvents 1.0, Context Attributes: lower-case letters and digits, at most 20 of them."""
    for kind in KINDS:
        names = set(schema_of(kind, PREFIX)["properties"])
        assert {"specversion", "id", "source", "type"} <= names
        assert all(re.fullmatch("[a-z0-9]{1,20}", name) for name in names)
