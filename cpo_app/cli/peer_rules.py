"""`cpo peers require-modules`: what the operator demands of a peer's own interfaces."""

from __future__ import annotations

from typing import Annotated

import typer

from cpo_app.backend import Backend
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note
from cpo_app.cli.with_backend import on_backend
from domain.peers.required_modules import MODULES, modules_of_words, require_modules
from domain.peers.switches import NotPossible

PeerId = Annotated[str, typer.Argument(metavar="ID", help="As `cpo peers list` shows it.")]
RequiredModules = Annotated[
    list[str] | None,
    typer.Option(
        "--require-module",
        metavar="MODULE[:ROLE]",
        help="A module that it has to offer (tokens:SENDER), else 3003; may be repeated.",
    ),
]


def modules_named(words: list[str] | None) -> list[str]:
    """Modules as the operator has written them. Raises CliError."""
    try:
        return modules_of_words(words or ())
    except NotPossible as error:
        raise CliError(str(error)) from None


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
    """Take a peer's registration only if it offers these modules: tokens:SENDER, cdrs:RECEIVER.

    Else it is told which are missing (status 3003), and nothing changes. One that is connected
    already stays so; what it lacks is said.
    """
    if nothing is bool(modules):
        raise CliError("name modules, or --none")
    wanted = modules_named(modules)

    async def work(backend: Backend) -> list[str]:
        return await require_modules(backend.store, peer_id, wanted)

    try:
        lacking = on_backend(work, data_dir)
    except NotPossible as error:
        raise CliError(str(error)) from error
    note(f"{peer_id} has to offer: {', '.join(wanted) or 'nothing but credentials'}")
    if lacking:
        note(
            f"it does not offer {', '.join(lacking)} now, and stays connected; "
            "its next handshake fails with 3003 unless it does"
        )
