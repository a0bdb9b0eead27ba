"""A setting, with what its users have to be told of it: docs/configuration.md is made of that.

Each group of settings is a class: its docstring is the group's heading and introduction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar, cast

from pydantic import Field

T = TypeVar("T")
Reader = Literal[
    "all",
    "serve",
    "registry",
    "serve and registry",
    "serve, registry and commands",
    "serve, registry and ocpp",
    "commands",
    "serve and commands",
    "ocpp",
    "monitor",
    "engine",
]
"""Who reads it: the process of `cpo serve`, that of `cpo registry`, that of `cpo ocpp`, other
commands; on a charge point its monitor and its engine."""


def setting(
    default: T,
    description: str,
    *,
    unit: str = "",
    secret: bool = False,
    read_by: Reader | None = None,
    default_is: str = "",
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    regex: str | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    env: str | None = None,
) -> T:
    """A field of a group of settings.

    `read_by`: where it is other than the group's; `default_is`: in words, where the default is
    found out at the start.
    """
    make: Callable[..., object] = Field
    return cast(
        T,
        make(
            default=default,
            description=description,
            ge=ge,
            gt=gt,
            le=le,
            regex=regex,
            min_length=min_length,
            max_length=max_length,
            env=env,
            unit=unit,
            secret=secret,
            read_by=read_by,
            default_is=default_is,
        ),
    )
