"""`cpo tokens`: what is known of drivers' cards."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from cpo_app.backend import Backend
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json
from cpo_app.cli.secret_input import secret
from cpo_app.cli.with_backend import on_backend
from domain.erasure import Erased, erase_card

app = typer.Typer(help="Drivers' cards: forget one.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """A group, though it has but one command."""


@app.command()
def erase(
    uid: Annotated[str, typer.Argument(metavar="UID", help="- reads it from standard input.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Forget a card holder: his Token, and its copies in what is over. Bills stay (sessions and
    CDRs), as the law has it. His eMSP has to forget him first, or sends the Token again."""
    card = secret(uid, "UID", "Card")
    if not yes:
        if not sys.stdin.isatty():
            raise CliError("--yes is needed where nobody can be asked")
        if not typer.confirm("Forget this card? It does not come back", err=True):
            raise CliError("not done")

    async def work(backend: Backend) -> Erased:
        return await erase_card(backend.store, card)

    done = on_backend(work, data_dir)
    if done.nothing:
        raise CliError("nothing is known of that card")
    print_json(asdict(done))
    if done.sessions_kept:
        note(f"{done.sessions_kept} sessions and their CDRs stay: they are bills")
