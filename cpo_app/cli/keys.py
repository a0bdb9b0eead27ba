"""`cpo keys`: API keys, which scripts show instead of a person's password."""

from __future__ import annotations

from typing import Annotated

import typer

from cpo_app.actions import keys as actions
from cpo_app.backend import Backend
from cpo_app.cli import remote
from cpo_app.cli.acting import act, act_and_say, words
from cpo_app.cli.agreement import Yes
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json, print_line
from cpo_app.cli.tables import print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from domain.operators import api_keys
from domain.operators.actor import Role
from domain.operators.api_keys import SCOPES

app = typer.Typer(help="API keys for scripts, with their roles.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME")]


@app.command(help=words(actions.ADD))
def add(
    name: Name,
    role: Annotated[Role, typer.Option(help="What may be done with it.")],
    expires: Annotated[
        str | None,
        typer.Option(metavar="90d", help="When it ends: hours (h), days (d), weeks (w)."),
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help=f"Good at this door only ({', '.join(SCOPES)}); may be repeated."),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    given = {"name": name, "role": role.value, "expires": expires, "scopes": scope or []}
    made = act(actions.ADD, given, data_dir)
    note(actions.ADD.said())
    print_line(made["key"])


@app.command("list")
def listing(
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    data_dir: DataDir = None,
) -> None:
    """All keys by name, with their prefixes; the keys themselves are nowhere."""

    async def work(backend: Backend) -> list[JsonObject]:
        now = backend.db.now()
        return [api_keys.shown(key, now) for key in await api_keys.listed(backend.db)]

    there = remote.server() is not None
    rows = remote.read("/keys")["items"] if there else on_backend(work, data_dir)
    if as_json:
        print_json(rows)
    else:
        columns = ("name", "prefix", "role", "scopes", "expires", "ended", "last_used")
        print_table(
            columns,
            [[row[column] for column in columns] for row in rows],
            spared=("last_used", "scopes", "ended"),
        )


@app.command(help=words(actions.REMOVE))
def remove(name: Name, yes: Yes = False, data_dir: DataDir = None) -> None:
    act_and_say(actions.REMOVE, {"key": name}, data_dir, name, yes=yes)
