"""An object brought into another version's form, by that version's models, with what gets lost.

The models say which fields there are, which values an enum has and how long a text may be; `Rules`
say the rest: other names, nearest values, and `shape` functions for what needs thought. What the
other form cannot say is left out and noted. A part that could not be said truly without a field
that is mandatory is left out as a whole; where that cannot be either, nothing is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from pydantic.fields import SHAPE_LIST, ModelField

from db_interface.json_data import JsonMapping, JsonObject
from domain.schemas import OcpiModel
from domain.schemas.types import CiString, String, Url
from domain.versions.ocpi_version import (
    Context,
    Convert,
    Converted,
    Loss,
    ObjectKind,
    Unconvertible,
)

ANY = "*"
"""In `Rules.nearest`: every value that is not named."""


class LeftOut(ValueError):
    """A part that cannot be said in the other form: it, or what it is a part of, is left out."""


@dataclass(frozen=True)
class Notes:
    """Where losses are noted, under the path of the part in hand."""

    losses: list[Loss]
    path: str = ""

    def at(self, step: str | int) -> Notes:
        return Notes(self.losses, f"{self.path}.{step}" if self.path else str(step))

    def lost(self, name: str, reason: str) -> None:
        path = ".".join(part for part in (self.path, name) if part)
        self.losses.append(Loss(path, reason))


Shape = Callable[[JsonObject, Notes, Context], JsonObject]
"""Given an object's fields under their own names (a copy): the fields for the other form, under the
names that the rules translate."""


@dataclass(frozen=True)
class Rules:
    """How objects become those of `into`, by class of the target's models."""

    into: str
    """the version, as people read it: "OCPI 2.1.1" """
    names: Mapping[type[OcpiModel], Mapping[str, str]] = field(default_factory=dict)
    """by target class: the target's name of a field and the one that it has here"""
    nearest: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """by name of the target's enum: the value to put for one that it lacks, or for ANY"""
    shapes: Mapping[type[OcpiModel], Shape] = field(default_factory=dict)
    text: Callable[[str], str] | None = None
    """what becomes of free text"""


def fit(model: type[OcpiModel], given: JsonMapping, rules: Rules, context: Context) -> Converted:
    """The object in the model's form. Raises Unconvertible."""
    losses: list[Loss] = []
    try:
        made = _object(model, given, rules, context, Notes(losses))
    except LeftOut as reason:
        raise Unconvertible(str(reason)) from None
    return Converted(made, tuple(losses))


def _object(
    model: type[OcpiModel], given: JsonMapping, rules: Rules, context: Context, notes: Notes
) -> JsonObject:
    source = dict(given)
    shape = rules.shapes.get(model)
    if shape is not None:
        source = shape(source, notes, context)
    names = rules.names.get(model, {})
    made: JsonObject = {}
    for name, model_field in model.__fields__.items():
        value = source.pop(names.get(name, name), None)
        if value is None:
            if model_field.required:
                raise LeftOut(f"{names.get(name, name)}: {rules.into} must have it")
            continue
        here = notes.at(names.get(name, name))
        try:
            if model_field.shape == SHAPE_LIST:
                made[name] = _list(model_field, value, rules, context, here)
            else:
                made[name] = _value(model_field, value, rules, context, here)
        except LeftOut as reason:
            if model_field.required:
                raise
            here.lost("", str(reason))
    for name, value in source.items():
        if value is not None and value != []:
            notes.lost(name, f"{rules.into} has no such field")
    return made


def _list(
    model_field: ModelField, values: list[object], rules: Rules, context: Context, notes: Notes
) -> list[object]:
    made = []
    for number, value in enumerate(values):
        here = notes.at(number)
        try:
            made.append(_value(model_field, value, rules, context, here))
        except LeftOut as reason:
            here.lost("", str(reason))
    if values and not made and model_field.required:
        raise LeftOut(f"left out: nothing of its {model_field.name} can be said")
    return made


def _value(
    model_field: ModelField, value: object, rules: Rules, context: Context, notes: Notes
) -> object:
    kind = model_field.type_
    if not isinstance(kind, type):
        return value
    if issubclass(kind, OcpiModel):
        if not isinstance(value, dict):
            raise LeftOut("left out: not an object")
        return _object(kind, value, rules, context, notes)
    if issubclass(kind, Enum):
        return _enumerated(kind, value, rules, notes)
    if issubclass(kind, CiString) and isinstance(value, str) and len(value) > kind.max_length:
        raise LeftOut(f"left out: {rules.into} takes at most {kind.max_length} characters")
    if issubclass(kind, String) and isinstance(value, str) and not issubclass(kind, Url):
        return _text(kind, value, rules, notes)
    return value


def _enumerated(kind: type[Enum], value: object, rules: Rules, notes: Notes) -> object:
    text = value.value if isinstance(value, Enum) else value
    if text in {member.value for member in kind}:
        return text
    known = rules.nearest.get(kind.__name__, {})
    nearest = known.get(str(text), known.get(ANY))
    if nearest is None:
        raise LeftOut(f"left out: {rules.into} has no {kind.__name__} {text}")
    notes.lost("", f"{rules.into} has no {kind.__name__} {text}: {nearest}")
    return nearest


def _text(kind: type[String], value: str, rules: Rules, notes: Notes) -> str:
    plain = value if rules.text is None else rules.text(value)
    if plain != value:
        notes.lost("", f"{rules.into} takes only printable ASCII")
    if len(plain) > kind.max_length:
        notes.lost("", f"{rules.into} takes at most {kind.max_length} characters")
        return plain[: kind.max_length].rstrip()
    return plain


def fitting(
    models: Mapping[ObjectKind, type[OcpiModel]], rules: Rules
) -> dict[ObjectKind, Convert]:
    """A converter by `fit` for each kind of object."""
    return {kind: _fitting_one(model, rules) for kind, model in models.items()}


def _fitting_one(model: type[OcpiModel], rules: Rules) -> Convert:
    def convert(given: JsonMapping, context: Context) -> Converted:
        return fit(model, given, rules, context)

    return convert
