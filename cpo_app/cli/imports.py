"""`cpo locations` and `cpo tariffs` in common: objects in from a file, and out again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import aclosing
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from cpo_app.actions.catalog import named
from cpo_app.backend import Backend
from cpo_app.cli import remote
from cpo_app.cli.acting import act
from cpo_app.cli.errors import CliError
from cpo_app.cli.files import opened, party_of
from cpo_app.cli.output import note, print_line
from cpo_app.cli.with_backend import on_backend
from db_interface.owned_objects import OwnedObject, party_key
from domain.audit.chain import seal
from domain.audit.entries import act as act_named
from domain.imports.file_import import (
    BATCH,
    Amend,
    Guard,
    Importing,
    Read,
    as_they_are,
    nothing_guarded,
)
from domain.imports.json_rows import NotOcpi, rows_of
from domain.imports.reading_ahead import batches_ahead, each_of
from domain.imports.report import Remark, Report

PartyOption = Annotated[
    str | None, typer.Option("--party", metavar="CC/PID", help="Of this party of ours, as NL/EVC.")
]
FileArgument = Annotated[
    Path, typer.Argument(help="An OCPI object, a list of them, or an answer; .gz too.")
]
Force = Annotated[
    bool, typer.Option("--force", help="Take objects of parties that we do not host, too.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")
]
Verbose = Annotated[
    bool, typer.Option("--verbose", help="Say every refusal, warning and change by itself.")
]
_MAX_PARTIES = 20


def import_file(
    module: str,
    read: Read,
    file: Path,
    *,
    party: str | None,
    force: bool,
    dry_run: bool,
    verbose: bool,
    data_dir: Path | None,
    guard: Guard = nothing_guarded,
    amend: Amend = as_they_are,
) -> None:
    """Import a file's objects and say what became of them; exit code 1 if any was refused."""
    owner = party_of(party)
    if remote.server() is not None:
        _import_there(module, file, party, force, dry_run)
        return
    report = Report(say=_say_at_once if verbose else None)

    async def work(backend: Backend) -> None:
        hosted = {
            ours.key: f"{ours.country_code}/{ours.party_id}" for ours in backend.settings.parties
        }
        if owner is not None and party_key(*owner) not in hosted and not force:
            raise CliError(
                f"--party {'/'.join(owner)}: is not a party of this platform, which hosts "
                f"{', '.join(hosted.values())} (CPO_PARTIES); --force takes it nonetheless"
            )
        importing = Importing(module, read, frozenset(hosted), owner, force, guard, amend)
        write = importing.try_over if dry_run else importing.take_over
        # First through all of it: a file that is broken in its middle changes nothing.
        total = sum(1 for _ in rows_of(lambda: opened(file), module))
        console = Console(stderr=True)
        with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
            task = bar.add_task("importing", total=total)
            rows = rows_of(lambda: opened(file), module)
            objects = importing.understood(rows, report)

            async def keep(batch: Sequence[OwnedObject]) -> None:
                await write(backend.store, batch, report)
                bar.update(task, completed=report.seen)

            async with aclosing(batches_ahead(objects, BATCH)) as batches:
                await each_of(batches, keep)

    async def as_the_action(backend: Backend) -> None:
        with act_named(f"{module}.import"):
            await work(backend)
        await seal(backend.store)

    try:
        on_backend(as_the_action, data_dir)
    except NotOcpi as error:
        raise CliError(f"{file}: {error}") from error
    _show(report, verbose, force)
    print_line(_summary(report, dry_run))
    if report.refused:
        raise typer.Exit(1)


def _import_there(module: str, file: Path, party: str | None, force: bool, dry_run: bool) -> None:
    """Hand a file's objects to the server of `--server`, batch by batch."""
    if dry_run:
        raise CliError("--dry-run needs the store: run it there, without --server (CPO_SERVER)")
    action = named(f"{module}.import")
    assert action is not None, module  # noqa: S101 (a test imports there)
    numbers = dict.fromkeys(("created", "updated", "unchanged"), 0)
    refused = 0
    try:
        # First through all of it, as where the store is at hand.
        for _ in rows_of(lambda: opened(file), module):
            pass
    except NotOcpi as error:
        raise CliError(f"{file}: {error}") from error
    rows = rows_of(lambda: opened(file), module)
    while objects := list(islice(rows, BATCH)):
        given = {"objects": objects, "party": party, "force": force}
        done = act(action, given, None)
        for one in (*done["refused"], *done["warnings"]):
            note(f"{one['what']}: {one['text']}")
        for name in numbers:
            numbers[name] += done[name]
        refused += done["number_refused"]
    print_line(", ".join(f"{name} {n}" for name, n in {**numbers, "refused": refused}.items()))
    if refused:
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


def _summary(report: Report, dry_run: bool) -> str:
    text = (
        f"imported {report.imported} ({report.created} new, {report.updated} changed), "
        f"unchanged {report.unchanged}, refused {report.refused}"
    )
    return f"would have {text}; nothing was written" if dry_run else text


def _show(report: Report, verbose: bool, force: bool) -> None:
    """What became of the objects, by kind; with `verbose` each was said when it happened."""
    if not verbose:
        alone = report.refused - (0 if force else report.foreign.total())
        _list("refused", report.first_refused, alone)
        _list("warning", report.first_warnings, report.warned)
    for change, number in report.changes.most_common():
        note(f"changed {number} times: {change}")
    if report.foreign and force:
        note(
            f"WARNING: {report.foreign.total()} objects are of parties that this platform does not "
            f"host ({_parties(report)}): they were taken because of --force, and peers get them "
            "in those parties' names"
        )
    elif report.foreign:
        note(
            f"refused {report.foreign.total()} of parties that this platform does not host: "
            f"{_parties(report)} (--party makes them one of ours, --force takes them as they are)"
        )


def _parties(report: Report) -> str:
    named = report.foreign.most_common(_MAX_PARTIES)
    rest = len(report.foreign) - len(named)
    texts = [f"{party} {number}" for party, number in named]
    return ", ".join(texts + ([f"and {rest} more parties"] if rest else []))


def _say_at_once(kind: str, remark: Remark) -> None:
    note(f"{kind} {remark.what}: {remark.text}")


def _list(kind: str, remarks: Sequence[Remark], number: int) -> None:
    for remark in remarks:
        _say_at_once(kind, remark)
    if number > len(remarks):
        note(f"... and {number - len(remarks)} more {kind} (--verbose says each)")
