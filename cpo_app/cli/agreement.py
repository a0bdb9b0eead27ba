"""Before something goes that does not come back by itself, whoever sits at the terminal is asked.

A script is not asked: nobody would answer it, and it has named what is to go. At a terminal `--yes`
says the same.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cpo_app.actions.action import Action, P
from cpo_app.cli.errors import CliError
from cpo_app.cli.output import note

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether it is meant.")]


def asks(yes: bool) -> bool:
    """Whether there is anybody to ask who has not said it yet."""
    return not yes and sys.stdin.isatty()


def agree(what: str, yes: bool) -> None:
    """Raises CliError where the person at the terminal does not mean it. `what`: what goes."""
    if asks(yes):
        note(what)
        # Not typer.confirm: a part of its question goes to stdout, where results belong.
        sys.stderr.write("Go on? [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise CliError("nothing was done")


def agree_to(action: Action[P], parameters: P, yes: bool) -> None:
    """The same for an action that is dangerous, in its own words."""
    if action.danger and asks(yes):
        about = " ".join(one.id for one in action.about(parameters))
        agree(f"{about}: {action.meaning}", yes)
