"""Where each setting of this process comes from, as it was when the process began.

A server that another command started has its settings from the environment: what that command
knows of them it hands on beside them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import orjson
from pydantic.env_settings import read_env_file
from pydantic.fields import ModelField

DEFAULT = "default"
COMMAND_LINE = "command line"
ENVIRONMENT = "environment"
MADE = "made at the start"
_HANDED_ON = "_CPO_SETTINGS_FROM"
"""In the environment of a process that another one of ours starts; nobody else sets it."""


def origins_of(
    fields: Mapping[str, ModelField], given: Iterable[str], env_file: str | None
) -> dict[str, str]:
    """By name, of those that have not their default. `given`: by the command that runs."""
    told = _told()
    in_file = _names_in(env_file)
    found: dict[str, str] = {}
    for name, field in fields.items():
        variables = field.field_info.extra.get("env_names") or {name}
        if name in given:
            found[name] = COMMAND_LINE
        elif any(variable in os.environ for variable in variables):
            found[name] = told.get(name, ENVIRONMENT)
        elif variables & in_file:
            found[name] = f"file {env_file}"
    return found


def handed_on(origins: Mapping[str, str], names: Iterable[str], **others: str) -> dict[str, str]:
    """For the environment of a process that is given these settings by it, with what this process
    was told itself; `others`: of settings that the starting command decides."""
    said = {name: origins[name] for name in names if name in origins}
    return {_HANDED_ON: orjson.dumps({**_told(), **said, **others}).decode()}


def _told() -> dict[str, str]:
    try:
        told: dict[str, str] = orjson.loads(os.environ.get(_HANDED_ON, "{}"))
    except orjson.JSONDecodeError:
        return {}
    return told


def _names_in(env_file: str | None) -> set[str]:
    path = Path(env_file).expanduser() if env_file else None
    if path is None or not path.is_file():
        return set()
    return set(read_env_file(path, case_sensitive=True))
