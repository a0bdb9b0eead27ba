"""`cpo audit`: who did what to what; is the log as it was written?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cpo_app.actions import audit_log as actions
from cpo_app.backend import Backend
from cpo_app.cli import remote
from cpo_app.cli.acting import act, words
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, plain_text, print_facts, print_json
from cpo_app.cli.tables import print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from domain.audit.listing import changes_of, listed

app = typer.Typer(help="The audit log: who did what to what; verify it.")

ABOUT = "What it is about: the id of a peer, a party (NL/TNM), a charge point, a session, ..."


@app.callback(invoke_without_command=True)
def _unless_said(
    context: typer.Context,
    about: Annotated[str | None, typer.Option(metavar="ID", help=ABOUT)] = None,
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Who did it.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    data_dir: DataDir = None,
) -> None:
    """The latest entries first."""
    if context.invoked_subcommand is None:
        _show(about, by, limit, as_json, data_dir)


@app.command(help=f"{words(actions.VERIFY)} Exit code 1 where something is not as it was written.")
def verify(
    head: Annotated[
        str | None,
        typer.Option(metavar="HASH", help="A head of before: all up to it has to be as it was."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
    data_dir: DataDir = None,
) -> None:
    facts = act(actions.VERIFY, {"head": head}, data_dir)
    outcome = facts.pop("outcome")
    if as_json:
        print_json(facts)
    else:
        print_facts({name: value for name, value in facts.items() if name != "problems"})
        for problem in facts["problems"]:
            note(problem)
    if outcome != "whole":
        raise CliError("the audit log is not whole")


def _show(
    about: str | None, by: str | None, limit: int, as_json: bool, data_dir: Path | None
) -> None:
    async def work(backend: Backend) -> list[JsonObject]:
        rows, _ = await listed(backend.db, about=about, by=by, limit=limit)
        return rows

    if remote.server() is not None:
        rows = remote.read("/audit", about=about, by=by, limit=limit)["items"]
    else:
        rows = on_backend(work, data_dir)
    if as_json:
        print_json(rows)
        return
    print_table(
        ("When (UTC)", "By", "Did", "About", "What changed"),
        (
            (
                row["at"],
                f"{row['by']['name']} ({row['by']['kind']})",
                row["action"],
                " ".join(one["id"] for one in row["about"]),
                _said(row),
            )
            for row in rows
        ),
    )
    if len(rows) == limit:
        note(f"the latest {limit}; --limit shows more")


def _said(row: JsonObject) -> str:
    if row["result"] != "done":
        return f"refused: {row['why']}"
    return "; ".join(
        f"{name} {plain_text(after)}"
        if before is None
        else f"{name} {plain_text(before)} to {plain_text(after)}"
        for name, before, after in changes_of(row)
    )
