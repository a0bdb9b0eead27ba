"""`cpo check`: the conformance of any CPO, by read-only requests."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Annotated

import typer

from cpo_app import conformance
from cpo_app.cli.errors import CliError
from cpo_app.cli.output import note, print_json
from cpo_app.cli.secret_input import secret
from cpo_app.cli.tables import print_table
from cpo_app.conformance import Finding, Unusable, Verdict
from cpo_app.ocpi_caller import CallError


def check(
    versions_url: Annotated[str, typer.Argument(metavar="URL", help="The CPO's versions URL.")],
    token: Annotated[
        str | None,
        typer.Option(
            envvar="CPO_CHECK_TOKEN",
            help="A credentials token that the CPO gave you; - reads it from standard input.",
        ),
    ] = None,
    register: Annotated[
        bool,
        typer.Option(
            "--register",
            help="The token is an invitation's: register with it as an eMSP first, leave after.",
        ),
    ] = False,
    reachable_as: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="With --register: where the CPO finds this eMSP if it is not on this host.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(help="With --register: where the eMSP listens; 0: any free port.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Check a CPO's OCPI 2.2.1 interface against the text; exit code 1 if a rule is broken."""
    token = secret(token, "--token", "Token", variable="CPO_CHECK_TOKEN")
    try:
        if register:
            findings = asyncio.run(_as_an_emsp(versions_url, token, port, reachable_as))
        else:
            findings = asyncio.run(conformance.check(versions_url, token))
    except (Unusable, CallError) as error:
        raise CliError(f"{versions_url}: {error}") from error
    if as_json:
        print_json([_row(finding) for finding in findings])
    else:
        print_table(
            ("Rule", "Section", "Verdict", "Seen"),
            (tuple(_row(finding).values()) for finding in findings),
        )
    counts = Counter(finding.verdict for finding in findings)
    note(", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict))
    if counts[Verdict.failed]:
        raise typer.Exit(1)


async def _as_an_emsp(
    versions_url: str, token_a: str, port: int, reachable_as: str | None
) -> list[Finding]:
    # Only now: it loads a server.
    from cpo_app.demo_emsp.registered import Door, Role, invented_party, registered

    party, door = invented_party(), Door(port, reachable_as)
    role = Role(party, [], _ignored)
    async with registered(versions_url, token_a, role, door) as emsp:
        note(f"registered as {'/'.join(party)}")
        return await conformance.check(versions_url, emsp.me.token)


def _ignored(module: str, object_id: str, data: object) -> None:
    """What the CPO tells the eMSP meanwhile is not what is checked."""


def _row(finding: Finding) -> dict[str, str]:
    return {
        "rule": finding.rule,
        "section": finding.section,
        "verdict": finding.verdict.value,
        "seen": finding.detail,
    }
