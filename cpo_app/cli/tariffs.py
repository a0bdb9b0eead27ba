"""`cpo tariffs`: take OCPI tariffs over from files, look after them, and give them back."""

from __future__ import annotations

from typing import Annotated

import typer

from cpo_app.actions import tariffs as actions
from cpo_app.backend import Backend
from cpo_app.cli import remote
from cpo_app.cli.acting import act, words
from cpo_app.cli.agreement import Yes
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
from cpo_app.cli.output import note, print_json, print_line
from cpo_app.cli.tables import print_table
from cpo_app.cli.tariff_assignment import assign, assigned, unassign
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonMapping, JsonObject
from domain.imports.tariff_import import read_tariff
from domain.objects.finding import find_object
from domain.objects.locations import locations_naming
from domain.operator import tariffs
from domain.platform_facts import default_tariff
from domain.pricing.tariff_words import tariff_in_words

app = typer.Typer(help="Tariffs: import, export, list, remove.", no_args_is_help=True)

app.command("assign", help=words(actions.ASSIGN))(assign)
app.command("unassign", help=words(actions.UNASSIGN))(unassign)
app.command("assigned")(assigned)

TariffId = Annotated[str, typer.Argument(metavar="ID", help="As `cpo tariffs list` shows it.")]


@app.command("import", help=f"{words(actions.IMPORT)} Exit code 1 if any was refused.")
def import_tariffs(
    file: FileArgument,
    party: PartyOption = None,
    force: Force = False,
    dry_run: DryRun = False,
    verbose: Verbose = False,
    data_dir: DataDir = None,
) -> None:
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
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Tariffs, the newest first: what they cost, in words, and at how many locations they are
    named."""

    async def work(backend: Backend) -> list[JsonObject]:
        default = await default_tariff(backend.db)
        rows = []
        for document in await backend.store.objects("tariffs").documents(
            {}, sort=[("seq", -1)], limit=limit
        ):
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
                    "words": tariff_in_words(tariff).line,
                    "brief": tariff_in_words(tariff, brief=True).line,
                    "start_date_time": tariff.get("start_date_time"),
                    "end_date_time": tariff.get("end_date_time"),
                    "locations": await locations_naming(backend.db, tariff["id"]),
                    "default": tariff["id"].lower() == (default or "").lower(),
                }
            )
        return rows

    rows = on_backend(work, data_dir)
    if as_json:
        print_json(rows)
        return
    print_table(
        ("ID", "Party", "Price", "Locations"),
        (
            (
                row["id"],
                row["party"],
                row["brief"],
                f"{row['locations']}{', and all that name none' if row['default'] else ''}",
            )
            for row in rows
        ),
        spared=("Party",),
        wrapped=("Price", "Locations"),
    )
    if len(rows) == limit:
        note(f"the newest {limit}; --limit shows more")


@app.command("show")
def show(
    tariff_id: TariffId,
    party: PartyOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
    data_dir: DataDir = None,
) -> None:
    """A tariff as a person would read it, a clause a line, and where it is used."""

    async def work(backend: Backend) -> JsonObject:
        found = await find_object(backend.store, "tariffs", tariff_id, party_of(party))
        return await tariffs.summary(backend.db, found)

    if remote.server() is not None:
        path = f"/tariffs/{remote.segment(tariff_id)}/summary"
        summary = remote.read(path, party=party)
    else:
        summary = on_backend(work, data_dir)
    if as_json:
        print_json(summary)
        return
    for clause in summary["clauses"]:
        print_line(clause)
    note(_used(summary["used"]))


def _used(used: JsonMapping) -> str:
    said = [
        f"named by {used['connectors']} connectors of {used['evses']} EVSEs at "
        f"{used['locations']} locations"
    ]
    if used["assigned_at"]:
        said.append(f"assigned at {used['assigned_at']} locations")
    if used["default"]:
        said.append("the default of all that name none")
    return f"{'; '.join(said)}; {used['running_sessions']} running sessions keep it as it was"


@app.command(help=words(actions.REMOVE))
def remove(
    tariff_id: TariffId,
    party: PartyOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also when connectors name it, or it is the default.")
    ] = False,
    yes: Yes = False,
    data_dir: DataDir = None,
) -> None:
    given = {"tariff_id": tariff_id, "party": party, "force": force}
    note(f"removed {act(actions.REMOVE, given, data_dir, yes=yes)['tariff_id']}")


@app.command("default", help=f"{words(actions.DEFAULT)} Without an ID: say which it is.")
def default(
    tariff_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="None: say which it is.")
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Have no default tariff.")] = False,
    data_dir: DataDir = None,
) -> None:
    if none and tariff_id is not None:
        raise CliError("--none and an ID exclude each other")
    if none or tariff_id is not None:
        named = act(actions.DEFAULT, {"tariff_id": tariff_id}, data_dir)["tariff_id"]
    elif remote.server() is not None:
        named = remote.read("/tariffs-default")["tariff_id"]
    else:
        named = on_backend(lambda backend: default_tariff(backend.db), data_dir)
    print_line(named or "none")
