"""`cpo peers require-modules`, `offer-versions`: what the operator demands of a peer's own
interfaces, and in which versions of OCPI it is offered ours."""

from __future__ import annotations

from typing import Annotated

import typer

from cpo_app.actions.peer_offer import OFFER_VERSIONS, REQUIRE_MODULES
from cpo_app.cli.acting import act
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note
from domain.peers.required_modules import MODULES
from domain.versions import VERSIONS

PeerId = Annotated[str, typer.Argument(metavar="ID", help="As `cpo peers list` shows it.")]
RequiredModules = Annotated[
    list[str] | None,
    typer.Option(
        "--require-module",
        metavar="MODULE[:ROLE]",
        help="A module that it has to offer (tokens:SENDER), else 3003; may be repeated.",
    ),
]


def require_modules_of(
    peer_id: PeerId,
    modules: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODULE[:ROLE]]...", help=", ".join(MODULES)),
    ] = None,
    nothing: Annotated[
        bool, typer.Option("--none", help="Nothing but what the specification requires.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    if nothing is bool(modules):
        raise CliError("name modules, or --none")
    done = act(REQUIRE_MODULES, {"peer_id": peer_id, "modules": modules or []}, data_dir)
    wanted, lacking = done["modules"], done["lacking"]
    note(f"{peer_id} has to offer: {', '.join(wanted) or 'nothing but credentials'}")
    if lacking:
        note(
            f"it does not offer {', '.join(lacking)} now, and stays connected; "
            "its next handshake fails with 3003 unless it does"
        )


def offer_versions(
    peer_id: PeerId,
    versions: Annotated[
        list[str] | None, typer.Argument(metavar="[VERSION]...", help=", ".join(VERSIONS))
    ] = None,
    whatever: Annotated[bool, typer.Option("--all", help="Whatever the platform offers.")] = False,
    lock_out: Annotated[
        bool,
        typer.Option(
            "--yes", "-y", help="Also when it speaks another one now: it is not served any more."
        ),
    ] = False,
    data_dir: DataDir = None,
) -> None:
    if whatever is bool(versions):
        raise CliError("name versions, or --all")
    given = {"peer_id": peer_id, "versions": versions or [], "lock_out": lock_out}
    done = act(OFFER_VERSIONS, given, data_dir)
    named = ", ".join(done["versions"])
    note(
        f"{peer_id} is offered {f'OCPI {named} alone' if named else 'whatever the platform offers'}"
    )
