"""`cpo peers clients`: who is behind a hub, and for whom the operator lets it speak."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from cpo_app.backend import Backend
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json, print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from domain.operator.hub_clients import rows_of
from domain.peers import client_switches
from domain.peers.switches import NotPossible

_ALL = "all"

Parties = Annotated[
    list[str] | None, typer.Option(metavar="CC/PID", help="A client, or all; may be repeated.")
]


def clients(
    peer_id: Annotated[str, typer.Argument(metavar="ID", help="As `cpo peers list` shows it.")],
    approve: Parties = None,
    refuse: Parties = None,
    automatic: Annotated[
        str | None,
        typer.Option(
            metavar="on|off", help="Whether the hub's word is enough for clients not decided upon."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
    data_dir: DataDir = None,
) -> None:
    """The clients of a hub; approve or refuse them. Only for approved ones it gets anything."""
    if automatic not in (None, "on", "off"):
        raise CliError("--automatic is on or off")

    async def work(backend: Backend) -> list[JsonObject]:
        store = backend.store
        await backend.peers.get(peer_id)
        try:
            if automatic is not None:
                await client_switches.approve_as_told(store, peer_id, on=automatic == "on")
            if approve:
                marked = await _decide(backend, peer_id, approve, approved=True)
                note(f"approved; {marked} sessions and CDRs of theirs are sent")
            if refuse:
                await _decide(backend, peer_id, refuse, approved=False)
        except NotPossible as error:
            raise CliError(str(error)) from error
        return await rows_of(store.db, peer_id)

    rows = on_backend(work, data_dir)
    if as_json:
        print_json(rows)
        return
    print_table(
        ("Party", "Role", "Status", "Approved"),
        ((row["party"], row["role"], row["status"], row["approval"]) for row in rows),
    )


async def _decide(backend: Backend, peer_id: str, named: Sequence[str], *, approved: bool) -> int:
    if _ALL in named:
        return await client_switches.decide_all(backend.store, peer_id, approved=approved)
    decide = client_switches.approve if approved else client_switches.refuse
    return await decide(backend.store, peer_id, [_party(text) for text in named])


def _party(text: str) -> tuple[str, str]:
    country_code, slash, party_id = text.upper().partition("/")
    if not slash or len(country_code) != 2 or len(party_id) != 3:
        raise CliError(f"{text} is not of the form CC/PID, as FR/CLI")
    return country_code, party_id
