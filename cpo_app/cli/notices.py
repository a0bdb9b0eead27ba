"""`cpo notices`: what is in trouble, who is told of it, and a test of those."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from cpo_app.actions.notices import NO_TARGETS, TEST
from cpo_app.backend import Backend
from cpo_app.cli.acting import act, words
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json
from cpo_app.cli.tables import print_table
from cpo_app.cli.with_backend import on_backend
from cpo_app.notice_settings import target_ids
from domain.operator.notices import Notices, notices

app = typer.Typer(
    help="Who is told of trouble, by webhook and mail: list; send a test.", no_args_is_help=True
)

AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


@app.command("list")
def listing(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """What is in trouble now, what lately was, and whether those who are told take it."""

    async def work(backend: Backend) -> Notices:
        return await notices(backend.db, target_ids(backend.settings))

    found = on_backend(work, data_dir)
    if as_json:
        print_json(asdict(found))
        return
    print_table(
        ("Since (UTC)", "Over", "What", "What to do"),
        (
            (matter["opened"], matter.get("over"), matter["said"], matter["do"])
            for matter in (*found.open, *found.over)
        ),
        spared=("What to do",),
        wrapped=("What", "What to do"),
    )
    for row in found.targets:
        state = "takes them" if row.reason is None else f"does not take them: {row.reason}"
        note(f"{row.target}: {state}; {row.waiting} waiting")
    if not found.targets:
        note(NO_TARGETS)
    if not found.watched:
        note("nothing is watched now: no server runs")


@app.command("test", help=words(TEST))
def send_test(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    result = act(TEST, {}, data_dir)
    if as_json:
        print_json(result["targets"])
    else:
        print_table(
            ("Target", "Took it", "Why not"),
            ((row["target"], row["taken"], row["why"] or "") for row in result["targets"]),
        )
    if result["outcome"] != "taken":
        raise CliError(TEST.said(result["outcome"]))
