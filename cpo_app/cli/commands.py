"""A command's module is imported when it is asked for: `cpo registry` or `cpo price` need not load
what `cpo serve` does, and a host may run many of them. A list of commands loads none of them.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from cpo_app.quick_imports import quick_imports

# typer has click inside, under a private name.
_Click = Any


class LazyGroup(TyperGroup):
    """A group whose commands are named as `module:function`, or `module:app` for a group."""

    where: ClassVar[Mapping[str, str]] = {}
    unlisted: ClassVar[frozenset[str]] = frozenset()
    _is_listing = False

    def list_commands(self, ctx: _Click) -> list[str]:
        return list(self.where)

    def get_command(self, ctx: _Click, cmd_name: str) -> _Click:
        if cmd_name not in self.where:
            return None
        if self._is_listing:
            said = help_of(self.where[cmd_name])
            if said is not None:
                return TyperCommand(cmd_name, help=said, hidden=cmd_name in self.unlisted)
        module, _, name = self.where[cmd_name].partition(":")
        with quick_imports():
            found: Any = getattr(importlib.import_module(module), name)
        return _made_of(found, cmd_name, cmd_name in self.unlisted).get_command(ctx, cmd_name)

    def format_help(self, ctx: _Click, formatter: _Click) -> None:
        self._is_listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._is_listing = False


@cache
def _made_of(found: typer.Typer | Callable[..., object], name: str, hidden: bool) -> TyperGroup:
    """A group of this one command, read out of its signature once for each process."""
    one = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    one.callback()(lambda: None)  # a group, though it has but one command
    if isinstance(found, typer.Typer):
        one.add_typer(found, name=name)
    else:
        one.command(name, hidden=hidden)(found)
    return get_group(one)


def help_of(where: str) -> str | None:
    """What `module:function` or `module:app` says of itself, read from its source; None where that
    does not show it."""
    module, _, name = where.partition(":")
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    for statement in ast.parse(Path(spec.origin).read_text("utf-8")).body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            if statement.name == name:
                return ast.get_docstring(statement)
        elif isinstance(statement, ast.Assign) and _names(statement) == [name]:
            return _help_given(statement.value)
    return None


def _names(statement: ast.Assign) -> list[str]:
    return [target.id for target in statement.targets if isinstance(target, ast.Name)]


def _help_given(made: ast.expr) -> str | None:
    for keyword in made.keywords if isinstance(made, ast.Call) else ():
        if keyword.arg == "help" and isinstance(keyword.value, ast.Constant):
            return inspect.cleandoc(str(keyword.value.value))
    return None
