"""`cpo exchanges`: what peers and we asked each other; look for it, show it, export it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import orjson
import typer

from cpo_app.backend import Backend
from cpo_app.cli import remote
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, plain_text, print_facts, print_json, print_line
from cpo_app.cli.tables import print_table
from cpo_app.cli.times import moment
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonMapping, JsonObject
from domain.exchanges import listing
from domain.exchanges.har import har_of
from domain.exchanges.listing import indented
from domain.exchanges.search_keys import BadSearch
from domain.operator.command_way import way_of
from domain.times import format_datetime

T = TypeVar("T")

app = typer.Typer(help="What peers and we asked each other: look for it, show it, export it.")

Peer = Annotated[str | None, typer.Option(metavar="PEER", help="The peer's id.")]
Module = Annotated[str | None, typer.Option(help="locations, sessions, commands, ...")]
Object = Annotated[
    str | None,
    typer.Option("--object", metavar="ID", help="A session, location, CDR, ..., or a card's UID."),
]
Correlation = Annotated[
    str | None, typer.Option(metavar="ID", help="X-Correlation-ID or X-Request-ID.")
]
Status = Annotated[
    str | None,
    typer.Option(metavar="STATUS", help="failed, refused, or a status (404, 2003) of no success."),
]
Direction = Annotated[str | None, typer.Option(help="in (the peer asked) or out (we did).")]
Since = Annotated[str | None, typer.Option(metavar="TIME", help="From then on (UTC).")]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Before then (UTC).")]


@app.callback(invoke_without_command=True)
def _unless_said(
    context: typer.Context,
    peer: Peer = None,
    module: Module = None,
    object_id: Object = None,
    correlation: Correlation = None,
    status: Status = None,
    direction: Direction = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    data_dir: DataDir = None,
) -> None:
    """The latest first."""
    if context.invoked_subcommand is not None:
        return
    asked = _asked(peer, module, object_id, correlation, status, direction, since, until)

    async def work(backend: Backend) -> tuple[list[JsonObject], int]:
        wanted = listing.wanted_of(backend.vault, **asked)
        rows, _ = await listing.listed(backend.db, wanted, limit=limit)
        lost = await listing.lost_since(backend.db, backend.db.now() - listing.LATELY)
        return rows, lost

    lost = 0
    if remote.server() is not None:
        rows = remote.rows("/exchanges", limit, **_in_query(asked))
    else:
        rows, lost = _found(lambda: on_backend(work, data_dir))
    if as_json:
        print_json(rows)
        return
    _print(rows)
    if len(rows) == limit:
        note(f"the latest {limit}; --limit shows more")
    if lost:
        note(f"{lost} exchanges of the last 24 hours were not kept (docs/exchanges.md)")


@app.command()
def show(
    exchange_id: Annotated[str, typer.Argument(metavar="EXCHANGE")],
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
    data_dir: DataDir = None,
) -> None:
    """One, with headers and bodies as far as they are kept."""

    async def work(backend: Backend) -> JsonObject | None:
        found = await listing.one(backend.db, exchange_id)
        return None if found is None else listing.facts_of(found)

    if remote.server() is not None:
        found: JsonMapping | None = remote.read(f"/exchanges/{remote.segment(exchange_id)}")
    else:
        found = on_backend(work, data_dir)
    if found is None:
        raise CliError(f"{exchange_id}: there is no such exchange")
    if as_json:
        print_json(found)
        return
    parts = ("request", "response")
    print_facts({name: value for name, value in found.items() if name not in parts})
    for name in parts:
        _print_part(name, found[name])


@app.command()
def way(
    command_id: Annotated[str, typer.Argument(metavar="COMMAND")],
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    data_dir: DataDir = None,
) -> None:
    """A command from the peer's request over Central and the charge point to its result."""

    async def work(backend: Backend) -> JsonObject | None:
        return await way_of(backend.db, command_id)

    if remote.server() is not None:
        found: JsonMapping | None = remote.read(f"/commands/{remote.segment(command_id)}/way")
    else:
        found = on_backend(work, data_dir)
    if found is None:
        raise CliError(f"{command_id}: there is no such command")
    if as_json:
        print_json(found)
        return
    rows = (
        (step["at"], step["what"], step["detail"], step.get("exchange_id"))
        for step in found["steps"]
    )
    print_table(("When (UTC)", "What", "Detail", "Exchange"), rows, wrapped=("Detail",))


@app.command()
def export(
    har: Annotated[Path, typer.Option("--har", metavar="FILE", help="Write it there.")],
    peer: Peer = None,
    module: Module = None,
    object_id: Object = None,
    correlation: Correlation = None,
    status: Status = None,
    direction: Direction = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    data_dir: DataDir = None,
) -> None:
    """The latest of them as an HTTP Archive (HAR 1.2), which any browser opens."""
    asked = _asked(peer, module, object_id, correlation, status, direction, since, until)

    async def work(backend: Backend) -> JsonObject:
        wanted = listing.wanted_of(backend.vault, **asked)
        found = await listing.whole(backend.db, wanted, limit=limit)
        return har_of(found, base_url=backend.settings.base_url)

    if remote.server() is not None:
        archive = remote.read("/exchanges-har", limit=limit, **_in_query(asked))
    else:
        archive = _found(lambda: on_backend(work, data_dir))
    try:
        har.write_bytes(orjson.dumps(archive, option=orjson.OPT_INDENT_2))
    except OSError as error:
        raise CliError(f"{har}: {error.strerror}") from None
    note(f"{har}: {len(archive['log']['entries'])} exchanges")


def _asked(
    peer: str | None,
    module: str | None,
    object_id: str | None,
    correlation: str | None,
    status: str | None,
    direction: str | None,
    since: str | None,
    until: str | None,
) -> listing.Asked:
    return {
        "peer": peer,
        "module": module,
        "object_id": object_id,
        "correlation": correlation,
        "status": status,
        "direction": direction,
        "since": moment(since, "--since"),
        "until": moment(until, "--until"),
    }


def _in_query(asked: listing.Asked) -> JsonObject:
    """As the API calls them."""
    times = {"from": asked["since"], "to": asked["until"]}
    rest = ("peer", "module", "correlation", "status", "direction")
    return {
        **{name: asked[name] for name in rest},  # type: ignore[literal-required]
        "object": asked["object_id"],
        **{name: at and format_datetime(at) for name, at in times.items()},
    }


def _found(read: Callable[[], T]) -> T:
    try:
        return read()
    except BadSearch as error:
        raise CliError(f"--{error}") from None


def _print(rows: Sequence[JsonMapping]) -> None:
    print_table(
        ("When (UTC)", "", "Peer", "Module", "Request", "HTTP", "OCPI", "ms", "Exchange"),
        (
            (
                row["at"],
                row["direction"],
                row["peer_id"] or row["address"],
                row["module"],
                f"{row['method']} {row['url']}",
                row["status"] or row["error"],
                row["ocpi_status"],
                row["took_ms"],
                row["id"],
            )
            for row in rows
        ),
        spared=("ms", "Module"),
        wrapped=("Request",),
    )


def _print_part(name: str, part: JsonMapping) -> None:
    print_line(f"\n{name} ({part['size']} bytes{', kept in part' if part['cut'] else ''})")
    for header in part["headers"]:
        print_line(f"  {header['name']}: {plain_text(header['value'])}")
    if part["body"]:
        print_line(f"\n{indented(part['body'])}")
