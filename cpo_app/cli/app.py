"""The command `cpo`: its commands gathered, and how an error is said.

One clear line on stderr and an exit code that is not 0; a traceback only for a bug of ours.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.metadata import version
from typing import Annotated, ClassVar

import typer

from cpo_app.cli.commands import LazyGroup


class Commands(LazyGroup):
    """In the order of `cpo --help`."""

    where: ClassVar[Mapping[str, str]] = {
        "up": "cpo_app.cli.up:run_up",
        "serve": "cpo_app.cli.servers:serve",
        "registry": "cpo_app.cli.servers:registry",
        "ocpp": "cpo_app.cli.ocpp:ocpp",
        "monitor": "cpo_app.cli.charge_point:monitor",
        "engine": "cpo_app.cli.charge_point:engine",
        "simulate": "cpo_app.cli.charge_point:simulate",
        "emsp": "cpo_app.cli.emsp:emsp",
        "hub": "cpo_app.cli.hub:hub",
        "check": "cpo_app.cli.check:check",
        "price": "cpo_app.cli.price:price",
        "convert": "cpo_app.cli.convert:convert",
        "status": "cpo_app.cli.status:status",
        "doctor": "cpo_app.cli.doctor:doctor",
        "search": "cpo_app.cli.search:search",
        "backup": "cpo_app.cli.backup:backup",
        "restore": "cpo_app.cli.backup:restore",
        "statements": "cpo_app.cli.statements:statements",
        "peers": "cpo_app.cli.peers:app",
        "locations": "cpo_app.cli.locations:app",
        "tariffs": "cpo_app.cli.tariffs:app",
        "cdrs": "cpo_app.cli.cdrs:app",
        "terminals": "cpo_app.cli.terminals:app",
        "sessions": "cpo_app.cli.sessions:app",
        "reconcile": "cpo_app.cli.reconcile:app",
        "secrets": "cpo_app.cli.secrets:app",
        "tokens": "cpo_app.cli.tokens:app",
        "operators": "cpo_app.cli.operators:app",
        "keys": "cpo_app.cli.keys:app",
        "charge-points": "cpo_app.cli.charge_points:app",
        "commands": "cpo_app.cli.charge_point_commands:app",
        "audit": "cpo_app.cli.audit:app",
        "exchanges": "cpo_app.cli.exchanges:app",
        "notices": "cpo_app.cli.notices:app",
        "events": "cpo_app.cli.events:app",
    }
    unlisted: ClassVar[frozenset[str]] = frozenset({"simulate"})


app = typer.Typer(
    cls=Commands,
    name="cpo",
    help="OCPI backend of a charge point operator.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)


def _say_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"cpo {version('ocpi-cpo-backend')}\n")
        raise typer.Exit


@app.callback()
def _group(
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_say_version, help="Say it and end."),
    ] = False,
    server: Annotated[
        str | None,
        typer.Option(
            envvar="CPO_SERVER",
            metavar="URL",
            help="Do it there, over its API, with the key of CPO_API_KEY; else on the store.",
        ),
    ] = None,
) -> None:
    """The commands themselves are found by name."""
    if server:
        # Only now: a command on the store does not need it.
        from cpo_app.cli import remote

        remote.choose(server)


def main() -> None:
    """Entry point of the console script."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        # Only now: what it names is most of the backend.
        from cpo_app.cli.expected_errors import said_of

        said = said_of(error)
        if said is None:
            raise
        sys.stderr.write("".join(f"cpo: {line}\n" for line in said.splitlines()))
        sys.exit(1)
