"""`cpo charge-points logs`, `firmware`, `transfers`, `file`: files of charge points with OCPP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer

from cpo_app.actions import ocpp_files as actions
from cpo_app.backend import Backend
from cpo_app.cli import remote
from cpo_app.cli.acting import act, act_and_say, words
from cpo_app.cli.agreement import Yes
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json
from cpo_app.cli.tables import print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from domain.ocpp import files
from domain.ocpp.files import FileTooLarge
from domain.operator import stations

CpId = Annotated[str, typer.Argument(metavar="CP_ID")]
_PIECE = 256 * 1024
_REMOTE = "files are taken out of the store beside it: without --server"


def logs(
    cp_id: CpId,
    security: Annotated[bool, typer.Option("--security", help="The security log.")] = False,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="ISO 8601.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="ISO 8601.")] = None,
    to: Annotated[str | None, typer.Option(metavar="URL", help="Else to this platform.")] = None,
    data_dir: DataDir = None,
) -> None:
    given = {
        "cp_id": cp_id,
        "log": "security" if security else "diagnostics",
        "since": since,
        "until": until,
        "location": to,
    }
    print_json(act_and_say(actions.LOGS, given, data_dir, cp_id))


def firmware(
    cp_id: CpId,
    source: Annotated[str, typer.Argument(metavar="FILE|URL", help="What it is to run.")],
    at: Annotated[str | None, typer.Option(metavar="TIME", help="ISO 8601; else now.")] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="Its maker's, PEM; with --signature.", dir_okay=False)
    ] = None,
    signature: Annotated[str | None, typer.Option(help="Base64; with --certificate.")] = None,
    yes: Yes = False,
    data_dir: DataDir = None,
) -> None:
    given: JsonObject = {"cp_id": cp_id, "at": at, "signature": signature}
    if certificate is not None:
        given["certificate"] = certificate.read_text()
    if "://" in source:
        given["location"] = source
    else:
        given["file_id"] = _put(Path(source), data_dir)
    result = act(actions.FIRMWARE, given, data_dir, yes=yes)
    note(f"{cp_id}: {actions.FIRMWARE.said()}")
    print_json(result)


def transfers(
    cp_id: CpId,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Its logs and firmware, the latest first, and how far each is; kept for 30 days."""

    async def work(backend: Backend) -> JsonObject | None:
        return await stations.of_charge_point(backend.db, cp_id)

    if remote.server() is not None:
        station = remote.read(f"/charge-points/{remote.segment(cp_id)}").get("station")
    else:
        station = on_backend(work, data_dir)
    if station is None:
        raise CliError(f"{cp_id}: no charge point with OCPP")
    if as_json:
        print_json(station["transfers"])
        return
    print_table(
        ("Transfer", "Kind", "Asked (UTC)", "By", "State", "Name", "File"),
        (
            tuple(row.get(name) for name in ("id", "kind", "asked", "by", "state", "name", "file"))
            for row in station["transfers"]
        ),
        spared=("By", "Name"),
    )


def file(
    file_id: Annotated[str, typer.Argument(metavar="FILE")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to put it.", dir_okay=False)],
    data_dir: DataDir = None,
) -> None:
    """Save a file that a charge point has uploaded."""

    async def work(backend: Backend) -> int:
        found = await files.get(backend.db, file_id)
        if found is None:
            raise CliError(f"{file_id}: no such file")
        with out.open("wb") as there:
            async for part in files.content_of(backend.db, found):
                there.write(part)
        return found["size"]

    if remote.server() is not None:
        raise CliError(_REMOTE)
    note(f"{out}: {on_backend(work, data_dir)} bytes")


def _put(path: Path, data_dir: Path | None) -> str:
    """The id of a file of this host, once the store has it."""
    if not path.is_file():
        raise CliError(f"{path}: no such file")
    if remote.server() is not None:
        with path.open("rb") as here:
            return str(remote.send("/files", here, name=path.name)["file_id"])

    async def content() -> AsyncIterator[bytes]:
        with path.open("rb") as here:
            while piece := here.read(_PIECE):
                yield piece

    async def work(backend: Backend) -> str:
        most = backend.settings.max_ocpp_file_bytes
        try:
            stored = await files.keep(backend.db, path.name, content(), most)
        except FileTooLarge:
            raise CliError(f"{path}: larger than {most} bytes (CPO_OCPP_MAX_FILE_MB)") from None
        return stored["_id"]

    return on_backend(work, data_dir)


def add_to(app: typer.Typer) -> None:
    """Put these onto `cpo charge-points`."""
    app.command("logs", help=words(actions.LOGS))(logs)
    app.command("firmware", help=words(actions.FIRMWARE))(firmware)
    app.command("transfers")(transfers)
    app.command("file")(file)
