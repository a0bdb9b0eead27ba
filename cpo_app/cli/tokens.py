"""`cpo tokens`: what is known of drivers' cards."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cpo_app.actions import tokens as actions
from cpo_app.cli.acting import act, words
from cpo_app.cli.agreement import Yes
from cpo_app.cli.errors import CliError
from cpo_app.cli.lists import documents_of, with_filters
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json
from cpo_app.cli.secret_input import secret
from cpo_app.cli.tables import print_table
from domain.operator.lists.cards import LIST

app = typer.Typer(help="Drivers' cards: list them, forget one.", no_args_is_help=True)


@app.command("list")
@with_filters(LIST)
def list_tokens(
    given: dict[str, str],
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    data_dir: DataDir = None,
) -> None:
    """The Tokens that eMSPs have given us, the newest first."""
    found = documents_of(LIST, given, limit, data_dir, {"fields": 1, "seq": 1})
    tokens = [document["fields"] for document in found]
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
