"""Secrets that a command is given: by the environment, from standard input, or asked for. What
stands in the command line can be seen by every user of the host (`ps`)."""

from __future__ import annotations

import sys

import typer

from cpo_app.cli.errors import CliError
from cpo_app.cli.output import note

STDIN = "-"
MAX_LENGTH = 10_000


def secret(given: str | None, option: str, what: str, *, variable: str = "") -> str:
    """The secret of an option: as it is given, `-` for a line of standard input, None to ask.

    One that stands in the command line itself is taken, and a person is warned of it; scripts rely
    on it, and on a line of error being one line.
    `variable`: of the environment, which gives the option, too; without one nothing is warned of.
    Raises CliError where there is nobody to ask.
    """
    if given is not None and given != STDIN:
        shown = given in sys.argv or f"{option}={given}" in sys.argv
        if variable and shown and at_a_terminal():
            note(
                "warning: every user of this host can read a secret in a command line; "
                f"{option} - reads it from standard input, {variable} gives it by the environment"
            )
        return given
    if given is None and sys.stdin.isatty():
        text: str = typer.prompt(what, hide_input=True)
    elif given is None:
        raise CliError(f"{option} is missing: give {option} - and the secret on standard input")
    else:
        text = sys.stdin.readline(MAX_LENGTH).strip("\r\n")
    if not text:
        raise CliError(f"{option}: standard input holds none")
    return text


def new_password(given: str | None, name: str) -> str:
    """A new password: asked for twice, or a line of standard input (`-`). Raises CliError."""
    if given is None and sys.stdin.isatty():
        asked: str = typer.prompt(
            f"New password of {name}", hide_input=True, confirmation_prompt=True
        )
        return asked
    if given not in (None, STDIN):
        raise CliError(
            "--password takes only - (standard input): every user of this host can read it"
        )
    return secret(None if given is None else STDIN, "--password", f"New password of {name}")


def at_a_terminal() -> bool:
    """Whether a person reads what is noted."""
    return sys.stderr.isatty()
