"""`cpo secrets`: keys change without anybody registering anew."""

from __future__ import annotations

from typing import Annotated

import typer

from cpo_app.backend import Backend
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_facts, print_json
from cpo_app.cli.with_backend import on_backend
from domain.key_rotation import Rotated, rotate

app = typer.Typer(help="Keys, and what is kept under them.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """A group, though it has but one command."""


@app.command("rotate")
def run_rotate(
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Bring what is stored under the newest of CPO_ENCRYPTION_KEYS, and say whether the older ones
    may go. May be broken off and repeated. First restart the servers with the new key."""

    async def work(backend: Backend) -> Rotated:
        return await rotate(backend.db, backend.vault)

    done = on_backend(work, data_dir)
    facts = {
        "newest_key": done.kid,
        "renewed": done.renewed,
        "unopened": done.unopened,
        "waiting": done.waiting,
        "peers": done.peers,
        "charge_points": done.charge_points,
        "older_keys_may_go": done.older_may_go,
    }
    if as_json:
        print_json(facts)
        return
    print_facts(facts)
    if done.unopened:
        note("unopened: sealed with a key that was not given; give it, too, and run this again")
    if done.waiting:
        note(
            "waiting: these have not shown their token or credentials since; the older keys have "
            "to stay until they do, or until cpo peers rotate and cpo charge-points enrol"
        )
    elif done.older_may_go:
        note("the older keys may go: take them out of the settings, and restart the servers")
