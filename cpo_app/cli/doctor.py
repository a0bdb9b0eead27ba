"""`cpo doctor`: one line for each check, and what to do; exit code 1 if one failed."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from typing import Annotated

import typer
from pydantic import ValidationError

from cpo_app import logs
from cpo_app.backend import announced
from cpo_app.bootstrap import prepare
from cpo_app.cli.options import DataDir, Port, settings_for
from cpo_app.cli.output import note, print_json, print_line
from cpo_app.doctor.configuration import check_configuration
from cpo_app.doctor.contents import check_contents
from cpo_app.doctor.endings import check_endings, check_public_certificate
from cpo_app.doctor.findings import Finding, Level, fail, ok
from cpo_app.doctor.host import check_host
from cpo_app.doctor.kafka import check_brokers, check_events
from cpo_app.doctor.network import check_network
from cpo_app.doctor.ocpp import check_gateway, check_reachable, check_stations
from cpo_app.doctor.running import as_running, check_running, living
from cpo_app.doctor.store import check_store
from cpo_app.settings import Settings, SettingsError
from cpo_app.unsafe_settings import unsafe_settings
from db_interface.database import STORE_ERRORS, Database, StoreUnavailable
from db_interface.json_data import JsonMapping
from domain.running_servers import running
from domain.secrets import MIN_KEY_LENGTH, SecretUnusable, Vault
from domain.times import utc_now

_COLOURS = {Level.OK: "\x1b[32m", Level.WARN: "\x1b[33m", Level.FAIL: "\x1b[31m"}
_PLAIN = "\x1b[0m"
_NO_GROUND: tuple[type[Exception], ...] = (SettingsError, SecretUnusable, *STORE_ERRORS)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of lines.")] = False,
    port: Port = None,
    registry_port: Port = None,
    data_dir: DataDir = None,
) -> None:
    """Check store, secrets, settings, ports and peers; exit code 1 if a check failed."""
    logs.set_up("CRITICAL", "text")
    try:
        settings = settings_for(data_dir, CENTRAL_PORT=port, REGISTRY_API_PORT=registry_port)
    except ValidationError as error:
        findings = [_wrong_setting(dict(problem)) for problem in error.errors()]
    else:
        findings = examine(settings)
    if as_json:
        print_json([{**vars(finding), "level": finding.level.value} for finding in findings])
    else:
        for finding in findings:
            print_line(line_of(finding, coloured=sys.stdout.isatty()))
    counts = Counter(finding.level for finding in findings)
    note(", ".join(f"{counts[level]} {level.value}" for level in Level))
    if counts[Level.FAIL]:
        raise typer.Exit(1)


def examine(settings: Settings) -> list[Finding]:
    """All checks; one that cannot be made because of another's failure is left out."""
    embedded = not settings.CPO_MONGO_URL or settings.CPO_EMBEDDED
    findings = list(check_host(settings.CPO_DATA_DIR)) if embedded else []
    if embedded and not settings.CPO_DATA_DIR.exists():
        # A diagnosis makes nothing: there is no store yet, and its secrets come with it.
        findings.append(ok("store", "is made at the first start (cpo up)"))
        return [*findings, *asyncio.run(check_network(settings))]
    if settings.CPO_MONGO_URL:
        # Not by way of `prepare`: it stops at the first secret that is missing.
        return [*findings, *asyncio.run(_examine(settings, embedded))]
    unsafe = [fail(found.name, found.said, found.do) for found in unsafe_settings(settings)]
    if unsafe:
        return [*findings, *unsafe, *asyncio.run(check_network(settings))]
    try:
        with prepare(settings) as ground:
            return [*findings, *asyncio.run(_examine(ground.settings, embedded))]
    except _NO_GROUND as error:
        found = fail("store", str(error), "put this right first; more is checked then")
        return [*findings, found, *asyncio.run(check_network(settings))]


async def _examine(settings: Settings, embedded: bool) -> list[Finding]:
    now = utc_now()
    try:
        db = Database.connect(settings.CPO_MONGO_URL)
    except StoreUnavailable as error:
        findings = [fail("store", str(error), "correct CPO_MONGO_URL")]
        findings += check_configuration(settings, embedded=embedded, now=now)
        return [*findings, *await check_network(settings)]
    try:
        findings = [finding async for finding in check_store(db, embedded=embedded)]
        broken = any(finding.level is Level.FAIL for finding in findings)
        here, servers = settings, []
        if not broken:
            servers = await running(db)
            findings += check_running(settings, servers, db.now())
            here = as_running(await announced(settings, db), servers, db.now())
        findings += check_configuration(here, embedded=embedded, now=now)
        findings += [
            *check_gateway(here, now),
            *await check_network(here, living(servers, db.now())),
        ]
        findings += await check_public_certificate(here, now)
        findings.append(await check_reachable(here))
        findings += await check_brokers(here)
        if not broken:
            findings += [finding async for finding in check_stations(db)]
            findings += [finding async for finding in check_endings(db)]
            findings += [finding async for finding in check_events(db, here)]
        if not broken and len(min(here.encryption_keys, key=len, default="")) >= MIN_KEY_LENGTH:
            vault = Vault(*here.encryption_keys)
            findings += [finding async for finding in check_contents(db, vault, now)]
        return findings
    finally:
        db.close()


def line_of(finding: Finding, *, coloured: bool) -> str:
    """ "WARN  clocks   the store's and ... -> run NTP"."""
    level = f"{finding.level.value:<4}"
    if coloured:
        level = f"{_COLOURS[finding.level]}{level}{_PLAIN}"
    line = f"{level}  {finding.check:<24}  {finding.said}"
    return f"{line} -> {finding.do}" if finding.do else line


def _wrong_setting(problem: JsonMapping) -> Finding:
    name = ".".join(map(str, problem["loc"]))
    return fail(name, problem["msg"], "correct it in the environment or in .env")
