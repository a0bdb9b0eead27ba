"""`cpo charge-points ocpp-log`: what a charge point over OCPP and we have said to each other."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated

import typer

from cpo_app.backend import Backend
from cpo_app.cli import remote
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json
from cpo_app.cli.tables import print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from domain.operator import station_messages


def ocpp_log(
    cp_id: Annotated[str, typer.Argument(metavar="CP_ID")],
    action: Annotated[str | None, typer.Option(help="Such as StopTransaction.")] = None,
    message_id: Annotated[str | None, typer.Option("--id", help="Of this message.")] = None,
    text: Annotated[str | None, typer.Option(help="With this in it.")] = None,
    since: Annotated[datetime | None, typer.Option(help="From then on, UTC.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    data_dir: DataDir = None,
) -> None:
    """The latest messages, the newest first; cards by their last characters, no passwords."""
    from_then = None if since is None else since.replace(tzinfo=timezone.utc)

    async def work(backend: Backend) -> list[JsonObject] | None:
        return await station_messages.of_charge_point(
            backend.db,
            cp_id,
            action=action,
            message_id=message_id,
            text=text,
            since=from_then,
            limit=limit,
        )

    if remote.server() is not None:
        wanted = {"action": action, "message_id": message_id, "text": text, "limit": limit}
        path = f"/charge-points/{remote.segment(cp_id)}/messages"
        started = None if from_then is None else from_then.isoformat()
        rows = remote.read(path, **wanted, **{"from": started})["items"]
    else:
        found = on_backend(work, data_dir)
        if found is None:
            raise CliError(f"{cp_id}: no charge point with OCPP")
        rows = found
    if as_json:
        print_json(rows)
        return
    print_table(
        ("When (UTC)", "", "What", "Action", "Id", "Content"),
        [
            (
                row["at"],
                "to it" if row["from_us"] else "from it",
                row["kind"],
                row["action"],
                row["message_id"],
                row["content"],
            )
            for row in rows
        ],
        spared=("Id",),
        wrapped=("Content",),
    )
    if len(rows) == limit:
        note(f"the latest {limit}; --limit shows more")
