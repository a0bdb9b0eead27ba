"""`cpo peers clients`: who is behind a hub, and for whom the operator lets it speak."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from cpo_app.actions.peer_parties import APPROVE_CLIENTS, CLIENTS_AUTOMATIC, REFUSE_CLIENTS
from cpo_app.backend import Backend
from cpo_app.cli import remote
from cpo_app.cli.acting import act
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json
from cpo_app.cli.tables import print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from domain.operator.hub_clients import rows_of

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

    if automatic is not None:
        act(CLIENTS_AUTOMATIC, {"peer_id": peer_id, "on": automatic == "on"}, data_dir)
    if approve:
        marked = act(APPROVE_CLIENTS, {"peer_id": peer_id, "parties": approve}, data_dir)["marked"]
        note(f"{APPROVE_CLIENTS.said()} ({marked} sessions and CDRs of theirs are sent)")
    if refuse:
        act(REFUSE_CLIENTS, {"peer_id": peer_id, "parties": refuse}, data_dir)
        note(REFUSE_CLIENTS.said())

    async def work(backend: Backend) -> list[JsonObject]:
        await backend.peers.get(peer_id)
        return await rows_of(backend.db, peer_id)

    if remote.server() is not None:
        rows = remote.read(f"/peers/{quote(peer_id, safe='')}")["clients"]
    else:
        rows = on_backend(work, data_dir)
    if as_json:
        print_json(rows)
        return
    print_table(
        ("Party", "Role", "Status", "Approved"),
        ((row["party"], row["role"], row["status"], row["approval"]) for row in rows),
    )
