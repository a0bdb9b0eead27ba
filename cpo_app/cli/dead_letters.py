"""`cpo charge-points dead-letters`: telemetry that was not taken; replay it, or drop it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cpo_app.actions import charge_points as actions
from cpo_app.backend import Backend
from cpo_app.cli.acting import act, words
from cpo_app.cli.agreement import Yes
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json, print_line
from cpo_app.cli.tables import print_table
from cpo_app.cli.with_backend import on_backend
from domain.charge_points import dead_letters
from domain.charge_points.dead_letters import DeadLetter, NoSuchLetter, Shown
from domain.charge_points.registration_store import canonical_id

app = typer.Typer(help="Telemetry that was not taken: list, show, replay, drop.")

LetterId = Annotated[str, typer.Argument(metavar="ID", help="As list shows it: CP/BOOT/SEQ.")]
LetterIds = Annotated[list[str], typer.Argument(metavar="ID...", help="In the order to replay.")]


@app.callback(invoke_without_command=True)
def _unless_said(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        listing()


@app.command("list")
def listing(
    charge_point: Annotated[
        str | None, typer.Option(metavar="CP_ID", help="Of this charge point alone.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Those that failed first, the latest first."""

    async def work(backend: Backend) -> list[Shown]:
        cp_id = charge_point
        if charge_point is not None:
            cp_id = await canonical_id(backend.db, charge_point) or charge_point
        return await dead_letters.listed(backend.db, cp_id, limit)

    found = on_backend(work, data_dir)
    if as_json:
        print_json([vars(one) for one in found])
        return
    rows = [
        (
            one.id,
            dead_letters.REFUSED if one.refused else dead_letters.FAILED,
            one.kind,
            one.session_id,
            one.energy_wh,
            one.happened,
            one.reason,
        )
        for one in found
    ]
    print_table(
        ("ID", "What", "Message", "Session", "Wh", "Happened", "Why"),
        rows,
        spared=("Session", "Wh", "Message"),
        wrapped=("Why",),
    )
    note(f"{len(found)} not taken")


@app.command()
def show(letter_id: LetterId, data_dir: DataDir = None) -> None:
    """One letter with its message, as JSON."""

    async def work(backend: Backend) -> DeadLetter:
        return await dead_letters.get(backend.db, letter_id)

    try:
        found = on_backend(work, data_dir)
    except NoSuchLetter:
        raise _unknown(letter_id) from None
    # In ASCII: what it says may be what nothing else can print.
    whole = {**found, "message": json.loads(found["message"])}
    print_line(json.dumps(whole, indent=2, default=lambda value: value.isoformat()))


@app.command("replay", help=f"{words(actions.REPLAY)} One after the other, until one is not taken.")
def replaying(letter_ids: LetterIds, data_dir: DataDir = None) -> None:
    for letter_id in letter_ids:
        done = act(actions.REPLAY, {"letter_id": letter_id}, data_dir)
        if not done["taken"]:
            raise CliError(f"{letter_id}: not taken: {done['why']}")
        print_line(f"{letter_id}: taken")


@app.command(help=words(actions.DROP))
def drop(letter_id: LetterId, yes: Yes = False, data_dir: DataDir = None) -> None:
    act(actions.DROP, {"letter_id": letter_id}, data_dir, yes=yes)
    print_line(f"{letter_id}: dropped")


def _unknown(letter_id: str) -> CliError:
    return CliError(f"{letter_id}: no such dead letter")
