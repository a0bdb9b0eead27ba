"""A command's module is imported when it is asked for: `cpo registry` or `cpo price` need not load
what `cpo serve` does, and a host may run many of them.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup
from typer.main import get_group

from cpo_app.quick_imports import quick_imports

# typer has click inside, under a private name.
_Click = Any


class LazyGroup(TyperGroup):
    """A group whose commands are named as `module:function`, or `module:app` for a group."""

    where: ClassVar[Mapping[str, str]] = {}
    unlisted: ClassVar[frozenset[str]] = frozenset()

    def list_commands(self, ctx: _Click) -> list[str]:
        return list(self.where)

    def get_command(self, ctx: _Click, cmd_name: str) -> _Click:
        if cmd_name not in self.where:
            return None
        module, _, name = self.where[cmd_name].partition(":")
        with quick_imports():
            found: Any = getattr(importlib.import_module(module), name)
        one = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        one.callback()(lambda: None)  # a group, though it has but one command
        if isinstance(found, typer.Typer):
            one.add_typer(found, name=cmd_name)
        else:
            one.command(cmd_name, hidden=cmd_name in self.unlisted)(found)
        return get_group(one).get_command(ctx, cmd_name)
