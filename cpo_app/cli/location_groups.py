"""`cpo locations group`, `cpo locations groups`, `cpo peers groups`: who is offered which."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from cpo_app.actions import locations as actions
from cpo_app.actions.peer_offer import GIVE_GROUPS
from cpo_app.backend import Backend
from cpo_app.cli.acting import act, act_and_say
from cpo_app.cli.errors import CliError
from cpo_app.cli.imports import PartyOption
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json, print_line
from cpo_app.cli.tables import print_table
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
    if action not in ("add", "remove", "list"):
        raise CliError("add, remove or list")
    if (action == "list") is bool(location_ids):
        raise CliError("name locations" if action != "list" else "list takes no locations")
    if action == "list":
        _list(name, data_dir)
        return
    named = sys.stdin.read().split() if location_ids == ["-"] else location_ids or []
    given = {"group": name, "location_ids": named, "party": party}
    change = actions.GROUP if action == "add" else actions.UNGROUP
    done = act(change, given, data_dir)
    note(f"{done['group']}: {change.said()} ({done['locations']} locations)")


def _list(name: str, data_dir: Path | None) -> None:
    keys = _do(lambda backend: location_groups.members(backend.store, name, MAX_LISTED), data_dir)
    for key in keys:
        print_line(key)
    if len(keys) == MAX_LISTED:
        note(f"the first {MAX_LISTED}")


def set_groups(
    location_id: Annotated[str, typer.Argument(metavar="LOC")],
    names: Annotated[list[str] | None, typer.Argument(metavar="[GROUP]...")] = None,
    party: PartyOption = None,
    data_dir: DataDir = None,
) -> None:
    given = {"location_id": location_id, "groups": names or [], "party": party}
    act_and_say(actions.SET_GROUPS, given, data_dir, location_id)


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
    if ALL in names and len(names) > 1:
        raise CliError("name groups, or all alone")
    done = act(GIVE_GROUPS, {"peer_id": peer_id, "groups": names}, data_dir)
    said = f"{GIVE_GROUPS.said()} ({done['marked']} locations)"
    note(f"{peer_id} is given {', '.join(names)}: {said}")


def _do(work: Callable[[Backend], Awaitable[T]], data_dir: Path | None) -> T:
    try:
        return on_backend(work, data_dir)
    except NotPossible as error:
        raise CliError(str(error)) from error
