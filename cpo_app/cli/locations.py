"""`cpo locations`: take OCPI locations over from files, and give them back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from cpo_app.backend import Backend
from cpo_app.cli.errors import CliError
from cpo_app.cli.files import party_of, read_json
from cpo_app.cli.output import note
from cpo_app.cli.with_backend import DataDir, on_backend
from crud.location_import import (
    BATCH,
    NotLocations,
    Report,
    locations_in,
    take_over,
    understood,
)
from db_interface.owned_objects import OwnedObject, party_key

app = typer.Typer(help="Locations: import and export.", no_args_is_help=True)

MOST_REFUSALS_SHOWN = 50

Party = Annotated[
    str | None, typer.Option("--party", metavar="CC/PID", help="Of this party of ours, as NL/EVC.")
]


@app.command("import")
def import_locations(
    file: Annotated[Path, typer.Argument(help="An OCPI location, a list, or an answer; .gz too.")],
    party: Party = None,
    data_dir: DataDir = None,
) -> None:
    """Import OCPI locations; exit code 1 if any object had to be refused."""
    owner = party_of(party)
    try:
        rows = locations_in(read_json(file))
    except NotLocations as error:
        raise CliError(f"{file}: {error}") from error
    report = Report()

    async def work(backend: Backend) -> None:
        console = Console(stderr=True)
        with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
            task = bar.add_task("importing", total=len(rows))
            batch: list[OwnedObject] = []
            for obj in understood(rows, report, owner):
                batch.append(obj)
                if len(batch) == BATCH:
                    await take_over(backend.store, batch, report)
                    batch.clear()
                    bar.update(task, completed=report.imported + len(report.refused))
            if batch:
                await take_over(backend.store, batch, report)

    on_backend(work, data_dir)
    for refused in report.refused[:MOST_REFUSALS_SHOWN]:
        note(f"refused {refused.what}: {refused.reason}")
    if len(report.refused) > MOST_REFUSALS_SHOWN:
        note(f"... and {len(report.refused) - MOST_REFUSALS_SHOWN} more")
    sys.stdout.write(f"imported {report.imported}, refused {len(report.refused)}\n")
    if report.refused:
        raise typer.Exit(1)


@app.command("export")
def export_locations(party: Party = None, data_dir: DataDir = None) -> None:
    """Write all our locations as a JSON list to stdout, in order of creation."""
    owner = party_of(party)

    async def work(backend: Backend) -> None:
        owners = None if owner is None else [party_key(*owner)]
        out = sys.stdout.buffer
        out.write(b"[")
        first = True
        async for raw in backend.store.objects("locations").all_raw(owners):
            out.write(b"\n" if first else b",\n")
            out.write(raw)
            first = False
        out.write(b"\n]\n")

    on_backend(work, data_dir)
