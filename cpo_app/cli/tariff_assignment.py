"""`cpo tariffs assign`, `unassign`, `assigned`: which tariffs apply where."""

from __future__ import annotations

from typing import Annotated

import typer

from cpo_app.actions import tariffs as actions
from cpo_app.backend import Backend
from cpo_app.cli import remote
from cpo_app.cli.acting import act
from cpo_app.cli.files import party_of
from cpo_app.cli.imports import PartyOption
from cpo_app.cli.location_look_up import location_found
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json
from cpo_app.cli.tables import print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonMapping, JsonObject
from domain.objects import tariff_assignment

LocationId = Annotated[str, typer.Argument(metavar="LOCATION")]
Evse = Annotated[str | None, typer.Option("--evse", metavar="UID", help="Else all of it.")]
Connector = Annotated[
    str | None, typer.Option("--connector", metavar="ID", help="Of that EVSE; else all of it.")
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


def assign(
    location_id: LocationId,
    tariff_ids: Annotated[list[str], typer.Argument(metavar="TARIFF...")],
    evse: Evse = None,
    connector: Connector = None,
    party: PartyOption = None,
    data_dir: DataDir = None,
) -> None:
    given = {
        "location_id": location_id,
        "tariff_ids": tariff_ids,
        "evse_uid": evse,
        "connector_id": connector,
        "party": party,
    }
    _show(act(actions.ASSIGN, given, data_dir), as_json=False)
    note(f"{location_id}: {actions.ASSIGN.said()}")


def unassign(
    location_id: LocationId,
    evse: Evse = None,
    connector: Connector = None,
    party: PartyOption = None,
    data_dir: DataDir = None,
) -> None:
    given = {
        "location_id": location_id,
        "evse_uid": evse,
        "connector_id": connector,
        "party": party,
    }
    _show(act(actions.UNASSIGN, given, data_dir), as_json=False)
    note(f"{location_id}: {actions.UNASSIGN.said()}")


def assigned(
    location_id: Annotated[
        str | None, typer.Argument(metavar="[LOCATION]", help="None: all that have any.")
    ] = None,
    party: PartyOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many locations.")] = 100,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Which tariffs the connectors of a location have, and whose word that is; or where any are
    assigned."""
    if location_id is not None:
        _show(_at_location(location_id, party, data_dir), as_json=as_json)
        return

    async def work(backend: Backend) -> list[JsonObject]:
        return await tariff_assignment.listed(backend.db, limit=limit)

    there = remote.server() is not None
    rows = remote.rows("/tariffs-assigned", limit) if there else on_backend(work, data_dir)
    if as_json:
        print_json(rows)
        return
    print_table(
        ("Location", "Party", "EVSE", "Connector", "Tariffs", "By", "Since (UTC)"),
        (
            (
                row["location_id"],
                row["party"],
                word["evse_uid"] or "all",
                word["connector_id"] or "all",
                word["tariff_ids"],
                word["by"],
                word["at"],
            )
            for row in rows
            for word in row["assigned"]
        ),
        spared=("Since (UTC)", "By", "Party"),
    )
    if len(rows) == limit:
        note(f"the newest {limit} locations; --limit shows more")


def _at_location(location_id: str, party: str | None, data_dir: DataDir) -> JsonObject:
    async def work(backend: Backend) -> JsonObject:
        found = await location_found(backend, location_id, party_of(party))
        return await tariff_assignment.tariffs_at(backend.db, found)

    if remote.server() is None:
        return on_backend(work, data_dir)
    return remote.read(f"/locations/{remote.segment(location_id)}/tariffs", party=party)


def _show(applied: JsonMapping, *, as_json: bool) -> None:
    if as_json:
        print_json(applied)
        return
    columns = ("evse_uid", "connector_id", "tariff_ids", "source")
    print_table(
        ("EVSE", "Connector", "Tariffs", "By the word on"),
        [[row[name] for name in columns] for row in applied["connectors"]],
    )
