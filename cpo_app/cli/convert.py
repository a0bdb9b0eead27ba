"""`cpo convert`: an object of one OCPI version as another has it, and what gets lost on the way.

Exit codes: 0 converted, 1 the other version can say nothing true of it, 2 the input is wrong.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import orjson
import typer

from cpo_app.cli.errors import CliError
from cpo_app.cli.files import party_of, read_json
from cpo_app.cli.output import note, print_json
from db_interface.json_data import JsonObject
from domain.schemas import SchemaError
from domain.versions import (
    INNER_VERSION,
    VERSIONS,
    Context,
    ObjectKind,
    OcpiVersion,
    Party,
    Unconvertible,
    version_of,
)
from domain.versions.guessing import kinds_like

_WRONG_INPUT = 2
_MAX_BYTES = 32_000_000


def convert(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="JSON: an object; - is the standard input.")
    ],
    source: Annotated[str, typer.Option("--from", metavar="V", help=f"{', '.join(VERSIONS)}.")],
    target: Annotated[str, typer.Option("--to", metavar="V", help="The same.")],
    kind: Annotated[
        str | None,
        typer.Option("--object", metavar="KIND", help="location, cdr, ...; else by its fields."),
    ] = None,
    party: Annotated[
        str | None,
        typer.Option(
            metavar="CC/PID", help="Whose it is, or will be: OCPI 2.1.1 does not say it in objects."
        ),
    ] = None,
    location: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="For a session or CDR to 2.1.1: its Location, in the version of --from.",
        ),
    ] = None,
    token: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="For a session, CDR or authorization from 2.1.1: its Token, as 2.2.1 has it.",
        ),
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="For a location from 2.1.1 that says none."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The object and its losses as one JSON object.")
    ] = False,
) -> None:
    """Convert an OCPI object to another version: the object on stdout, its losses on stderr."""
    try:
        given = _read(file)
        before, after = _version("--from", source), _version("--to", target)
        wanted = _kind(kind, given, before, after)
        context = _context(before, party, location, token, time_zone)
        inner = before.read(wanted, given, context)
    except (CliError, SchemaError) as error:
        _refuse(str(error), _WRONG_INPUT)
    except Unconvertible as error:
        _refuse(f"{file}: cannot be read without more: {error}", _WRONG_INPUT)
    try:
        made = after.render(wanted, inner.object, context)
    except Unconvertible as error:
        _refuse(f"{file}: cannot be said in OCPI {after.number}: {error}", 1)
    losses = (*inner.losses, *made.losses)
    if as_json:
        print_json({"object": made.object, "losses": [loss._asdict() for loss in losses]})
        return
    print_json(made.object)
    for path, reason in losses:
        note(f"{path}: {reason}")


def _refuse(line: str, code: int) -> NoReturn:
    note(f"cpo: {line}")
    raise typer.Exit(code)


def _read(file: Path) -> JsonObject:
    data = _standard_input() if str(file) == "-" else read_json(file)
    if not isinstance(data, dict):
        raise CliError(f"{file}: not a JSON object")
    return data


def _standard_input() -> object:
    source = getattr(sys.stdin, "buffer", None) or io.BytesIO(sys.stdin.read().encode())
    try:
        return orjson.loads(source.read(_MAX_BYTES))
    except orjson.JSONDecodeError as error:
        raise CliError(f"-: not valid JSON: {error}") from error


def _version(option: str, number: str) -> OcpiVersion:
    version = version_of(number)
    if version is None:
        raise CliError(f"{option} {number}: is not one of {', '.join(VERSIONS)}")
    return version


def _kind(
    named: str | None, given: JsonObject, before: OcpiVersion, after: OcpiVersion
) -> ObjectKind:
    possible = [k for k in ObjectKind if k in before.readers and k in after.renderers]
    if named is not None:
        found = [kind for kind in possible if kind.value == named]
        if not found:
            names = ", ".join(sorted(kind.value for kind in possible))
            raise CliError(f"--object {named}: is not one of {names}")
        return found[0]
    found = kinds_like(given, before, possible)
    if len(found) == 1:
        return found[0]
    if not found:
        raise CliError(f"no object of OCPI {before.number} that {after.number} has: say --object")
    raise CliError(f"may be {' or '.join(kind.value for kind in found)}: say --object")


def _context(
    before: OcpiVersion,
    party: str | None,
    location: Path | None,
    token: Path | None,
    time_zone: str | None,
) -> Context:
    owner = party_of(party)
    context = Context(party=Party(*owner) if owner else None, time_zone=time_zone)
    where = _part(before, ObjectKind.LOCATION, location, context) if location else None
    card = _part(INNER_VERSION, ObjectKind.TOKEN, token, context) if token else None
    return Context(party=context.party, time_zone=time_zone, location=where, token=card)


def _part(version: OcpiVersion, kind: ObjectKind, file: Path, context: Context) -> JsonObject:
    try:
        return version.read(kind, _read(file), context).object
    except (SchemaError, Unconvertible) as error:
        raise CliError(f"{file}: {error}") from error
