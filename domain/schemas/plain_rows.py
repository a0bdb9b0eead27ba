"""Rows of a file that are right as they are, seen at a glance: most of them are, and mending and
checking each of their fields would find nothing to do. For imports only, as leniency.py is.

Whatever is not plainly right (or might not be) is left to mending and validation, which know what
to make of it and what to say: a glance may only ever miss, and must never take what they would
change or refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import lru_cache, partial
from typing import NamedTuple, cast

import orjson
from pydantic import StrictBool
from pydantic.fields import SHAPE_LIST, SHAPE_SINGLETON, ModelField

from db_interface.json_data import JsonObject
from domain.schemas.leniency import NO_VALUE, mender_of, spelled_right
from domain.schemas.types import (
    CiString,
    DateTime,
    Int,
    Latitude,
    Longitude,
    Number,
    OcpiModel,
    String,
)
from domain.schemas.validation import SchemaError, validate
from domain.times import normalise_datetime

IsRight = Callable[[object], object]
"""Something of a value that stays as it is; nothing, ValueError or TypeError of another."""


class NotPlain(ValueError):
    """It has to be mended, or checked at least."""


class Rule(NamedTuple):
    """What a model's own validators ask between its fields, in other words."""

    instead_of: frozenset[str]
    """the validators' names: a model that has others is no plain one any more"""
    met: Callable[[JsonObject], bool]


_NO_VALUE = "(?!(?:{})$)".format("|".join(sorted(filter(None, NO_VALUE))))
_IDENTIFIER = r"(?i:%s)[!-~](?:[ -~]{0,%d}[!-~])?"
_TEXT = r"(?i:%s)(?!\s)[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,%d}(?<!\s)"
_DEGREES = r"-?(?:0|[1-9][0-9]{0,%d})\.[0-9]{5,7}"
_MAX_KNOWN = 2000
"""Parts that have been tried, of one kind: opening hours and operators are the same all over."""
_CHECKED_BY_PYDANTIC = "list_length_validator"


class PlainRows:
    """The rows of a model. `rules`: by the names of models that have validators of their own."""

    def __init__(self, model: type[OcpiModel], rules: Mapping[str, Rule]) -> None:
        self._rules = rules
        self._look = self._whole(model)

    def read(self, row: JsonObject) -> JsonObject | None:
        """What mending and validation would make of it, without any change; None: ask them."""
        if self._look is None:
            return None
        try:
            return self._look(row)
        except (ValueError, TypeError):
            return None

    def _whole(self, model: type[OcpiModel]) -> Callable[[object], JsonObject] | None:
        """None: it asks something that no rule stands for."""
        named = _validators_of(model)
        rule = self._rules.get(model.__name__)
        if named and (rule is None or rule.instead_of != named):
            return None
        if not all(map(_is_usual, model.__fields__.values())):
            return None
        fields = tuple(map(self._field, model.__fields__.values()))
        return partial(_object, fields, None if rule is None else rule.met)

    def _field(self, field: ModelField) -> _Field:
        part = self._part(field.type_) if issubclass(field.type_, OcpiModel) else None
        is_right = _scalar(field.type_) if part is None else None
        if field.shape == SHAPE_LIST:
            least = field.field_info.min_items or 0
            part, is_right = partial(_list, part, is_right, least), None
        return _Field(field.name, bool(field.required), is_right, part)

    def _part(self, kind: type[OcpiModel]) -> Callable[[object], object]:
        return self._whole(kind) or partial(_tried_part, kind, {})


class _Field(NamedTuple):
    name: str
    required: bool
    is_right: IsRight | None
    """of a single value"""
    read: Callable[[object], object] | None
    """of an object or a list: as it is kept"""


def _object(
    fields: Sequence[_Field], met: Callable[[JsonObject], bool] | None, value: object
) -> JsonObject:
    if type(value) is not dict:
        raise NotPlain
    made: JsonObject = {}
    known = 0
    for name, required, is_right, read in fields:
        one = value.get(name)
        if one is None:
            if required:
                raise NotPlain
            known += name in value  # null, which says nothing
            continue
        known += 1
        if read is not None:
            made[name] = read(one)
        elif is_right is not None and is_right(one):
            made[name] = one
        else:
            raise NotPlain
    if known < len(value) or (met is not None and not met(made)):
        raise NotPlain
    return made


def _list(
    read: Callable[[object], object] | None, is_right: IsRight | None, least: int, value: object
) -> list[object]:
    if type(value) is not list or len(value) < least:
        raise NotPlain
    if read is not None:
        return list(map(read, value))
    if is_right is None or not all(map(is_right, value)):
        raise NotPlain
    return value


def _scalar(kind: type) -> IsRight:
    if kind is StrictBool:
        return _is_boolean
    if kind is DateTime:
        return _is_moment
    if issubclass(kind, Enum):
        return spelled_right(kind).__contains__
    if issubclass(kind, Int):
        return partial(_is_integer, kind.minimum, kind.maximum)
    if issubclass(kind, Number):
        return partial(_is_number, kind)
    pattern = _pattern_of(kind)
    if pattern is None:
        return partial(_is_text, kind)
    return cast("IsRight", re.compile(pattern).fullmatch)


def _is_boolean(value: object) -> bool:
    return value is True or value is False


def _is_moment(value: object) -> bool:
    return normalise_datetime(value) == value


def _is_integer(minimum: int, maximum: int, value: object) -> bool:
    return type(value) is int and minimum <= value <= maximum


def _is_number(kind: type[Number], value: object) -> bool:
    # Text of it: -0.0 equals 0.0, which it becomes.
    return type(value) in (int, float) and repr(kind.check(value)) == repr(value)


def _is_text(kind: type, value: object) -> bool:
    return type(value) is str and _stays(kind, value)


def _pattern_of(kind: type) -> str | None:
    """Of a type of text that any text of some form is right for."""
    if issubclass(kind, (Latitude, Longitude)):
        return _DEGREES % (1 if issubclass(kind, Latitude) else 2)
    for base, form in ((CiString, _IDENTIFIER), (String, _TEXT)):
        if issubclass(kind, base) and _goes_by_length_alone(kind, base):
            longest = kind.max_length
            return form % (_NO_VALUE, longest - 2 if base is CiString else longest)
    return None


def _goes_by_length_alone(kind: type[CiString | String], base: type[CiString | String]) -> bool:
    same = all(
        getattr(kind, name).__func__ is getattr(base, name).__func__
        for name in ("check", "check_characters")
    )
    return same and kind.pattern is None and kind.max_length > 1


@lru_cache(maxsize=_MAX_KNOWN)
def _stays(kind: type, text: str) -> bool:
    """Whether mending and checking leave it as it is: time zones, countries, addresses of pages."""
    if text.lower() in NO_VALUE or mender_of(kind)(text) != text:
        return False
    try:
        for check in kind.__get_validators__():  # type: ignore[attr-defined]
            if check(text) != text:
                return False
    except ValueError:
        return False
    return True


def _tried_part(kind: type[OcpiModel], known: dict[bytes, bool], value: object) -> object:
    """An object that mending and validation have seen the like of, letter for letter."""
    key = orjson.dumps(value)
    if key not in known:
        if len(known) >= _MAX_KNOWN:
            known.clear()
        known[key] = _part_stays(kind, value, key)
    if not known[key]:
        raise NotPlain
    return value


def _part_stays(kind: type[OcpiModel], value: object, as_json: bytes) -> bool:
    try:
        return orjson.dumps(validate(kind, mender_of(kind)(value))) == as_json
    except SchemaError:
        return False


def _is_usual(field: ModelField) -> bool:
    """A value or a list, and nothing where it is not given."""
    usual = field.shape in (SHAPE_SINGLETON, SHAPE_LIST)
    return usual and field.default is None and field.default_factory is None


def _validators_of(model: type[OcpiModel]) -> frozenset[str]:
    of_fields = (
        validator.func.__name__
        for field in model.__fields__.values()
        for validator in (field.class_validators or {}).values()
    )
    of_all = [*model.__pre_root_validators__, *(one for _, one in model.__post_root_validators__)]
    named = {*of_fields, *(one.__name__ for one in of_all)}
    return frozenset(named - {_CHECKED_BY_PYDANTIC})
