"""Kubernetes' own kinds, and what is wrong with a manifest by them: a field that there is not, one
that has to be there, a value of another type.

Their models come as dataclasses for a client of Kubernetes; only the models are installed.
"""

from __future__ import annotations

import dataclasses
import importlib
import sys
import typing
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any


def _without_its_client() -> None:
    """What the models take from the client: a base class, and the standard library's own."""
    for name in ("lightkube.core", "lightkube.core.schema"):
        sys.modules.setdefault(name, ModuleType(name))
    schema = sys.modules["lightkube.core.schema"]
    for name, value in (
        ("DictMixin", object),
        ("dataclass", dataclasses.dataclass),
        ("field", dataclasses.field),
    ):
        setattr(schema, name, value)


def kind_of(manifest: dict[str, Any]) -> type:
    """Raises ValueError for one that Kubernetes does not have."""
    _without_its_client()
    group, _, version = str(manifest.get("apiVersion")).rpartition("/")
    module = f"lightkube.models.{(group or 'core').split('.')[0]}_{version}"
    try:
        found: type = getattr(importlib.import_module(module), manifest["kind"])
    except (ImportError, AttributeError, KeyError):
        said = f"{manifest.get('apiVersion')} {manifest.get('kind')}"
        raise ValueError(f"Kubernetes has no {said}") from None
    return found


def wrongs(manifest: dict[str, Any]) -> list[str]:
    """What is wrong with it, and where."""
    return list(_in(manifest, kind_of(manifest), manifest["kind"]))


@cache
def _fields(model: type) -> dict[str, tuple[Any, bool]]:
    """{name in YAML: (type, whether it has to be there)}"""
    hints = typing.get_type_hints(model)
    return {
        field.metadata.get("json", field.name): (
            hints[field.name],
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
        )
        for field in dataclasses.fields(model)
    }


def _in(value: Any, wanted: Any, where: str) -> Iterator[str]:
    origin, args = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is typing.Union:
        options = [list(_in(value, option, where)) for option in args if option is not type(None)]
        if value is None or not all(options):
            return
        yield from options[0]
    elif dataclasses.is_dataclass(wanted):
        if not isinstance(value, dict):
            yield f"{where}: is no object"
            return
        known = _fields(wanted)  # type: ignore[arg-type]
        for name in value.keys() - known.keys():
            yield f"{where}: there is no field {name}"
        for name, (type_, demanded) in known.items():
            if name in value:
                yield from _in(value[name], type_, f"{where}.{name}")
            elif demanded:
                yield f"{where}: {name} is missing"
    elif origin is list:
        if not isinstance(value, list):
            yield f"{where}: is no list"
            return
        for number, one in enumerate(value):
            yield from _in(one, args[0], f"{where}[{number}]")
    elif origin is dict or wanted is dict:
        if not isinstance(value, dict):
            yield f"{where}: is no object"
            return
        for name, one in value.items():
            yield from _in(one, args[1] if args else object, f"{where}.{name}")
    elif wanted is not object and type(value) is not wanted and not _is_number(value, wanted):
        yield f"{where}: is {value!r}, not of the type {wanted.__name__}"


def _is_number(value: object, wanted: object) -> bool:
    return wanted is float and type(value) is int
