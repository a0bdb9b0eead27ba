"""`cpo charge-points templates`: how charge points with OCPP are to be configured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cpo_app.actions import ocpp_templates as actions
from cpo_app.backend import Backend
from cpo_app.cli import remote
from cpo_app.cli.acting import act, act_and_say, words
from cpo_app.cli.agreement import Yes
from cpo_app.cli.errors import CliError
from cpo_app.cli.files import read_json
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json
from cpo_app.cli.tables import print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from domain.ocpp import templates

app = typer.Typer(help="How charge points with OCPP are to be configured.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME")]


@app.command("list")
def listing(
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    data_dir: DataDir = None,
) -> None:
    """All templates, and what they want."""

    async def work(backend: Backend) -> list[JsonObject]:
        return [dict(templates.shown(one)) for one in await templates.all_of(backend.db)]

    if remote.server() is not None:
        rows = remote.read("/ocpp-templates")["items"]
    else:
        rows = on_backend(work, data_dir)
    if as_json:
        print_json(rows)
        return
    print_table(
        ("Name", "OCPP", "Vendor", "Model", "Stations", "Values"),
        (
            (
                row["name"],
                row["version"],
                row["vendor"],
                row["model"],
                row["stations"],
                ", ".join(f"{one['key']}={one['value']}" for one in row["values"]),
            )
            for row in rows
        ),
        wrapped=("Values",),
    )


@app.command(help=words(actions.PUT))
def put(
    name: Name,
    values: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Or --file.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help='JSON: {"HeartbeatInterval": "60"}.', dir_okay=False)
    ] = None,
    version: Annotated[str, typer.Option("--ocpp", help="1.6, or 2 for 2.0.1 and 2.1.")] = "1.6",
    vendor: Annotated[str | None, typer.Option(help="Of these alone.")] = None,
    model: Annotated[str | None, typer.Option(help="Of these alone.")] = None,
    station: Annotated[
        list[str] | None, typer.Option(metavar="CP_ID", help="These alone; may be repeated.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    given = {
        "template": name,
        "version": version,
        "vendor": vendor,
        "model": model,
        "stations": station or [],
        "values": {**({} if file is None else read_json(file)), **_pairs(values or [])},
    }
    print_json(act(actions.PUT, given, data_dir))
    note(f"{name}: {actions.PUT.said()}")


@app.command(help=words(actions.REMOVE))
def remove(name: Name, yes: Yes = False, data_dir: DataDir = None) -> None:
    act_and_say(actions.REMOVE, {"template": name}, data_dir, name, yes=yes)


@app.command(help=words(actions.APPLY))
def apply(cp_id: Annotated[str, typer.Argument(metavar="CP_ID")], data_dir: DataDir = None) -> None:
    print_json(act_and_say(actions.APPLY, {"cp_id": cp_id}, data_dir, cp_id))


def _pairs(values: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in values:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise CliError(f"{text}: write KEY=VALUE")
        pairs[key] = value
    return pairs
