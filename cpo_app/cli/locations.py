"""`cpo locations`: take OCPI locations over from files, and give them back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cpo_app.cli.imports import PartyOption, export_all, import_file
from cpo_app.cli.with_backend import DataDir
from domain.imports.location_import import read_location

app = typer.Typer(help="Locations: import and export.", no_args_is_help=True)


@app.command("import")
def import_locations(
    file: Annotated[Path, typer.Argument(help="An OCPI location, a list, or an answer; .gz too.")],
    party: PartyOption = None,
    data_dir: DataDir = None,
) -> None:
    """Import OCPI locations; exit code 1 if any had to be refused. --party makes them its own."""
    import_file("locations", read_location, file, party, data_dir)


@app.command("export")
def export_locations(party: PartyOption = None, data_dir: DataDir = None) -> None:
    """Write all our locations as a JSON list to stdout, in order of creation."""
    export_all("locations", party, data_dir)
