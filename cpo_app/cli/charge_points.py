"""`cpo charge-points`: what the operator sees of single charge points, and says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cpo_app.actions import charge_points as actions
from cpo_app.actions import stations
from cpo_app.backend import Backend
from cpo_app.cli import (
    dead_letters,
    ocpp_certificates,
    ocpp_charge_points,
    ocpp_files,
    ocpp_log,
    ocpp_templates,
    ocpp_transactions,
    remote,
)
from cpo_app.cli.acting import act, act_and_say, words
from cpo_app.cli.agreement import Yes
from cpo_app.cli.errors import CliError
from cpo_app.cli.lists import rows_of, with_filters
from cpo_app.cli.meter_keys import meter_key
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json
from cpo_app.cli.secret_input import secret
from cpo_app.cli.tables import print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from domain.ocpp.quirks import QUIRKS
from domain.operator import charge_points
from domain.operator.lists.charge_points import LIST

app = typer.Typer(
    help="Charge points: list, enrol, restore; the keys of their meters; telemetry not taken; "
    "with --ocpp and --count: simulate some.",
    no_args_is_help=True,
)
app.command(
    "meter-key",
    help="The public keys of a charge point's meters, as JSON. "
    f"Set: {words(actions.SET_METER_KEY)} Removed: {words(actions.REMOVE_METER_KEY)}",
)(meter_key)
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(ocpp_templates.app, name="templates")
ocpp_charge_points.add_to(app)
app.command("ocpp-log")(ocpp_log.ocpp_log)
app.command("transactions")(ocpp_transactions.ocpp_transactions)
ocpp_files.add_to(app)
ocpp_certificates.add_to(app)


@app.callback(invoke_without_command=True, help=app.info.help)
def simulated(
    ctx: typer.Context,
    ocpp: Annotated[
        Literal["1.6", "2.0.1"] | None,
        typer.Option("--ocpp", help="Simulate charge points that speak this version of OCPP."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=20_000, help="How many.")] = 1,
    evses: Annotated[int, typer.Option(min=1, max=16, help="EVSEs of each.")] = 1,
    url: Annotated[
        str | None,
        typer.Option(
            help="Another central system, ws:// or wss://, which knows them already.",
            show_default="the gateway on this host, whose store gets them",
        ),
    ] = None,
    password: Annotated[
        str | None,
        typer.Option(
            envvar="CPO_OCPP_PASSWORD", help="Of them all at --url; - reads it from standard input."
        ),
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Drivers come and charge.")] = False,
    sample_s: Annotated[int, typer.Option(min=1, help="Between meter values.")] = 10,
    state_dir: Annotated[
        Path | None,
        typer.Option(help="Where they remember; else they forget.", show_default=False),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    if ocpp is None:
        return
    if ctx.invoked_subcommand is not None:
        raise CliError("--ocpp without a command simulates charge points; not both")
    from cpo_app.cli import ocpp_simulator  # other commands need no charge point

    if password is not None:
        password = secret(password, "--password", "Password", variable="CPO_OCPP_PASSWORD")
    wanted = ocpp_simulator.Wanted(
        ocpp, count, evses, url, password, demo, state_dir, sample_s, data_dir
    )
    ocpp_simulator.simulate(wanted)


CpId = Annotated[str, typer.Argument(metavar="CP_ID")]


@app.command("list")
@with_filters(LIST)
def listing(
    given: dict[str, str],
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, help="At most so many.", show_default="100 in a table, all of them in JSON"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Registered charge points by id, with their state and whether eMSPs get them."""
    if limit is None and not as_json:
        limit = 100
    found = rows_of(LIST, "/charge-points", given, limit, data_dir)
    if as_json:
        print_json(found)
        return
    columns = ("ID", "Place", "Party", "Status", "State", "Last seen", "Session", "Offered", "Why")
    names = ("id", "place", "party", "status", "state", "last_seen", "session", "offered")
    rows = [
        (*(row[name] for name in names), "; ".join([*row["faults"], *row["reasons"]]) or None)
        for row in found
    ]
    print_table(
        columns,
        rows,
        spared=("Session", "Party", "State", "Last seen", "Place"),
        wrapped=("Why",),
    )
    if len(found) == limit:
        note(f"the first {limit}; --limit shows more")


@app.command()
def show(cp_id: CpId, data_dir: DataDir = None) -> None:
    """One charge point with its registration and what EV_Central knows of it, as JSON."""

    async def work(backend: Backend) -> JsonObject | None:
        return await charge_points.one(backend.db, cp_id)

    if remote.server() is not None:
        print_json(remote.read(f"/charge-points/{remote.segment(cp_id)}"))
        return
    found = on_backend(work, data_dir)
    if found is None:
        raise _unknown(cp_id)
    print_json(found)


@app.command(help=words(actions.ENROL))
def enrol(cp_id: CpId, data_dir: DataDir = None) -> None:
    print_json(act(actions.ENROL, {"cp_id": cp_id}, data_dir))


@app.command("add", help=words(stations.ADD))
def add(
    cp_id: CpId,
    ocpp: Annotated[bool, typer.Option("--ocpp", help="It speaks OCPP.")] = False,
    location: Annotated[str | None, typer.Option(help="A city or address.")] = None,
    power_rating: Annotated[str | None, typer.Option("--power", help="Such as 22kW.")] = None,
    current: Annotated[str | None, typer.Option(help="AC or DC.")] = None,
    one_evse: Annotated[
        bool, typer.Option("--one-evse", help="OCPP 1.6: its connectors are of one EVSE.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    if not ocpp:
        raise CliError(
            f"{cp_id}: --ocpp, if it speaks OCPP; others register: cpo charge-points enrol"
        )
    given = {
        "cp_id": cp_id,
        "location": location,
        "power_rating": power_rating,
        "current": current,
        "one_evse": one_evse,
    }
    print_json(act(stations.ADD, given, data_dir))


@app.command("ocpp-password", help=words(stations.OCPP_PASSWORD))
def ocpp_password(
    cp_id: CpId,
    yes: Yes = False,
    data_dir: DataDir = None,
) -> None:
    print_json(act(stations.OCPP_PASSWORD, {"cp_id": cp_id}, data_dir, yes=yes))


@app.command("refuse-box", help=words(stations.REFUSE_BOX))
def refuse_box(cp_id: CpId, data_dir: DataDir = None) -> None:
    act_and_say(stations.REFUSE_BOX, {"cp_id": cp_id}, data_dir, cp_id)


@app.command("ocpp-quirk", help=words(stations.OCPP_QUIRK))
def ocpp_quirk(
    cp_id: CpId,
    quirk: Annotated[str, typer.Argument(help=", ".join(QUIRKS))],
    value: Annotated[str, typer.Argument(help="on or off")],
    data_dir: DataDir = None,
) -> None:
    if value not in ("on", "off"):
        raise CliError(f"{value}: say on or off")
    given = {"cp_id": cp_id, "quirk": quirk, "on": value == "on"}
    print_json(act(stations.OCPP_QUIRK, given, data_dir))


@app.command(help=words(actions.RESTORE))
def restore(cp_id: CpId, data_dir: DataDir = None) -> None:
    print_json(act(actions.RESTORE, {"cp_id": cp_id}, data_dir))


@app.command("approve", help=words(actions.LET_IN))
def approve(cp_id: CpId, data_dir: DataDir = None) -> None:
    print_json(act(actions.LET_IN, {"cp_id": cp_id}, data_dir))


@app.command("out-of-service", help=words(actions.SET_OPERATIVE))
def out_of_service(cp_id: CpId, data_dir: DataDir = None) -> None:
    act_and_say(actions.SET_OPERATIVE, {"cp_id": cp_id, "operative": False}, data_dir, cp_id)


@app.command("in-service", help=words(actions.SET_OPERATIVE))
def in_service(cp_id: CpId, data_dir: DataDir = None) -> None:
    act_and_say(actions.SET_OPERATIVE, {"cp_id": cp_id, "operative": True}, data_dir, cp_id)


def _unknown(cp_id: str) -> CliError:
    return CliError(f"{cp_id}: no such charge point")
