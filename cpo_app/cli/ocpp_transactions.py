"""`cpo charge-points transactions`: what a charge point over OCPP has told of its sessions."""

from __future__ import annotations

from typing import Annotated

import typer

from cpo_app.backend import Backend
from cpo_app.cli import remote
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json
from cpo_app.cli.tables import print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from domain.operator import station_transactions


def ocpp_transactions(
    cp_id: Annotated[str, typer.Argument(metavar="CP_ID")],
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    data_dir: DataDir = None,
) -> None:
    """The latest transactions of its station: which session each is, or that it is nobody's."""

    async def work(backend: Backend) -> list[JsonObject] | None:
        return await station_transactions.of_charge_point(backend.db, cp_id, limit=limit)

    if remote.server() is not None:
        path = f"/charge-points/{remote.segment(cp_id)}/transactions"
        rows = remote.read(path, limit=limit)["items"]
    else:
        found = on_backend(work, data_dir)
        if found is None:
            raise CliError(f"{cp_id}: no charge point with OCPP")
        rows = found
    if as_json:
        print_json(rows)
        return
    print_table(
        ("Transaction", "EVSE", "State", "Since (UTC)", "kWh", "Session"),
        [
            (
                row["transaction_id"],
                f"{row['cp_id']} {row['connector_id']}",
                row["state"],
                row["started"] or row["first_heard"],
                f"{row['energy_wh'] / 1000:.3f}",
                row["session_id"] or ("nobody's" if row["nobodys"] else ""),
            )
            for row in rows
        ],
        spared=("Session",),
    )
    if len(rows) == limit:
        note(f"the latest {limit}; --limit shows more")
