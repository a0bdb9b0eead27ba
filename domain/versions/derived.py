"""A class of a later version as its difference from an earlier version's."""

from __future__ import annotations

from pydantic import create_model
from pydantic.fields import FieldInfo

from domain.schemas import OcpiModel

Field = tuple[object, object]
"""A field's type, and its default or what pydantic's Field() says of it."""


def derived(base: type[OcpiModel], **fields: Field) -> type[OcpiModel]:
    """The class with these fields changed or added; it keeps its name and its rules.

    A class that only adds rules to one ends in Rules: its name is what stands before.
    """
    name = base.__name__.removesuffix("Rules")
    made: type[OcpiModel] = create_model(name, __base__=base, **fields)  # type: ignore[call-overload]
    if "last_updated" in made.__fields__:  # added fields come before it, as in the tables
        made.__fields__["last_updated"] = made.__fields__.pop("last_updated")
    return made


def optional(kind: object) -> Field:
    return kind, None


def required(kind: object) -> Field:
    return kind, ...


def at_least_one(kind: type) -> Field:
    return list[kind], FieldInfo(..., min_items=1)  # type: ignore[valid-type]


def any_number(kind: type) -> Field:
    return list[kind], None  # type: ignore[valid-type]
