"""`cpo check`: the conformance of any CPO, by read-only requests."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Annotated

import typer

from cpo_app import conformance
from cpo_app.cli.errors import CliError
from cpo_app.cli.output import note, print_json, print_table
from cpo_app.conformance import Finding, Unusable, Verdict


def check(
    versions_url: Annotated[str, typer.Argument(metavar="URL", help="The CPO's versions URL.")],
    token: Annotated[str, typer.Option(help="A credentials token that the CPO gave you.")],
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Check a CPO's OCPI 2.2.1 interface against the text; exit code 1 if a rule is broken."""
    try:
        findings = asyncio.run(conformance.check(versions_url, token))
    except Unusable as error:
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


def _row(finding: Finding) -> dict[str, str]:
    return {
        "rule": finding.rule,
        "section": finding.section,
        "verdict": finding.verdict.value,
        "seen": finding.detail,
    }
