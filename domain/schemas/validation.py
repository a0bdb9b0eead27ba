"""From untrusted JSON to a clean OCPI object: `validate`, `validate_patch`, `apply_patch`.

What comes out is plain JSON data: str, int, float, bool, list, dict; timestamps in UTC, fields
without value left out. Must never put a given value into an error text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import validate_model
from pydantic.error_wrappers import ErrorList, ErrorWrapper, flatten_errors

from db_interface.json_data import JsonMapping, JsonObject
from domain.schemas.types import OcpiModel

_MAX_MESSAGE_LENGTH = 400

Problem = tuple[str, str]


class SchemaError(ValueError):
    """The data is not the OCPI object that it should be.

    `errors` lists (path, reason), such as ("evses.0.connectors.1.standard", "value is not one of
    ..."); the path is empty where the data as a whole is wrong. `str()` is one line.
    """

    def __init__(self, errors: list[Problem]) -> None:
        self.errors = errors
        super().__init__(_one_line(errors))


def _one_line(errors: list[Problem]) -> str:
    line = "; ".join(f"{path}: {reason}" if path else reason for path, reason in errors)
    if len(line) <= _MAX_MESSAGE_LENGTH:
        return line
    return f"{line[: _MAX_MESSAGE_LENGTH - 4]} ..."


def _reason(kind: str, message: str, context: JsonMapping) -> str:
    """Our wording for pydantic's kinds of error; the messages of our own types stay."""
    if kind == "value_error.missing":
        return "required field missing"
    if kind == "type_error.none.not_allowed":
        return "required field without value"
    if kind == "type_error.enum":
        permitted = ", ".join(str(member.value) for member in context["enum_values"])
        return f"value is not one of {permitted}"
    if kind == "type_error.dict":
        return "value is not an object"
    if kind in ("type_error.list", "type_error.sequence"):
        return "value is not a list"
    if kind == "value_error.list.min_items":
        return "list is empty, it needs at least one element"
    if kind == "value_error.strictbool":
        return "value is not a boolean"
    return message


def _problems(errors: Iterable[ErrorList], model: type[OcpiModel]) -> list[Problem]:
    found = []
    for error in flatten_errors(list(errors), model.__config__):
        path = ".".join(str(part) for part in error["loc"] if part != "__root__")
        found.append((path, _reason(error["type"], error["msg"], error.get("ctx") or {})))
    return found


def _plain(value: object) -> Any:
    if isinstance(value, OcpiModel):
        return {
            name: item if type(item) is str else _plain(item)
            for name, item in value.__dict__.items()
            if item is not None
        }
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def validate(model: type[OcpiModel], data: object) -> JsonObject:
    """The data as a clean object of the model. Raises SchemaError.

    A null is the same as an absent field ("fields that are not specified may be considered as
    null values"); unknown fields are dropped; an empty list that was given stays.
    """
    if not isinstance(data, dict):
        raise SchemaError([("", "value is not an object")])
    # Not model(**data): a field named like an argument of the constructor's must do no harm.
    values, _, error = validate_model(model, data)
    if error is not None:
        raise SchemaError(_problems(error.raw_errors, model))
    return {name: _plain(value) for name, value in values.items() if value is not None}


def validate_patch(
    model: type[OcpiModel], data: object, *, needs_last_updated: bool = True
) -> JsonObject:
    """The fields of a PATCH, each checked as the model checks it. Raises SchemaError.

    None in the answer marks an optional field to be cleared. A mandatory field cannot be cleared,
    and `last_updated` SHALL be there for objects that have it, where the OCPI version says so.
    Rules between fields are left to `apply_patch`, which sees the whole object.
    """
    if not isinstance(data, dict):
        raise SchemaError([("", "value is not an object")])
    errors: list[Problem] = []
    clean: JsonObject = {}
    has_last_updated = "last_updated" in model.__fields__
    if needs_last_updated and has_last_updated and data.get("last_updated") is None:
        errors.append(("last_updated", "required in a PATCH"))
    for name, field in model.__fields__.items():
        if name not in data:
            continue
        given = data[name]
        if given is None:
            if not field.required:
                clean[name] = None
            elif name != "last_updated":
                errors.append((name, "required field cannot be cleared"))
            continue
        value, failure = field.validate(given, {}, loc=name, cls=model)
        if failure is None:
            clean[name] = _plain(value)
        else:
            wrapped: ErrorList = [failure] if isinstance(failure, ErrorWrapper) else failure
            errors += _problems([wrapped], model)
    if errors:
        raise SchemaError(errors)
    return clean


def apply_patch(model: type[OcpiModel], stored: JsonMapping, patch: JsonMapping) -> JsonObject:
    """The stored object with a patch of `validate_patch` laid over it, checked as a whole.

    A field given replaces the stored one entirely; None clears it. Raises SchemaError where the
    result breaks a rule between fields.
    """
    return validate(model, {**stored, **patch})
