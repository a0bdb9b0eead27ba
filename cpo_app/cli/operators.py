"""`cpo operators`: the people who run this platform, with their roles and passwords."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Annotated

import typer

from cpo_app.backend import Backend
from cpo_app.cli.agreement import Yes, agree
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json, print_line
from cpo_app.cli.secret_input import new_password
from cpo_app.cli.tables import print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.operators import operators, totp
from domain.operators.actor import Role
from domain.operators.operators import NoSuchOperator, OperatorRefused
from domain.operators.passwords import Passwords, PasswordUnfit, check_new, generated

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


@app.command()
def add(
    name: Name,
    role: Annotated[Role, typer.Option(help="What this person may do.")],
    password: Password = None,
    generate: Generate = False,
    data_dir: DataDir = None,
) -> None:
    """Let a person in."""
    chosen = _chosen(name, password, generate)

    async def work(backend: Backend) -> None:
        kept = await Passwords().hashed(chosen)
        await backend.store.transact(lambda tx: operators.add(tx, name, role, kept))

    _said(work, data_dir)
    note(f"{name} is {role.value}")
    if generate:
        print_line(chosen)


@app.command("list")
def listing(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Who may come in, by name."""

    async def work(backend: Backend) -> list[JsonObject]:
        return [
            {
                "name": one["name"],
                "role": one["role"],
                "disabled": one["disabled"],
                "totp": "totp" in one,
                "created": one["created"],
                "last_login": one.get("last_login"),
            }
            for one in await operators.listed(backend.db)
        ]

    rows = on_backend(work, data_dir)
    if as_json:
        print_json(rows)
    else:
        columns = ("name", "role", "disabled", "totp", "created", "last_login")
        print_table(
            columns,
            [[row[column] for column in columns] for row in rows],
            spared=("created", "totp", "disabled"),
        )


@app.command()
def remove(name: Name, yes: Yes = False, data_dir: DataDir = None) -> None:
    """Let a person in no more; whoever is signed in by that name is out at once."""
    agree(f"Remove the operator {name}, with password and second factor.", yes)
    _change(lambda tx: operators.remove(tx, name), data_dir)
    note(f"{name} is removed")


@app.command("role")
def set_role(
    name: Name, role: Annotated[Role, typer.Argument(metavar="ROLE")], data_dir: DataDir = None
) -> None:
    """Give a person another role: viewer, operator, money or admin."""
    _change(lambda tx: operators.set_role(tx, name, role), data_dir)
    note(f"{name} is {role.value}")


@app.command("password")
def set_password(
    name: Name, password: Password = None, generate: Generate = False, data_dir: DataDir = None
) -> None:
    """Give a person another password; whoever is signed in by that name is out at once."""
    chosen = _chosen(name, password, generate)

    async def work(backend: Backend) -> None:
        kept = await Passwords().hashed(chosen)
        await backend.store.transact(lambda tx: operators.set_password(tx, name, kept))

    _said(work, data_dir)
    note(f"{name} has a new password")
    if generate:
        print_line(chosen)


@app.command("totp")
def second_factor(
    name: Name,
    state: Annotated[OnOff, typer.Argument(metavar="on|off")],
    data_dir: DataDir = None,
) -> None:
    """Ask a person for a code, too, at each login; prints what his app takes for it, once."""

    async def work(backend: Backend) -> str | None:
        if state is OnOff.OFF:
            await backend.store.transact(lambda tx: totp.switch_off(tx, name))
            return None
        secret = await backend.store.transact(lambda tx: totp.switch_on(tx, backend.vault, name))
        return totp.uri(secret, name, backend.settings.PROJECT_NAME)

    try:
        link = on_backend(work, data_dir)
    except NoSuchOperator as error:
        raise CliError(str(error)) from None
    note(f"{name}: logins ask for {'no code' if link is None else 'a code'}")
    if link is not None:
        print_line(link)


@app.command()
def disable(name: Name, data_dir: DataDir = None) -> None:
    """Let a person in no more, but keep the name; `enable` undoes it."""
    _change(lambda tx: operators.set_disabled(tx, name, True), data_dir)
    note(f"{name} is disabled")


@app.command()
def enable(name: Name, data_dir: DataDir = None) -> None:
    """Let a person in again."""
    _change(lambda tx: operators.set_disabled(tx, name, False), data_dir)
    note(f"{name} is enabled")


def _chosen(name: str, password: str | None, generate: bool) -> str:
    if generate:
        if password is not None:
            raise CliError("--password or --generate, not both")
        return generated()
    chosen = new_password(password, name)
    try:
        check_new(chosen, name)
    except PasswordUnfit as error:
        raise CliError(f"{error}") from None
    return chosen


def _change(change: Callable[[Tx], Awaitable[None]], data_dir: DataDir) -> None:
    _said(lambda backend: backend.store.transact(change), data_dir)


def _said(work: Callable[[Backend], Awaitable[None]], data_dir: DataDir) -> None:
    try:
        on_backend(work, data_dir)
    except (NoSuchOperator, OperatorRefused) as error:
        raise CliError(str(error)) from None
