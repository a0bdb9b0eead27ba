"""`cpo check --afir`: which published charge points lack what the law wants known of them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import typer

from cpo_app.backend import Backend
from cpo_app.cli import remote
from cpo_app.cli.output import note, print_json
from cpo_app.cli.tables import print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from domain.open_data.completeness import completeness


def report(as_json: bool, data_dir: Path | None) -> None:
    """Prints it; exit code 1 where something is missing."""

    async def work(backend: Backend) -> JsonObject:
        owners = backend.settings.open_data_owners
        return asdict(await completeness(backend.store, owners))

    there = remote.server() is not None
    found = remote.read("/open-data/completeness") if there else on_backend(work, data_dir)
    if as_json:
        print_json(found)
    else:
        rows = [
            (one["location"], one["evse_uid"], ", ".join(one["missing"]), ", ".join(one["mend"]))
            for one in found["items"]
        ]
        wrapped = ("Missing", "Metadata keys")
        print_table(("Location", "EVSE", *wrapped), rows, wrapped=wrapped)
        for name, number in found["lacking"].items():
            note(f"{number} without {name}")
    left = found["of"] - found["complete"] - len(found["items"])
    if left:
        note(f"and {left} more")
    note(f"AFIR: {found['complete']} of {found['of']} complete")
    if found["complete"] < found["of"]:
        raise typer.Exit(1)
