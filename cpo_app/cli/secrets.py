"""`cpo secrets`: keys change without anybody registering anew."""

from __future__ import annotations

from typing import Annotated

import typer

from cpo_app.actions import secrets as actions
from cpo_app.backend import Backend
from cpo_app.cli import remote
from cpo_app.cli.acting import act, words
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_facts, print_json
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from domain import key_rotation

app = typer.Typer(help="Keys, and what is kept under them.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]


@app.command("rotate", help=words(actions.ROTATE))
def run_rotate(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    facts = act(actions.ROTATE, {}, data_dir)
    outcome = facts.pop("outcome")
    _show(facts, as_json)
    if not as_json:
        note(actions.ROTATE.said(outcome))


@app.command()
def status(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """What is kept under older keys, and of whom those wait; changes nothing."""

    async def work(backend: Backend) -> JsonObject:
        return (await key_rotation.status(backend.db, backend.vault)).facts()

    there = remote.server() is not None
    _show(remote.read("/secrets") if there else on_backend(work, data_dir), as_json)


def _show(facts: JsonObject, as_json: bool) -> None:
    if as_json:
        print_json(facts)
    else:
        print_facts(facts)
