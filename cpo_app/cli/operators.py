"""`cpo operators`: the people who run this platform, with their roles and passwords."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from cpo_app.actions import operators as actions
from cpo_app.backend import Backend
from cpo_app.cli import remote
from cpo_app.cli.acting import act, act_and_say, words
from cpo_app.cli.agreement import Yes
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json, print_line
from cpo_app.cli.secret_input import new_password
from cpo_app.cli.tables import print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from domain.operators import operators
from domain.operators.actor import Role

app = typer.Typer(help="People who run this platform, with their roles.", no_args_is_help=True)


class OnOff(str, Enum):
    ON = "on"
    OFF = "off"


Name = Annotated[str, typer.Argument(metavar="NAME")]
Password = Annotated[
    str | None,
    typer.Option("--password", metavar="-", help="Read it from standard input; else it is asked."),
]
Generate = Annotated[bool, typer.Option("--generate", help="Make a password, and print it.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


@app.command(help=words(actions.ADD))
def add(
    name: Name,
    role: Annotated[Role, typer.Option(help="What this person may do.")],
    password: Password = None,
    generate: Generate = False,
    data_dir: DataDir = None,
) -> None:
    given = {"name": name, "role": role.value, "password": _chosen(name, password, generate)}
    done = act(actions.ADD, given, data_dir)
    note(f"{name} is {role.value}")
    _print_made(done)


@app.command("list")
def listing(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Who may come in, by name."""

    async def work(backend: Backend) -> list[JsonObject]:
        return [operators.shown(one) for one in await operators.listed(backend.db)]

    there = remote.server() is not None
    rows = remote.read("/operators")["items"] if there else on_backend(work, data_dir)
    if as_json:
        print_json(rows)
    else:
        columns = ("name", "role", "disabled", "totp", "created", "last_login")
        print_table(
            columns,
            [[row[column] for column in columns] for row in rows],
            spared=("created", "totp", "disabled"),
        )


@app.command(help=words(actions.REMOVE))
def remove(name: Name, yes: Yes = False, data_dir: DataDir = None) -> None:
    act_and_say(actions.REMOVE, {"operator": name}, data_dir, name, yes=yes)


@app.command("role", help=words(actions.SET_ROLE))
def set_role(
    name: Name, role: Annotated[Role, typer.Argument(metavar="ROLE")], data_dir: DataDir = None
) -> None:
    act(actions.SET_ROLE, {"operator": name, "role": role.value}, data_dir)
    note(f"{name} is {role.value}")


@app.command("password", help=words(actions.SET_PASSWORD))
def set_password(
    name: Name, password: Password = None, generate: Generate = False, data_dir: DataDir = None
) -> None:
    given = {"operator": name, "password": _chosen(name, password, generate)}
    _print_made(act_and_say(actions.SET_PASSWORD, given, data_dir, name))


@app.command("totp", help=words(actions.TOTP))
def second_factor(
    name: Name,
    state: Annotated[OnOff, typer.Argument(metavar="on|off")],
    data_dir: DataDir = None,
) -> None:
    given = {"operator": name, "on": state is OnOff.ON}
    done = act_and_say(actions.TOTP, given, data_dir, name)
    if "link" in done:
        print_line(done["link"])


@app.command("login-link", help=words(actions.LOGIN_LINK))
def login_link(name: Name, data_dir: DataDir = None) -> None:
    print_line(act_and_say(actions.LOGIN_LINK, {"operator": name}, data_dir, name)["link"])


@app.command(help=words(actions.DISABLE))
def disable(name: Name, data_dir: DataDir = None) -> None:
    act_and_say(actions.DISABLE, {"operator": name}, data_dir, name)


@app.command(help=words(actions.ENABLE))
def enable(name: Name, data_dir: DataDir = None) -> None:
    act_and_say(actions.ENABLE, {"operator": name}, data_dir, name)


def _chosen(name: str, password: str | None, generate: bool) -> str | None:
    """None: one is to be made."""
    if not generate:
        return new_password(password, name)
    if password is not None:
        raise CliError("--password or --generate, not both")
    return None


def _print_made(done: JsonObject) -> None:
    if "password" in done:
        print_line(done["password"])
