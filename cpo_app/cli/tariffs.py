"""`cpo tariffs`: take OCPI tariffs over from files, look after them, and give them back."""

from __future__ import annotations

from typing import Annotated

import typer

from cpo_app.backend import Backend
from cpo_app.cli.errors import CliError
from cpo_app.cli.files import party_of
from cpo_app.cli.imports import (
    DryRun,
    FileArgument,
    Force,
    PartyOption,
    Verbose,
    export_all,
    import_file,
)
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json, print_line, print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from db_interface.owned_objects import party_key
from domain.imports.tariff_import import read_tariff
from domain.objects.locations import uses_of_tariffs
from domain.outbox.publishing import withdraw
from domain.platform_facts import default_tariff, set_default_tariff

app = typer.Typer(help="Tariffs: import, export, list, remove.", no_args_is_help=True)

TariffId = Annotated[str, typer.Argument(metavar="ID", help="As `cpo tariffs list` shows it.")]


@app.command("import")
def import_tariffs(
    file: FileArgument,
    party: PartyOption = None,
    force: Force = False,
    dry_run: DryRun = False,
    verbose: Verbose = False,
    data_dir: DataDir = None,
) -> None:
    """Import OCPI tariffs; exit code 1 if any had to be refused. --party makes them its own."""
    import_file(
        "tariffs",
        read_tariff,
        file,
        party=party,
        force=force,
        dry_run=dry_run,
        verbose=verbose,
        data_dir=data_dir,
    )


@app.command("export")
def export_tariffs(party: PartyOption = None, data_dir: DataDir = None) -> None:
    """Write all our tariffs as a JSON list to stdout, in order of creation."""
    export_all("tariffs", party, data_dir)


@app.command("list")
def list_tariffs(
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
    data_dir: DataDir = None,
) -> None:
    """All tariffs: what they price, when they are valid, at how many locations they are used."""

    async def work(backend: Backend) -> list[JsonObject]:
        default = await default_tariff(backend.db)
        used = await uses_of_tariffs(backend.db)
        rows = []
        for document in await backend.store.objects("tariffs").documents({}, sort=[("seq", 1)]):
            tariff = document["fields"]
            kinds = {c["type"] for e in tariff["elements"] for c in e["price_components"]}
            rows.append(
                {
                    "id": tariff["id"],
                    "party": f"{tariff['country_code']}/{tariff['party_id']}",
                    "currency": tariff["currency"],
                    "type": tariff.get("type"),
                    "elements": len(tariff["elements"]),
                    "prices": sorted(kinds),
                    "start_date_time": tariff.get("start_date_time"),
                    "end_date_time": tariff.get("end_date_time"),
                    "locations": used.get(tariff["id"].lower(), 0),
                    "default": tariff["id"].lower() == (default or "").lower(),
                }
            )
        return rows

    rows = on_backend(work, data_dir)
    if as_json:
        print_json(rows)
        return
    print_table(
        ("ID", "Party", "Currency", "Type", "Prices", "From", "Until", "Locations", "Default"),
        (
            (
                row["id"],
                row["party"],
                row["currency"],
                row["type"],
                " ".join(row["prices"]),
                row["start_date_time"],
                row["end_date_time"],
                row["locations"],
                "yes" if row["default"] else "",
            )
            for row in rows
        ),
    )


@app.command()
def remove(
    tariff_id: TariffId,
    party: PartyOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also when connectors name it, or it is the default.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Remove a tariff; sessions that run under it keep it as it was."""
    owner = party_of(party)

    async def work(backend: Backend) -> str:
        key, name = await _found(backend, tariff_id, owner)
        if not force:
            used = (await uses_of_tariffs(backend.db)).get(name.lower(), 0)
            if used:
                raise CliError(f"{name} is named by connectors of {used} locations (--force)")
            if (await default_tariff(backend.db) or "").lower() == name.lower():
                raise CliError(f"{name} is the default tariff (--force)")
        await backend.store.transact(lambda tx: withdraw(backend.store, "tariffs", key, tx))
        return name

    note(f"removed {on_backend(work, data_dir)}")


@app.command("default")
def default(
    tariff_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="None: say which it is.")
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Have no default tariff.")] = False,
    data_dir: DataDir = None,
) -> None:
    """The tariff of connectors that name none: show it, set it, or have none."""
    if none and tariff_id is not None:
        raise CliError("--none and an ID exclude each other")

    async def work(backend: Backend) -> str | None:
        if none:
            await set_default_tariff(backend.db, None)
        elif tariff_id is not None:
            _, name = await _found(backend, tariff_id, None)
            await set_default_tariff(backend.db, name)
        return await default_tariff(backend.db)

    print_line(on_backend(work, data_dir) or "none")


async def _found(
    backend: Backend, tariff_id: str, owner: tuple[str, str] | None
) -> tuple[str, str]:
    """Key and id of a tariff, whatever the case of what was given."""
    query: JsonObject = {"lid": tariff_id.lower()}
    if owner is not None:
        query["owner"] = party_key(*owner)
    rows = await backend.store.objects("tariffs").documents(query)
    if not rows:
        raise CliError(f"there is no tariff {tariff_id}")
    if len(rows) > 1:
        raise CliError(f"several parties have a tariff {tariff_id}: name one with --party")
    return rows[0]["_id"], rows[0]["fields"]["id"]
