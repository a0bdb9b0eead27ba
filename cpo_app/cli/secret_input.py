"""Secrets that a command is given: by the environment, from standard input, or asked for. What
stands in the command line can be seen by every user of the host (`ps`)."""

from __future__ import annotations

import sys

import typer

from cpo_app.cli.errors import CliError

STDIN = "-"
MAX_LENGTH = 10_000


def secret(given: str | None, option: str, what: str) -> str:
    """The secret of an option: as it is given, `-` for a line of standard input, None to ask.

    Raises CliError where there is nobody to ask.
    """
    if given is not None and given != STDIN:
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
    return secret(given, "--password", f"New password of {name}")
