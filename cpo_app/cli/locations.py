"""`cpo locations`: take OCPI locations over from files, look at them, and take them back."""

from __future__ import annotations

from typing import Annotated

import typer

from cpo_app.actions import locations as actions
from cpo_app.backend import Backend
from cpo_app.cli.acting import act_each, words
from cpo_app.cli.agreement import Yes, agree
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
from cpo_app.cli.location_groups import group, groups, set_groups
from cpo_app.cli.location_look_up import location_found
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json, print_line
from cpo_app.cli.tables import print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from db_interface.owned_objects import NOBODY, OwnedDocument, party_key
from domain.imports.location_import import (
    guard_charge_points,
    read_location,
    with_assigned_tariffs,
)
from domain.operator.not_offered import peers_without

app = typer.Typer(help="Locations: import, list, show, remove, export.", no_args_is_help=True)
app.command("group", help=f"{words(actions.GROUP)} {words(actions.UNGROUP)}")(group)
app.command("groups")(groups)
app.command("set-groups", help=words(actions.SET_GROUPS))(set_groups)

_LISTED = {
    "seq": 1,
    "audience": 1,
    **{f"fields.{name}": 1 for name in ("id", "country_code", "party_id", "name", "city")},
    **{f"fields.{name}": 1 for name in ("country", "last_updated", "evses.status")},
}


@app.command("import", help=f"{words(actions.IMPORT)} Exit code 1 if any was refused.")
def import_locations(
    file: FileArgument,
    party: PartyOption = None,
    force: Force = False,
    dry_run: DryRun = False,
    verbose: Verbose = False,
    data_dir: DataDir = None,
) -> None:
    import_file(
        "locations",
        read_location,
        file,
        party=party,
        force=force,
        dry_run=dry_run,
        verbose=verbose,
        data_dir=data_dir,
        guard=guard_charge_points,
        amend=with_assigned_tariffs,
    )


@app.command("export")
def export_locations(party: PartyOption = None, data_dir: DataDir = None) -> None:
    """Write all our locations as a JSON list to stdout, in order of creation."""
    export_all("locations", party, data_dir)


@app.command("list")
def list_locations(
    party: PartyOption = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Our locations, the newest first: what is there, and who may see it."""
    owner = party_of(party)

    async def work(backend: Backend) -> list[JsonObject]:
        query = {} if owner is None else {"owner": party_key(*owner)}
        found = await backend.store.objects("locations").documents(
            query, fields=_LISTED, sort=[("seq", -1)], limit=limit
        )
        return [_row(document) for document in found]

    rows = on_backend(work, data_dir)
    if as_json:
        print_json(rows)
        return
    print_table(
        ("ID", "Party", "Name", "City", "EVSEs", "Status", "Seen by", "Last updated"),
        ([" ".join(v) if isinstance(v, list) else v for v in row.values()] for row in rows),
        spared=("Last updated", "Seen by", "Status", "Party", "Name"),
    )
    if len(rows) == limit:
        note(f"the newest {limit}; --limit shows more")


@app.command()
def show(
    location_id: Annotated[str, typer.Argument(metavar="ID")],
    party: PartyOption = None,
    data_dir: DataDir = None,
) -> None:
    """A location as peers get it; its groups; which peers do not get it, and why."""
    owner = party_of(party)

    async def work(backend: Backend) -> tuple[OwnedDocument, list[tuple[str, str, str]]]:
        location = await location_found(backend, location_id, owner)
        return location, await peers_without(backend.db, location)

    found, without = on_backend(work, data_dir)
    print_json(found["fields"])
    if found.get("groups"):
        note(f"groups: {', '.join(found['groups'])}")
    for peer_id, name, because in without:
        note(f"not offered to {peer_id} ({name}), because it {because}")


@app.command(help=words(actions.REMOVE))
def remove(
    location_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Each as `list` shows it.")
    ] = None,
    party: PartyOption = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All imported locations of --party.")
    ] = False,
    hide: Annotated[
        bool, typer.Option("--hide", help="And serve them to nobody any more.")
    ] = False,
    yes: Yes = False,
    data_dir: DataDir = None,
) -> None:
    owner = party_of(party)
    if everything is bool(location_ids) or (everything and owner is None):
        raise CliError("name locations, or --all with --party CC/PID")
    which = f"all of {party}" if everything else " ".join(location_ids or ())
    agree(f"{which}: {actions.REMOVE.meaning}", yes)
    ids = location_ids or []
    if everything and owner is not None:
        ids = on_backend(lambda backend: _ids_of(backend, owner), data_dir)
    kept: list[str] = []
    done: list[str] = []
    given = [{"location_id": id_, "party": party, "hide": hide} for id_ in ids]
    for result in act_each(actions.REMOVE, given, data_dir):
        if isinstance(result, CliError):
            kept.append(str(result))
        else:
            done.append(result["outcome"])
    for text in kept:
        note(f"kept: {text}")
    numbers = (f"{kind} {done.count(kind)}" for kind in ("removed", "hidden", "unchanged"))
    print_line(f"{', '.join(numbers)}, kept {len(kept)}")
    if kept and not everything:
        raise typer.Exit(1)


async def _ids_of(backend: Backend, owner: tuple[str, str]) -> list[str]:
    rows = await backend.store.objects("locations").documents(
        {"owner": party_key(*owner)}, fields={"fields.id": 1}, sort=[("seq", 1)]
    )
    return [row["fields"]["id"] for row in rows]


def _row(document: OwnedDocument) -> JsonObject:
    fields = document["fields"]
    audience = document["audience"]
    return {
        "id": fields["id"],
        "party": f"{fields['country_code']}/{fields['party_id']}",
        "name": fields.get("name"),
        "city": f"{fields['city']} {fields['country']}",
        "evses": len(fields.get("evses", ())),
        "status": sorted({evse["status"] for evse in fields.get("evses", ())}),
        "seen_by": {"*": "everybody", NOBODY: "nobody"}.get(audience, audience),
        "last_updated": fields["last_updated"],
    }
