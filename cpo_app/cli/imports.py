"""`cpo locations` and `cpo tariffs` in common: objects in from a file, and out again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from cpo_app.backend import Backend
from cpo_app.cli.errors import CliError
from cpo_app.cli.files import party_of, read_json
from cpo_app.cli.output import note, print_line
from cpo_app.cli.with_backend import on_backend
from db_interface.owned_objects import OwnedObject, party_key
from domain.imports.file_import import (
    BATCH,
    NotOcpi,
    Read,
    Remark,
    Report,
    rows_in,
    take_over,
    understood,
)

MAX_SHOWN = 50

PartyOption = Annotated[
    str | None, typer.Option("--party", metavar="CC/PID", help="Of this party of ours, as NL/EVC.")
]


def import_file(
    module: str, read: Read, file: Path, party: str | None, data_dir: Path | None
) -> None:
    """Import a file's objects and say what became of them; exit code 1 if any was refused."""
    owner = party_of(party)
    try:
        rows = rows_in(read_json(file))
    except NotOcpi as error:
        raise CliError(f"{file}: {error}") from error
    report = Report()

    async def work(backend: Backend) -> None:
        console = Console(stderr=True)
        with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
            task = bar.add_task("importing", total=len(rows))
            batch: list[OwnedObject] = []
            for obj in understood(rows, read, report, owner):
                batch.append(obj)
                if len(batch) == BATCH:
                    await take_over(backend.store, module, batch, report)
                    batch.clear()
                    bar.update(task, completed=report.imported + len(report.refused))
            if batch:
                await take_over(backend.store, module, batch, report)

    on_backend(work, data_dir)
    _show("refused", report.refused)
    _show("warning", report.warnings)
    print_line(f"imported {report.imported}, refused {len(report.refused)}")
    if report.refused:
        raise typer.Exit(1)


def export_all(module: str, party: str | None, data_dir: Path | None) -> None:
    """Write all our objects of a module as a JSON list to stdout, in order of creation."""
    owner = party_of(party)

    async def work(backend: Backend) -> None:
        owners = None if owner is None else [party_key(*owner)]
        out = sys.stdout.buffer
        out.write(b"[")
        first = True
        async for raw in backend.store.objects(module).all_raw(owners):
            out.write(b"\n" if first else b",\n")
            out.write(raw)
            first = False
        out.write(b"\n]\n")

    on_backend(work, data_dir)


def _show(kind: str, remarks: Sequence[Remark]) -> None:
    for remark in remarks[:MAX_SHOWN]:
        note(f"{kind} {remark.what}: {remark.text}")
    if len(remarks) > MAX_SHOWN:
        note(f"... and {len(remarks) - MAX_SHOWN} more {kind}")
