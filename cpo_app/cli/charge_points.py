"""`cpo charge-points`: what the operator sees of single charge points, and says of them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from cpo_app.backend import Backend
from cpo_app.cli import dead_letters
from cpo_app.cli.errors import CliError
from cpo_app.cli.meter_keys import meter_key
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import print_json, print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.charge_points import enrolments, operator_words, registration_store
from domain.charge_points.registration_records import NotRegistered, Record
from domain.operator import charge_points
from domain.sites import Party
from domain.times import format_datetime

app = typer.Typer(
    help="Charge points: list, enrol, restore; the keys of their meters; telemetry not taken.",
    no_args_is_help=True,
)
app.command("meter-key")(meter_key)
app.add_typer(dead_letters.app, name="dead-letters")

_CP_ID = re.compile(r"[A-Za-z0-9_-]{3,64}")
CpId = Annotated[str, typer.Argument(metavar="CP_ID")]


@app.command("list")
def listing(
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    data_dir: DataDir = None,
) -> None:
    """All registered charge points by id, with their state and whether eMSPs get them."""

    async def work(backend: Backend) -> list[JsonObject]:
        rows, after = await charge_points.page(backend.db, after=None, limit=500)
        while after is not None:
            more, after = await charge_points.page(backend.db, after=after, limit=500)
            rows += more
        return rows

    found = on_backend(work, data_dir)
    if as_json:
        print_json(found)
        return
    columns = ("ID", "Place", "Party", "Status", "State", "Last seen", "Session", "Offered", "Why")
    names = ("id", "place", "party", "status", "state", "last_seen", "session", "offered")
    rows = [
        (*(row[name] for name in names), "; ".join([*row["faults"], *row["reasons"]]) or None)
        for row in found
    ]
    print_table(columns, rows)


@app.command()
def show(cp_id: CpId, data_dir: DataDir = None) -> None:
    """One charge point with its registration and what EV_Central knows of it, as JSON."""

    async def work(backend: Backend) -> JsonObject | None:
        return await charge_points.one(backend.db, cp_id)

    found = on_backend(work, data_dir)
    if found is None:
        raise _unknown(cp_id)
    print_json(found)


@app.command()
def enrol(cp_id: CpId, data_dir: DataDir = None) -> None:
    """A token with which this one charge point may register, once, within a day.

    Set it as CP_MONITOR_ENROLMENT_TOKEN of its monitor. It is shown this once.
    """
    if not _CP_ID.fullmatch(cp_id):
        raise CliError(f"{cp_id}: an id has 3 to 64 letters, digits, _ or -")

    async def work(backend: Backend) -> JsonObject:
        async def make(tx: Tx) -> JsonObject:
            token, expires_at = await enrolments.enrol(tx, cp_id)
            return {"cp_id": cp_id, "token": token, "expires_at": format_datetime(expires_at)}

        return await backend.store.transact(make)

    print_json(on_backend(work, data_dir))


@app.command()
def restore(cp_id: CpId, data_dir: DataDir = None) -> None:
    """Undo a deregistration: the charge point's own credentials are good again."""
    _say(operator_words.restore, cp_id, data_dir)


@app.command()
def approve(cp_id: CpId, data_dir: DataDir = None) -> None:
    """Let a charge point stand at a site that holds another's."""
    _say(operator_words.let_into_site, cp_id, data_dir)


def _say(
    word: Callable[[Tx, str, Party], Awaitable[Record]], cp_id: str, data_dir: Path | None
) -> None:
    async def work(backend: Backend) -> JsonObject:
        async def change(tx: Tx) -> JsonObject:
            record = await word(tx, cp_id, backend.settings.parties[0])
            shown = registration_store.get(tx, record["_id"], ("status", "site_id", "ocpi"))
            return {"cp_id": record["_id"], **(await shown or {})}

        return await backend.store.transact(change)

    try:
        result = on_backend(work, data_dir)
    except NotRegistered:
        raise _unknown(cp_id) from None
    result.pop("_id", None)
    print_json(result)


def _unknown(cp_id: str) -> CliError:
    return CliError(f"{cp_id}: no such charge point")
