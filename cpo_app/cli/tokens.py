"""`cpo tokens`: what is known of drivers' cards."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cpo_app.actions import tokens as actions
from cpo_app.backend import Backend
from cpo_app.cli.acting import act, words
from cpo_app.cli.agreement import Yes
from cpo_app.cli.errors import CliError
from cpo_app.cli.files import party_of
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json
from cpo_app.cli.secret_input import secret
from cpo_app.cli.tables import print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonMapping
from db_interface.owned_objects import party_key

app = typer.Typer(help="Drivers' cards: list them, forget one.", no_args_is_help=True)


@app.command("list")
def list_tokens(
    party: Annotated[
        str | None, typer.Option("--party", metavar="CC/PID", help="Of this eMSP alone.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    data_dir: DataDir = None,
) -> None:
    """The Tokens that eMSPs have given us, the newest first."""
    owner = party_of(party)

    async def work(backend: Backend) -> list[JsonMapping]:
        query = {} if owner is None else {"owner": party_key(*owner)}
        found = await backend.store.objects("tokens").documents(
            query, fields={"fields": 1}, sort=[("seq", -1)], limit=limit
        )
        return [document["fields"] for document in found]

    tokens = on_backend(work, data_dir)
    if as_json:
        print_json(tokens)
        return
    print_table(
        ("UID", "Party", "Type", "Contract", "Valid", "Whitelist", "Last updated"),
        (
            (
                token["uid"],
                f"{token['country_code']}/{token['party_id']}",
                token["type"],
                token["contract_id"],
                token["valid"],
                token["whitelist"],
                token["last_updated"],
            )
            for token in tokens
        ),
        spared=("Last updated", "Whitelist", "Type"),
    )
    if len(tokens) == limit:
        note(f"the newest {limit}; --limit shows more")


@app.command(help=words(actions.ERASE))
def erase(
    uid: Annotated[str, typer.Argument(metavar="UID", help="- reads it from standard input.")],
    yes: Yes = False,
    data_dir: DataDir = None,
) -> None:
    card = secret(uid, "UID", "Card")
    if not yes and not sys.stdin.isatty():
        # Unlike elsewhere: not even a backup should bring it back.
        raise CliError("--yes is needed where nobody can be asked")
    done = act(actions.ERASE, {"uid": card}, data_dir, yes=yes)
    del done["outcome"]
    print_json(done)
    if done["sessions_kept"]:
        note(f"{done['sessions_kept']} sessions and their CDRs stay: they are bills")
