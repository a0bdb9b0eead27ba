"""Models whose fields stand each for itself (connectors, coordinates, images: most of them)
are checked without the detours of pydantic: the same checks, in less than half of the time.

What is not plainly right is left to pydantic, which knows what to say of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from enum import Enum
from functools import cache
from typing import Any, NamedTuple

from pydantic import BaseModel, StrictBool
from pydantic.fields import SHAPE_LIST, SHAPE_SINGLETON, ModelField

Check = Callable[[Any], object]
"""The value as it is kept. Raises ValueError, KeyError, TypeError where it is not plainly right."""


class _Field(NamedTuple):
    name: str
    required: bool
    default: object
    is_list: bool
    check: Check


def plain_values(model: type[BaseModel], data: dict[str, Any]) -> dict[str, object] | None:
    """The model's fields out of the data; None: pydantic has to see it."""
    fields = _fields(model)
    if fields is None:
        return None
    values: dict[str, object] = {}
    try:
        for name, required, default, is_list, check in fields:
            value = data.get(name)
            if value is None:
                if required:
                    return None
                values[name] = default
            elif is_list:
                if type(value) is not list:
                    return None
                values[name] = [check(item) for item in value]
            else:
                values[name] = check(value)
    except (ValueError, KeyError, TypeError):
        return None
    return values


@cache
def _fields(model: type[BaseModel]) -> Sequence[_Field] | None:
    """None: something in it goes by more than one field's own value."""
    if model.__pre_root_validators__ or model.__post_root_validators__:
        return None
    found = [_field(field) for field in model.__fields__.values()]
    fields = [field for field in found if field is not None]
    return tuple(fields) if len(fields) == len(found) else None


def _field(field: ModelField) -> _Field | None:
    if field.class_validators or field.shape not in (SHAPE_SINGLETON, SHAPE_LIST):
        return None
    check = _check_of(field.type_)
    if check is None or isinstance(field.default, (list, dict)) or field.default_factory:
        return None
    is_list = field.shape == SHAPE_LIST
    return _Field(field.name, bool(field.required), field.default, is_list, check)


def _check_of(kind: Any) -> Check | None:
    if not inspect.isclass(kind):
        return None
    if kind is StrictBool:
        return _boolean
    if issubclass(kind, Enum):
        return {member.value: member.value for member in kind}.__getitem__
    if issubclass(kind, BaseModel):
        return kind.validate
    checks = list(kind.__get_validators__()) if hasattr(kind, "__get_validators__") else []
    if len(checks) != 1 or len(inspect.signature(checks[0]).parameters) != 1:
        return None
    check: Check = checks[0]
    return check


def _boolean(value: object) -> bool:
    if type(value) is not bool:
        raise ValueError("not a boolean")
    return value
