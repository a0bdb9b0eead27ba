"""`cpo keys`: API keys, which scripts show instead of a person's password."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

import typer

from cpo_app.backend import Backend
from cpo_app.cli.agreement import Yes, agree
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json, print_line
from cpo_app.cli.tables import print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from domain.operators import api_keys
from domain.operators.actor import Role
from domain.operators.api_keys import SCOPES, KeyRefused

app = typer.Typer(help="API keys for scripts, with their roles.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME")]
_LIFETIME = re.compile(r"([1-9][0-9]{0,4})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@app.command()
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
    """Make a key and print it, for the only time: `Authorization: Bearer KEY`."""
    lifetime = None if expires is None else _lifetime(expires)

    async def work(backend: Backend) -> str:
        return await backend.store.transact(
            lambda tx: api_keys.add(tx, name, role, scopes=scope or (), lifetime=lifetime)
        )

    try:
        key = on_backend(work, data_dir)
    except KeyRefused as error:
        raise CliError(str(error)) from None
    note("Keep it now: only its hash is stored.")
    print_line(key)


@app.command("list")
def listing(
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    data_dir: DataDir = None,
) -> None:
    """All keys by name, with their prefixes; the keys themselves are nowhere."""

    async def work(backend: Backend) -> list[JsonObject]:
        now = backend.db.now()
        return [
            {
                "name": key["name"],
                "prefix": f"cpo_{key['_id']}_",
                "role": key["role"],
                "scopes": key["scopes"],
                "created": key["created"],
                "expires": key.get("expires"),
                "ended": "expires" in key and key["expires"] <= now,
                "last_used": key.get("last_used"),
            }
            for key in await api_keys.listed(backend.db)
        ]

    rows = on_backend(work, data_dir)
    if as_json:
        print_json(rows)
    else:
        columns = ("name", "prefix", "role", "scopes", "expires", "ended", "last_used")
        print_table(
            columns,
            [[row[column] for column in columns] for row in rows],
            spared=("last_used", "scopes", "ended"),
        )


@app.command()
def remove(name: Name, yes: Yes = False, data_dir: DataDir = None) -> None:
    """By its name or prefix: it is good for nothing at once."""
    agree(f"Remove the key {name}: whoever uses it is out at once.", yes)

    async def work(backend: Backend) -> None:
        prefix = name.removeprefix("cpo_").rstrip("_")
        await backend.store.transact(lambda tx: api_keys.remove(tx, name, prefix))

    try:
        on_backend(work, data_dir)
    except KeyRefused as error:
        raise CliError(str(error)) from None
    note(f"{name} is removed")


def _lifetime(text: str) -> timedelta:
    form = _LIFETIME.fullmatch(text)
    if form is None:
        raise CliError(
            f"--expires {text}: is a number of hours, days or weeks, as in 12h, 90d, 52w"
        )
    return int(form[1]) * _UNITS[form[2]]
