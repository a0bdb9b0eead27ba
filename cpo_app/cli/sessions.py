"""`cpo sessions`: what is charged, what of it needs a look, and what is settled by hand."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from cpo_app.actions import sessions as actions
from cpo_app.backend import Backend
from cpo_app.cli.acting import act, words
from cpo_app.cli.agreement import Yes
from cpo_app.cli.errors import CliError
from cpo_app.cli.lists import documents_of, with_filters
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json
from cpo_app.cli.tables import print_table
from cpo_app.cli.with_backend import on_backend
from domain.operator import money
from domain.operator.lists.sessions import LIST, LOOKS
from domain.sessions import session_records
from domain.sessions.session_document import ChargingSession

app = typer.Typer(help="Charging sessions: list, look, settle by hand.", no_args_is_help=True)

Shown = Enum("Shown", {kind.name: kind.value.replace(" ", "-") for kind in money.Kind}, type=str)  # type: ignore[misc]
SessionId = Annotated[str, typer.Argument(metavar="ID")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000)]


@app.command("list")
@with_filters(LIST)
def listing(
    given: dict[str, str],
    state: Annotated[Shown | None, typer.Option(help="As --look.")] = None,
    limit: Limit = 100,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """The latest sessions with what EV_Central knows of them."""
    if state is not None:
        look = next(name for name, kind in LOOKS.items() if kind is money.Kind[state.name])
        given = {**given, "look": look}
    found = documents_of(LIST, given, limit, data_dir, money.FACTS)
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
    print_table(columns, rows, spared=("Ended", "Connector", "Token", "Created", "kWh"))
    if len(found) == limit:
        note(f"the latest {limit}; --limit shows more")


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
    print_table(
        ("Kind", "Session", "Charge point", "Since", "kWh", "Why", "What to do"),
        rows,
        spared=("Since", "kWh", "Charge point", "Kind"),
        wrapped=("Why", "What to do"),
    )
    note(f"{len(entries)} need a look; {counts.unbilled_wh / 1000:g} kWh on no CDR")


@app.command(help=words(actions.END))
def end(
    session_id: SessionId,
    energy: Annotated[
        float | None, typer.Option(metavar="KWH", help="Billed; else what was measured.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="ISO 8601; else the latest meter value.")
    ] = None,
    yes: Yes = False,
    data_dir: DataDir = None,
) -> None:
    given = {"session_id": session_id, "energy_kwh": energy, "at": at}
    print_json(act(actions.END, given, data_dir, yes=yes))


@app.command("release", help=words(actions.RELEASE))
def releasing(session_id: SessionId, data_dir: DataDir = None) -> None:
    print_json(act(actions.RELEASE, {"session_id": session_id}, data_dir))


@app.command("write-off", help=words(actions.WRITE_OFF))
def writing_off(session_id: SessionId, yes: Yes = False, data_dir: DataDir = None) -> None:
    print_json(act(actions.WRITE_OFF, {"session_id": session_id}, data_dir, yes=yes))
