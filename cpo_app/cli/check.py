"""`cpo check`: conformance of any CPO, by read-only requests, or of an eMSP that is pushed to; and
what our own charge points lack for open data."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Annotated

import typer

from cpo_app import conformance
from cpo_app.cli.afir import report
from cpo_app.cli.errors import CliError
from cpo_app.cli.files import party_of
from cpo_app.cli.ocpi_versions import DEFAULT, VersionNumber, version_named
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json
from cpo_app.cli.secret_input import secret
from cpo_app.cli.signals import until_signalled
from cpo_app.cli.tables import print_table
from cpo_app.conformance import Finding, Unusable, Verdict
from cpo_app.ocpi_caller import CallError
from domain.versions import OcpiVersion


class Side(str, Enum):
    CPO = "cpo"
    EMSP = "emsp"


class Module(str, Enum):
    LOCATIONS = "locations"
    TARIFFS = "tariffs"
    SESSIONS = "sessions"
    CDRS = "cdrs"


@dataclass(frozen=True)
class Listening:
    port: int
    reachable_as: str | None


@dataclass(frozen=True)
class _Asked:
    """`party`: who we are, where it is said; `door`: where we listen, to register."""

    versions_url: str
    token: str
    party: tuple[str, str] | None
    register: bool
    door: Listening
    version: OcpiVersion


def check(
    versions_url: Annotated[
        str | None,
        typer.Argument(
            metavar="[URL]",
            help="The versions URL of the party under test.",
            show_default=False,
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="CPO_CHECK_TOKEN",
            help="A credentials token that it gave you; - reads it from standard input.",
        ),
    ] = None,
    role: Annotated[
        Side, typer.Option(help="What it is: a CPO is read, an eMSP is sent test objects.")
    ] = Side.CPO,
    register: Annotated[
        bool,
        typer.Option(
            "--register",
            help="The token is an invitation's: register with it first, leave after.",
        ),
    ] = False,
    reachable_as: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="With --register: where the other finds us if it is not on this host.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(help="With --register: where we listen; 0: any free port.")
    ] = 0,
    party: Annotated[
        str | None,
        typer.Option(
            metavar="CC/PID",
            help="Who we are: whose token it is; with --register, else an invented party.",
            show_default=False,
        ),
    ] = None,
    version: VersionNumber = DEFAULT,
    leave_out: Annotated[
        list[Module] | None,
        typer.Option(
            "--leave-out", help="With --role emsp: a module that is not written to, each."
        ),
    ] = None,
    afir: Annotated[
        bool,
        typer.Option(
            "--afir",
            help="Without URL: which of our own published charge points lack what the law (AFIR, "
            "Art. 20) wants known of them, and which metadata key gives it.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Check an OCPI interface against the text; exit code 1 if a rule is broken.

    A CPO's is only read. An eMSP is sent test objects, which are taken back in the end; CDRs, for
    which the text knows no way back, are over nothing.
    """
    if afir:
        if versions_url is not None:
            raise CliError("--afir looks at this platform's own charge points: name no URL")
        report(as_json, data_dir)
        return
    if versions_url is None:
        raise CliError("name the versions URL of the party under test, or --afir")
    token = secret(token, "--token", "Token", variable="CPO_CHECK_TOKEN")
    me = None if party is None else party_of(party)
    if me is None and not register and role is Side.EMSP:
        raise CliError("--role emsp needs --party (whose token it is), or --register")
    form = version_named(version)
    asked = _Asked(versions_url, token, me, register, Listening(port, reachable_as), form)
    judge = _judged_cpo(asked) if role is Side.CPO else _judged_emsp(asked, leave_out or [])
    findings: list[Finding] = []

    async def run() -> None:
        findings.extend(await judge)

    try:
        asyncio.run(until_signalled(run()))
    except (Unusable, CallError) as error:
        raise CliError(f"{versions_url}: {error}") from error
    except OSError as error:
        raise CliError(f"port {port}: {error.strerror}") from error
    if not findings:
        raise typer.Exit(130)  # broken off
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


async def _judged_cpo(asked: _Asked) -> list[Finding]:
    if not asked.register:
        return await conformance.check(asked.versions_url, asked.token, asked.version)
    # Only now: it loads a server.
    from cpo_app.demo_emsp.registered import Door, Role, invented_party, registered

    role = Role(asked.party or invented_party(), [], _ignored, version=asked.version)
    door = Door(asked.door.port, asked.door.reachable_as)
    async with registered(asked.versions_url, asked.token, role, door) as emsp:
        note(f"registered as {'/'.join(role.party)}")
        return await conformance.check(asked.versions_url, emsp.me.token, asked.version)


async def _judged_emsp(asked: _Asked, leave_out: list[Module]) -> list[Finding]:
    from cpo_app.conformance.receiver import check_emsp
    from cpo_app.conformance.receiver.standing_cpo import invented_party, registered_as_cpo

    party = asked.party or invented_party()
    omitted = {module.value for module in leave_out}
    if not asked.register:
        return await check_emsp(
            asked.versions_url, asked.token, party, version=asked.version, leave_out=omitted
        )
    async with registered_as_cpo(
        asked.versions_url,
        asked.token,
        version=asked.version,
        party=party,
        port=asked.door.port,
        reachable_as=asked.door.reachable_as,
    ) as token:
        note(f"registered as {'/'.join(party)}")
        return await check_emsp(
            asked.versions_url, token, party, version=asked.version, leave_out=omitted
        )


def _ignored(module: str, object_id: str, data: object) -> None:
    """What the CPO tells the eMSP meanwhile is not what is checked."""


def _row(finding: Finding) -> dict[str, str]:
    return {
        "rule": finding.rule,
        "section": finding.section,
        "verdict": finding.verdict.value,
        "seen": finding.detail,
    }
