"""`cpo sessions`: what is charged, what of it needs a look, and what is settled by hand."""

from __future__ import annotations

import getpass
from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import Enum
from typing import Annotated

import typer

from cpo_app.backend import Backend
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json, print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.operator import money
from domain.schemas import parse_datetime
from domain.sessions import session_records
from domain.sessions.session_document import ChargingSession
from domain.sessions.session_hands import NotByHand, end_by_hand, release, write_off
from domain.sessions.session_rules import Rules

app = typer.Typer(help="Charging sessions: list, look, settle by hand.", no_args_is_help=True)

Shown = Enum("Shown", {kind.name: kind.value.replace(" ", "-") for kind in money.Kind}, type=str)  # type: ignore[misc]
SessionId = Annotated[str, typer.Argument(metavar="ID")]
By = Annotated[str | None, typer.Option("--by", help="Who does it; else the user of this shell.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000)]


@app.command("list")
def listing(
    state: Annotated[Shown | None, typer.Option(help="Only those that need this look.")] = None,
    limit: Limit = 100,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """The latest sessions with what EV_Central knows of them."""
    kind = None if state is None else money.Kind[state.name]

    async def work(backend: Backend) -> list[JsonObject]:
        return await money.sessions_of(backend.db, kind, limit)

    found = on_backend(work, data_dir)
    if as_json:
        print_json(found)
        return
    columns = ("ID", "Charge point", "Connector", "Token", "Status", "Created", "Ended", "kWh")
    rows = [
        (
            row["_id"],
            row["cp_id"],
            row["connector_id"],
            (row.get("token") or {}).get("uid"),
            row["status"],
            row["created"],
            row.get("ended"),
            f"{row.get('energy_wh', 0.0) / 1000:g}",
        )
        for row in found
    ]
    print_table(columns, rows)


@app.command()
def show(session_id: SessionId, data_dir: DataDir = None) -> None:
    """One session, as EV_Central keeps it."""

    async def work(backend: Backend) -> ChargingSession | None:
        return await session_records.get(backend.db, session_id)

    found = on_backend(work, data_dir)
    if found is None:
        raise CliError(f"{session_id}: there is no such session")
    print_json(found)


@app.command()
def trouble(as_json: AsJson = False, limit: Limit = 100, data_dir: DataDir = None) -> None:
    """Money that needs a look: each with why, and what to do."""

    async def work(backend: Backend) -> tuple[list[money.Entry], money.MoneyCounts]:
        return await money.entries(backend.db, limit), await money.counts(backend.db)

    entries, counts = on_backend(work, data_dir)
    if as_json:
        print_json(
            {"unbilled_wh": counts.unbilled_wh, "entries": [vars(entry) for entry in entries]}
        )
        return
    rows = [
        (e.kind, e.session_id, e.cp_id, e.since, f"{e.energy_wh / 1000:g}", e.why, e.do)
        for e in entries
    ]
    print_table(("Kind", "Session", "Charge point", "Since", "kWh", "Why", "What to do"), rows)
    note(f"{len(entries)} need a look; {counts.unbilled_wh / 1000:g} kWh on no CDR")


@app.command()
def end(
    session_id: SessionId,
    energy: Annotated[
        float | None, typer.Option(metavar="KWH", help="Billed; else what was measured.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="ISO 8601; else the latest meter value.")
    ] = None,
    by: By = None,
    data_dir: DataDir = None,
) -> None:
    """End a session whose charge point will not, or bill a held one with a corrected energy."""
    until = None if at is None else _time(at)
    energy_wh = None if energy is None else energy * 1000

    async def do(tx: Tx, who: str, rules: Rules) -> ChargingSession:
        return await end_by_hand(tx, session_id, by=who, energy_wh=energy_wh, at=until, rules=rules)

    _by_hand(session_id, do, by, data_dir)


@app.command("release")
def releasing(session_id: SessionId, by: By = None, data_dir: DataDir = None) -> None:
    """A held session, or an estimate, is right as it is."""

    async def do(tx: Tx, who: str, rules: Rules) -> ChargingSession:
        return await release(tx, session_id, by=who, rules=rules)

    _by_hand(session_id, do, by, data_dir)


@app.command("write-off")
def writing_off(session_id: SessionId, by: By = None, data_dir: DataDir = None) -> None:
    """Nobody is billed for a held session, or for energy that came to light beside a bill."""

    async def do(tx: Tx, who: str, rules: Rules) -> ChargingSession:
        return await write_off(tx, session_id, by=who, rules=rules)

    _by_hand(session_id, do, by, data_dir)


def _by_hand(
    session_id: str,
    do: Callable[[Tx, str, Rules], Awaitable[ChargingSession]],
    by: str | None,
    data_dir: DataDir,
) -> None:
    who = by or _user()

    async def work(backend: Backend) -> ChargingSession:
        rules = backend.settings.session_rules
        return await backend.store.transact(lambda tx: do(tx, who, rules))

    try:
        after = on_backend(work, data_dir)
    except NotByHand as error:
        raise CliError(f"{session_id}: {error}") from error
    names = ("_id", "status", "energy_wh", "started", "ended", "held", "cdr_problem", "by_hand")
    known = dict(after)
    print_json({name: known[name] for name in names if known.get(name) is not None})


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "command line"


def _time(text: str) -> datetime:
    try:
        return parse_datetime(text)
    except ValueError:
        raise CliError(f"--at: {text} is no time (2025-05-01T12:00:00Z)") from None
