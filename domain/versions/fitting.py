"""An object brought into another version's form, by that version's models, with what gets lost.

The models say which fields there are, which values an enum has and how long a text may be; `Rules`
say the rest: other names, nearest values, and `shape` functions for what needs thought. What the
other form says just so stays as it is, which is seen at a glance of a value, a part or the whole:
nearly everything is as it was in the next version. What it cannot say is left out and noted. A part
that could not be said truly without a field that is mandatory is left out as a whole; where that
cannot be either, nothing is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache

from pydantic.fields import SHAPE_LIST

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


class Notes:
    """Where losses are noted, under the path of the part in hand."""

    __slots__ = ("_above", "_losses", "_step")

    def __init__(
        self, losses: list[Loss], above: Notes | None = None, step: str | int = ""
    ) -> None:
        self._losses, self._above, self._step = losses, above, step

    def at(self, step: str | int) -> Notes:
        return Notes(self._losses, self, step)

    def lost(self, name: str, reason: str) -> None:
        """`name` of the part in hand; "" is that part itself."""
        steps = [name] if name else []
        here: Notes | None = self
        while here is not None and here._above is not None:  # the path is put together only now
            steps.append(str(here._step))
            here = here._above
        self._losses.append(Loss(".".join(reversed(steps)), reason))


Shape = Callable[[JsonObject, Notes, Context], JsonObject]
"""Given an object's fields under their own names (a copy): the fields for the other form, under the
names that the rules translate."""


@dataclass(frozen=True, eq=False)
class Rules:
    """How objects become those of `into`, by class of the target's models. One is known by itself,
    not by what it says: what follows from it is worked out once."""

    into: str
    """the version, as people read it: "OCPI 2.1.1" """
    names: Mapping[type[OcpiModel], Mapping[str, str]] = field(default_factory=dict)
    """by target class: the target's name of a field and the one that it has here"""
    nearest: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """by name of the target's enum: the value to put for one that it lacks, or for ANY"""
    shapes: Mapping[type[OcpiModel], Shape] = field(default_factory=dict)
    text: Callable[[str], str] | None = None
    """what becomes of free text"""


_Stays = Callable[[object], bool]
"""Whether the other form says a value just so. False: look more closely."""

_Fit = Callable[[type, object, Rules, Context, Notes], object]


def fitting(
    models: Mapping[ObjectKind, type[OcpiModel]], rules: Rules
) -> dict[ObjectKind, Convert]:
    """A converter for each kind of object. It raises Unconvertible."""
    return {kind: _fitting_one(model, rules) for kind, model in models.items()}


def _fitting_one(model: type[OcpiModel], rules: Rules) -> Convert:
    def convert(given: JsonMapping, context: Context) -> Converted:
        if _form(model, rules).stays(given):
            return Converted(dict(given))
        losses: list[Loss] = []
        try:
            made = _object(model, given, rules, context, Notes(losses))
        except LeftOut as reason:
            raise Unconvertible(str(reason)) from None
        return Converted(made, tuple(losses))

    return convert


@dataclass(frozen=True)
class _Field:
    """A field of a target class, as it is asked for each time."""

    name: str
    own_name: str
    kind: type
    is_list: bool
    required: bool
    stays: _Stays
    one_stays: _Stays
    """of a list, each of its values"""
    fit: _Fit


@dataclass(frozen=True)
class _Form:
    """A target class under some rules."""

    fields: tuple[_Field, ...]
    shape: Shape | None
    stays: _Stays


@cache
def _form(model: type[OcpiModel], rules: Rules) -> _Form:
    names, shape = rules.names.get(model, {}), rules.shapes.get(model)
    fields = []
    for name, of in model.__fields__.items():
        kind, is_list = of.type_, of.shape == SHAPE_LIST
        one_stays = _value_staying(kind, rules)
        stays = _list_staying(one_stays) if is_list else one_stays
        own_name, required = names.get(name, name), bool(of.required)
        fields.append(
            _Field(name, own_name, kind, is_list, required, stays, one_stays, _way_of(kind))
        )
    stays = _nothing_stays if shape or names else _object_staying(fields)
    return _Form(tuple(fields), shape, stays)


def _nothing_stays(_value: object) -> bool:
    return False


def _object_staying(fields: Sequence[_Field]) -> _Stays:
    known = {each.name: (each.stays, each.required) for each in fields}
    number_required = sum(each.required for each in fields)

    def stays(given: object) -> bool:
        if type(given) is not dict:
            return False
        missing = number_required
        for name, value in given.items():
            field = known.get(name)
            if field is None or value is None or not field[0](value):
                return False
            missing -= field[1]
        return missing == 0

    return stays


def _list_staying(one: _Stays) -> _Stays:
    return lambda values: type(values) is list and all(map(one, values))


def _value_staying(kind: type, rules: Rules) -> _Stays:
    way = _way_of(kind)
    if way is _as_it_is:
        return lambda _: True
    if way is _part:
        return _form(kind, rules).stays
    if way is _enumerated:
        values = _values_of(kind)
        return lambda value: type(value) is str and value in values
    if not issubclass(kind, CiString | String) or (way is _text and rules.text is not None):
        return _nothing_stays
    longest = kind.max_length
    return lambda value: type(value) is str and len(value) <= longest


def _way_of(kind: type) -> _Fit:
    if issubclass(kind, OcpiModel):
        return _part
    if issubclass(kind, Enum):
        return _enumerated
    if issubclass(kind, CiString):
        return _identifier
    if issubclass(kind, String) and not issubclass(kind, Url):
        return _text
    return _as_it_is


def _object(
    model: type[OcpiModel], given: JsonMapping, rules: Rules, context: Context, notes: Notes
) -> JsonObject:
    form = _form(model, rules)
    source = dict(given)
    if form.shape is not None:
        source = form.shape(source, notes, context)
    made: JsonObject = {}
    for each in form.fields:
        value = source.pop(each.own_name, None)
        if value is None:
            if each.required:
                raise LeftOut(f"{each.own_name}: {rules.into} must have it")
            continue
        if each.stays(value):
            made[each.name] = value
            continue
        here = notes.at(each.own_name)
        try:
            if each.is_list:
                made[each.name] = _list(each, value, rules, context, here)
            else:
                made[each.name] = each.fit(each.kind, value, rules, context, here)
        except LeftOut as reason:
            if each.required:
                raise
            here.lost("", str(reason))
    for name, value in source.items():
        if value is not None and value != []:
            notes.lost(name, f"{rules.into} has no such field")
    return made


def _list(
    of: _Field, values: list[object], rules: Rules, context: Context, notes: Notes
) -> list[object]:
    made = []
    for number, value in enumerate(values):
        if of.one_stays(value):
            made.append(value)
            continue
        here = notes.at(number)
        try:
            made.append(of.fit(of.kind, value, rules, context, here))
        except LeftOut as reason:
            here.lost("", str(reason))
    if values and not made and of.required:
        raise LeftOut(f"left out: nothing of its {of.name} can be said")
    return made


def _as_it_is(
    _kind: type, value: object, _rules: Rules, _context: Context, _notes: Notes
) -> object:
    return value


def _part(kind: type, value: object, rules: Rules, context: Context, notes: Notes) -> object:
    if not isinstance(value, dict):
        raise LeftOut("left out: not an object")
    return _object(kind, value, rules, context, notes)


@cache
def _values_of(kind: type[Enum]) -> frozenset[str]:
    return frozenset(str(member.value) for member in kind)


def _enumerated(kind: type, value: object, rules: Rules, _context: Context, notes: Notes) -> object:
    text = str(value.value if isinstance(value, Enum) else value)
    if text in _values_of(kind):
        return text
    known = rules.nearest.get(kind.__name__, {})
    nearest = known.get(text, known.get(ANY))
    if nearest is None:
        raise LeftOut(f"left out: {rules.into} has no {kind.__name__} {text}")
    notes.lost("", f"{rules.into} has no {kind.__name__} {text}: {nearest}")
    return nearest


def _identifier(kind: type, value: object, rules: Rules, _context: Context, notes: Notes) -> object:
    longest = kind.max_length if issubclass(kind, CiString) else 0
    if isinstance(value, str) and len(value) > longest:
        raise LeftOut(f"left out: {rules.into} takes at most {longest} characters")
    return value


def _text(kind: type, value: object, rules: Rules, _context: Context, notes: Notes) -> object:
    if not isinstance(value, str) or not issubclass(kind, String):
        return value
    plain = value if rules.text is None else rules.text(value)
    if plain != value:
        notes.lost("", f"{rules.into} takes only printable ASCII")
    if len(plain) > kind.max_length:
        notes.lost("", f"{rules.into} takes at most {kind.max_length} characters")
        return plain[: kind.max_length].rstrip()
    return plain
