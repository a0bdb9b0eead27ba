"""`cpo statements`: what a peer owes for a month, to be held against the invoice."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from cpo_app.backend import Backend
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json
from cpo_app.cli.spreadsheets import print_csv
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from domain.reconciliation.statements import COLUMNS, Month, NotAMonth, statement


class Format(str, Enum):
    CSV = "csv"
    JSON = "json"


def statements(
    peer_id: Annotated[str, typer.Option("--peer", metavar="ID", help="The peer.")],
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="CDRs issued in this month.")],
    time_zone: Annotated[
        str | None,
        typer.Option(help="Where the month begins and ends; CPO_STATEMENT_TIME_ZONE if not given."),
    ] = None,
    kind: Annotated[Format, typer.Option("--format", help="CSV or JSON.")] = Format.CSV,
    data_dir: DataDir = None,
) -> None:
    """A peer's month: per pair of parties and currency the number of CDRs, kWh, cost by
    dimension, VAT; credits are netted."""

    async def work(backend: Backend) -> list[JsonObject]:
        settings = backend.settings
        zone = time_zone or settings.CPO_STATEMENT_TIME_ZONE or settings.CPO_TIME_ZONE or "UTC"
        asked = Month.of(month, zone)
        peer = await backend.peers.get(peer_id)
        return await statement(backend.db, peer.document.get("parties") or (), asked)

    try:
        rows = on_backend(work, data_dir)
    except NotAMonth as error:
        raise CliError(str(error)) from error
    if kind is Format.JSON:
        print_json(rows)
    else:
        print_csv(COLUMNS, rows)
    if not rows:
        note(f"no CDR was issued to {peer_id} in {month}")
