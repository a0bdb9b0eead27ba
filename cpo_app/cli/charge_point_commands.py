"""`cpo commands`: what a charge point is asked to do, and how that has ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from cpo_app.actions import commands as actions
from cpo_app.actions.action import Action, P
from cpo_app.backend import Backend
from cpo_app.cli import remote
from cpo_app.cli.acting import act, words
from cpo_app.cli.agreement import Yes
from cpo_app.cli.errors import CliError
from cpo_app.cli.lists import rows_of, with_filters
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json
from cpo_app.cli.secret_input import secret
from cpo_app.cli.tables import print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonMapping, JsonObject
from domain.commands import command_queue
from domain.operator import commands
from domain.operator.commands import is_open, said_of
from domain.operator.lists.commands import LIST
from domain.schemas import parse_datetime

app = typer.Typer(
    help="What charge points are asked to do, and how that has ended.", no_args_is_help=True
)

LOOK_AGAIN_S = 0.2
LATE_S = 5.0
"""Servers look for what is overdue once a second."""

CpId = Annotated[str, typer.Argument(metavar="CP_ID")]
Connector = Annotated[str | None, typer.Option("--connector", help="Else its only one.")]
Card = Annotated[
    str | None,
    typer.Option("--card", metavar="UID", help="The driver's; - reads it from standard input."),
]
CardType = Annotated[str, typer.Option("--type", help="Of the card.")]
OfParty = Annotated[str | None, typer.Option("--party", metavar="CC/PID", help="Of the card.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Do not wait for its end.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


@app.command(help=words(actions.START))
def start(
    cp_id: CpId,
    card: Card = None,
    card_type: CardType = "RFID",
    party: OfParty = None,
    connector: Connector = None,
    no_wait: NoWait = False,
    data_dir: DataDir = None,
) -> None:
    given = {"cp_id": cp_id, "connector_id": connector, **_card(card, card_type, party)}
    _ask(actions.START, given, data_dir, no_wait)


@app.command(help=words(actions.STOP))
def stop(
    cp_id: CpId,
    session: Annotated[str | None, typer.Option(metavar="ID", help="Else its only one.")] = None,
    no_wait: NoWait = False,
    data_dir: DataDir = None,
) -> None:
    _ask(actions.STOP, {"cp_id": cp_id, "session_id": session}, data_dir, no_wait)


@app.command(help=words(actions.UNLOCK))
def unlock(
    cp_id: CpId, connector: Connector = None, no_wait: NoWait = False, data_dir: DataDir = None
) -> None:
    _ask(actions.UNLOCK, {"cp_id": cp_id, "connector_id": connector}, data_dir, no_wait)


@app.command(help=words(actions.RESERVE))
def reserve(
    cp_id: CpId,
    card: Card = None,
    card_type: CardType = "RFID",
    party: OfParty = None,
    minutes: Annotated[int, typer.Option(min=1, max=actions.MAX_MINUTES)] = 30,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="ISO 8601; else so long.")] = (
        None
    ),
    no_wait: NoWait = False,
    data_dir: DataDir = None,
) -> None:
    given = {"cp_id": cp_id, "minutes": minutes, "until": until, **_card(card, card_type, party)}
    _ask(actions.RESERVE, given, data_dir, no_wait)


@app.command("cancel-reservation", help=words(actions.CANCEL_RESERVATION))
def cancel_reservation(
    cp_id: CpId, no_wait: NoWait = False, yes: Yes = False, data_dir: DataDir = None
) -> None:
    _ask(actions.CANCEL_RESERVATION, {"cp_id": cp_id}, data_dir, no_wait, yes=yes)


@app.command("list")
@with_filters(LIST)
def listing(
    given: dict[str, str],
    cp_id: Annotated[str | None, typer.Argument(metavar="[CP_ID]", help="Else of all.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Commands of peers and of our own people, the latest first; kept for 30 days."""
    if cp_id is not None:
        given = {**given, "charge_point": cp_id}
    rows = rows_of(LIST, "/commands", given, limit, data_dir)
    if as_json:
        print_json(rows)
        return
    print_table(
        ("Command", "Kind", "Charge point", "By", "When (UTC)", "Result"),
        (
            (
                row["id"],
                row["kind"],
                row["cp_id"],
                (row.get("by") or {}).get("name") or row.get("peer_id"),
                row["created"],
                row["said"],
            )
            for row in rows
        ),
        spared=("When (UTC)", "By"),
        wrapped=("Result",),
    )
    if len(rows) == limit:
        note(f"the latest {limit}; --limit shows more")


@app.command()
def show(
    command_id: Annotated[str, typer.Argument(metavar="ID")], data_dir: DataDir = None
) -> None:
    """One command, and how it has ended, as JSON."""

    async def work(backend: Backend) -> JsonObject | None:
        return await commands.one(backend.db, command_id)

    if remote.server() is not None:
        found: JsonMapping | None = remote.read(f"/commands/{remote.segment(command_id)}")
    else:
        found = on_backend(work, data_dir)
    if found is None:
        raise CliError(f"{command_id}: there is no such command")
    print_json(found)


def _card(card: str | None, card_type: str, party: str | None) -> JsonObject:
    uid = None if card is None else secret(card, "--card", "Card")
    return {"card": uid, "card_type": card_type, "party": party}


def _ask(
    action: Action[P],
    given: Mapping[str, object],
    data_dir: Path | None,
    no_wait: bool,
    *,
    yes: bool = False,
) -> None:
    """Prints how it has ended; exit code 1 where the charge point did not do it."""
    asked = act(action, given, data_dir, yes=yes)
    if no_wait:
        print_json(asked)
        return
    note(f"{asked['cp_id']}: asked, {asked['kind']}")
    ended = _waited(asked, data_dir)
    said = said_of(ended)
    print_json({**asked, "result": said})
    if said != "ACCEPTED":
        raise CliError(f"{asked['cp_id']} has not done it: {said}")


def _waited(asked: JsonMapping, data_dir: Path | None) -> JsonMapping:
    """The command once it has ended. Raises CliError where no server takes it up."""
    command_id = asked["command_id"]

    async def work(backend: Backend) -> JsonMapping:
        left_s = (parse_datetime(asked["deadline"]) - backend.db.now()).total_seconds() + LATE_S
        until = time.monotonic() + left_s
        while True:
            found = await command_queue.get(backend.db, command_id)
            if found is None or not is_open(found):
                return found or {}
            if time.monotonic() > until:
                raise CliError("no server has taken it up: does one run on this store?")
            await asyncio.sleep(LOOK_AGAIN_S)

    if remote.server() is None:
        return on_backend(work, data_dir)
    # It ends there by its deadline at the latest.
    while is_open(found := remote.read(f"/commands/{remote.segment(command_id)}")):
        time.sleep(LOOK_AGAIN_S)
    return found
