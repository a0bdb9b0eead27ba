"""The command `cpo`: its commands gathered, and how an error is said.

One clear line on stderr and an exit code that is not 0; a traceback only for a bug of ours.
"""

from __future__ import annotations

import sys

import typer
from pydantic import ValidationError

from cpo_app.cli import cdrs, charge_points, locations, peers, reconcile, servers, tariffs
from cpo_app.cli.check import check
from cpo_app.cli.doctor import doctor
from cpo_app.cli.emsp import emsp
from cpo_app.cli.errors import CliError
from cpo_app.cli.hub import hub
from cpo_app.cli.price import price
from cpo_app.cli.statements import statements
from cpo_app.settings import SettingsError
from db_interface.database import STORE_ERRORS
from domain.errors import OcpiError
from domain.peers.peers import UnknownPeer
from domain.secrets import SecretUnusable

app = typer.Typer(
    name="cpo",
    help="OCPI backend of a charge point operator.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
servers.add_to(app)
app.command("emsp")(emsp)
app.command("hub")(hub)
app.command("check")(check)
app.command("price")(price)
app.command("doctor")(doctor)
app.command("statements")(statements)
app.add_typer(peers.app, name="peers")
app.add_typer(locations.app, name="locations")
app.add_typer(tariffs.app, name="tariffs")
app.add_typer(cdrs.app, name="cdrs")
app.add_typer(reconcile.app, name="reconcile")
app.add_typer(charge_points.app, name="charge-points")

_EXPECTED: tuple[type[Exception], ...] = (
    CliError,
    OcpiError,
    SettingsError,
    SecretUnusable,
    UnknownPeer,
    *STORE_ERRORS,
)


def main() -> None:
    """Entry point of the console script."""
    try:
        app()
    except ValidationError as error:
        first = error.errors()[0]
        _fail(f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
    except _EXPECTED as error:
        _fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(message: str) -> None:
    sys.stderr.write(f"cpo: {message}\n")
    sys.exit(1)
