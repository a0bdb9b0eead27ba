"""`cpo locations group`, `cpo locations groups`, `cpo peers groups`: who is offered which."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from cpo_app.backend import Backend
from cpo_app.cli.errors import CliError
from cpo_app.cli.files import party_of
from cpo_app.cli.imports import PartyOption
from cpo_app.cli.location_look_up import location_found
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json, print_line, print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from domain.peers import location_groups
from domain.peers.switches import NotPossible

T = TypeVar("T")
MAX_LISTED = 1000
ALL = "all"


def group(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    action: Annotated[str, typer.Argument(metavar="add|remove|list")],
    location_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[LOC]...", help="As `list` shows them; - reads them from stdin."),
    ] = None,
    party: PartyOption = None,
    data_dir: DataDir = None,
) -> None:
    """Put locations into a group, take them out of it, or list it: peers can be given groups.

    What a peer that is given groups may see by that is sent to it, what it may not any more is
    taken away.
    """
    owner = party_of(party)
    if action not in ("add", "remove", "list"):
        raise CliError("add, remove or list")
    if (action == "list") is bool(location_ids):
        raise CliError("name locations" if action != "list" else "list takes no locations")

    async def work(backend: Backend) -> list[str] | int:
        if action == "list":
            return await location_groups.members(backend.store, name, MAX_LISTED)
        named = sys.stdin.read().split() if location_ids == ["-"] else location_ids or ()
        keys = [(await location_found(backend, one, owner))["_id"] for one in named]
        change = location_groups.add if action == "add" else location_groups.remove
        return await change(backend.store, name, keys)

    done = _do(work, data_dir)
    if isinstance(done, int):
        verb = "put into" if action == "add" else "taken out of"
        note(f"{done} locations are {verb} {name.lower()}")
        return
    for key in done:
        print_line(key)
    if len(done) == MAX_LISTED:
        note(f"the first {MAX_LISTED}")


def groups(
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
    data_dir: DataDir = None,
) -> None:
    """The groups of locations, how many there are in each, and which peers are given it."""

    async def work(backend: Backend) -> list[JsonObject]:
        given: dict[str, list[str]] = {}
        for peer in await backend.peers.all():
            for name in location_groups.groups_given(peer.document) or ():
                given.setdefault(name, []).append(peer.peer_id)
        numbers = await location_groups.counts(backend.store)
        return [
            {"group": name, "locations": numbers.get(name, 0), "peers": given.get(name, [])}
            for name in sorted({*numbers, *given})
        ]

    rows = _do(work, data_dir)
    if as_json:
        print_json(rows)
        return
    print_table(
        ("Group", "Locations", "Given to"),
        ((row["group"], row["locations"], " ".join(row["peers"])) for row in rows),
    )


def groups_of_peer(
    peer_id: Annotated[str, typer.Argument(metavar="ID", help="As `cpo peers list` shows it.")],
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...|all", help="Groups of locations, or all.")
    ],
    data_dir: DataDir = None,
) -> None:
    """Offer a peer only the locations of these groups (`cpo locations group`), or all again.

    What it has of the others is taken away, what it may see now is sent. Tariffs go to it all the
    same, and its drivers' sessions and CDRs wherever they charge.
    """
    if ALL in names and len(names) > 1:
        raise CliError("name groups, or all alone")

    async def work(backend: Backend) -> int:
        wanted = None if names == [ALL] else names
        return await location_groups.give(backend.store, peer_id, wanted)

    number = _do(work, data_dir)
    note(f"{peer_id} is given {', '.join(names)}; {number} locations are taken away or sent")


def _do(work: Callable[[Backend], Awaitable[T]], data_dir: Path | None) -> T:
    try:
        return on_backend(work, data_dir)
    except NotPossible as error:
        raise CliError(str(error)) from error
