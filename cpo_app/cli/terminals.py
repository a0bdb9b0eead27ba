"""`cpo terminals`: payment terminals of their providers, and what was captured at them."""

from __future__ import annotations

from typing import Annotated

import typer

from cpo_app.actions import terminals as actions
from cpo_app.backend import Backend
from cpo_app.cli import remote
from cpo_app.cli.acting import act, words
from cpo_app.cli.agreement import Yes
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json
from cpo_app.cli.tables import print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from domain.payments import payments
from domain.versions import ObjectKind

app = typer.Typer(help="Payment terminals at their providers (OCPI 2.3.0).", no_args_is_help=True)

PeerId = Annotated[str, typer.Argument(metavar="PEER", help="The provider.")]
TerminalId = Annotated[str, typer.Argument(metavar="TERMINAL")]
Locations = Annotated[
    list[str] | None, typer.Option("--location", metavar="ID", help="May be repeated.")
]
Evses = Annotated[list[str] | None, typer.Option("--evse", metavar="UID", help="May be repeated.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000)]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


@app.command("list")
def listing(limit: Limit = 100, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """The terminals that we know, and what each is for."""
    rows = _rows("/terminals", ObjectKind.TERMINAL, limit, data_dir)
    if as_json:
        print_json(rows)
        return
    names = ("terminal_id", "reference", "location_ids", "evse_uids", "last_updated")
    print_table(
        ("Provider", "Terminal", "Reference", "Locations", "EVSEs", "Updated"),
        [[row["peer_id"], *(row["object"].get(name) for name in names)] for row in rows],
        spared=("Updated", "Reference"),
    )


@app.command()
def confirmations(limit: Limit = 100, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """What providers say that they have captured for sessions."""
    rows = _rows(
        "/financial-advice-confirmations",
        ObjectKind.FINANCIAL_ADVICE_CONFIRMATION,
        limit,
        data_dir,
    )
    if as_json:
        print_json(rows)
        return
    names = ("id", "authorization_reference", "capture_status_code")
    print_table(
        ("Provider", "Confirmation", "Authorization", "Captured", "Without taxes", "Currency"),
        [
            [
                row["peer_id"],
                *(row["object"][name] for name in names),
                row["object"]["total_costs"]["excl_vat"],
                row["object"]["currency"],
            ]
            for row in rows
        ],
    )


@app.command(help=words(actions.PULL))
def pull(peer_id: PeerId, data_dir: DataDir = None) -> None:
    done = act(actions.PULL, {"peer_id": peer_id}, data_dir)
    counts = [f"{number} {name}" for name, number in done["counts"].items()]
    note(f"{peer_id}: {', '.join(counts) or 'it has none'}")


@app.command(help=words(actions.ASSIGN))
def assign(
    peer_id: PeerId,
    terminal_id: TerminalId,
    location: Locations = None,
    evse: Evses = None,
    data_dir: DataDir = None,
) -> None:
    given = {
        "peer_id": peer_id,
        "terminal_id": terminal_id,
        "location_ids": location or [],
        "evse_uids": evse or [],
    }
    print_json(act(actions.ASSIGN, given, data_dir)["terminal"])


@app.command(help=words(actions.ACTIVATE))
def activate(
    peer_id: PeerId,
    reference: Annotated[
        str | None, typer.Option(help="What came with it, such as a serial number.")
    ] = None,
    customer_reference: Annotated[str | None, typer.Option(help="Our own for it.")] = None,
    location: Locations = None,
    evse: Evses = None,
    data_dir: DataDir = None,
) -> None:
    given = {
        "peer_id": peer_id,
        "reference": reference,
        "customer_reference": customer_reference,
        "location_ids": location or [],
        "evse_uids": evse or [],
    }
    act(actions.ACTIVATE, given, data_dir)
    note(f"{peer_id}: {actions.ACTIVATE.said()}")


@app.command(help=words(actions.DEACTIVATE))
def deactivate(
    peer_id: PeerId, terminal_id: TerminalId, yes: Yes = False, data_dir: DataDir = None
) -> None:
    act(actions.DEACTIVATE, {"peer_id": peer_id, "terminal_id": terminal_id}, data_dir, yes=yes)
    note(f"{terminal_id}: {actions.DEACTIVATE.said()}")


def _rows(path: str, kind: ObjectKind, limit: int, data_dir: DataDir) -> list[JsonObject]:
    async def work(backend: Backend) -> list[JsonObject]:
        return await payments.listed(backend.db, kind, limit=limit)

    there = remote.server() is not None
    return remote.rows(path, limit) if there else on_backend(work, data_dir)
