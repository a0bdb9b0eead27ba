"""`cpo search`: anything by what one has at hand."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from cpo_app.backend import Backend
from cpo_app.cli import remote
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json
from cpo_app.cli.secret_input import secret
from cpo_app.cli.tables import print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from domain.operator import search as everywhere


def search(
    said: Annotated[
        str,
        typer.Argument(metavar="WORD", help="An id, card, contract, name; - reads it from stdin."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Find charge points, sessions, CDRs, locations, cards, peers, ... by an id or a name."""
    word = secret(said, "WORD", "Word")

    async def work(backend: Backend) -> JsonObject:
        found = await everywhere.search(backend.db, word, exchanges=True)
        return {"exact": found.exact, "items": [asdict(hit) for hit in found.hits]}

    there = remote.server() is not None
    found = remote.read("/search", q=word) if there else on_backend(work, data_dir)
    if as_json:
        print_json(found)
    else:
        rows = [(hit["kind"], hit["id"], hit["said"]) for hit in found["items"]]
        print_table(("Kind", "Id", "What is known"), rows, wrapped=("What is known",))
        if found["items"] and not found["exact"]:
            note("these begin so")
    if not found["items"]:
        raise CliError("nothing is called so, or begins so")
