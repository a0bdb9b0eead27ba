"""`cpo charge-points reset`, `trigger`, `clear-cache`, `configuration`, `configure`, `ocpp-call`:
what is asked of charge points with OCPP.
"""

from __future__ import annotations

from typing import Annotated

import orjson
import typer

from cpo_app.actions import ocpp as actions
from cpo_app.actions.ocpp_local_list import LOCAL_LIST
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
from domain.operator.lists.stations import LIST

CpId = Annotated[str, typer.Argument(metavar="CP_ID")]
_STANDING = {"HELD": "waits to be added", "REFUSED": "refused"}
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


def station_list(
    as_json: AsJson = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 1000,
    data_dir: DataDir = None,
) -> None:
    """Boxes that speak OCPP: protocol, firmware, last message; also those that wait to be added."""

    async def work(backend: Backend) -> list[JsonObject]:
        return (await LIST.page(backend.db, LIST.asked({}), limit=limit)).rows

    if remote.server() is not None:
        rows = remote.rows("/stations", limit)
    else:
        rows = on_backend(work, data_dir)
    if as_json:
        print_json(rows)
        return
    print_table(
        ("Station", "Connected", "Protocol", "Profile", "Box", "Firmware", "Last message", "EVSEs"),
        (
            (
                row["id"],
                _STANDING.get(row["status"], row["connected"]),
                row["protocol"],
                row["security_profile"],
                " ".join(filter(None, (row["vendor"], row["model"]))),
                row["firmware"],
                row["last_message_at"],
                len(row["charge_points"]),
            )
            for row in rows
        ),
        spared=("Profile", "EVSEs", "Box"),
    )


def reset(
    cp_id: CpId,
    hard: Annotated[bool, typer.Option("--hard", help="At once, ending what charges.")] = False,
    yes: Yes = False,
    data_dir: DataDir = None,
) -> None:
    act_and_say(actions.RESET, {"cp_id": cp_id, "hard": hard}, data_dir, cp_id, yes=yes)


def trigger(
    cp_id: CpId,
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help=", ".join(actions.MESSAGES))],
    connector: Annotated[str | None, typer.Option(help="Of that connector alone.")] = None,
    data_dir: DataDir = None,
) -> None:
    given = {"cp_id": cp_id, "message": message, "connector_id": connector}
    act_and_say(actions.TRIGGER, given, data_dir, cp_id)


def clear_cache(cp_id: CpId, data_dir: DataDir = None) -> None:
    act_and_say(actions.CLEAR_CACHE, {"cp_id": cp_id}, data_dir, cp_id)


def configuration(
    cp_id: CpId,
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY]...", help="Else all that it has.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    told = act(actions.CONFIGURATION, {"cp_id": cp_id, "keys": keys or []}, data_dir)
    if told["outcome"] == "later":
        note(f"{cp_id}: {actions.CONFIGURATION.said('later')} `cpo charge-points show {cp_id}`")
        return
    if as_json:
        print_json({"entries": told["entries"], "unknown": told["unknown"]})
        return
    rows = [(one["key"], one.get("value"), one.get("readonly")) for one in told["entries"]]
    print_table(("Key", "Value", "Read only"), rows, wrapped=("Value",))
    for key in told["unknown"]:
        note(f"{cp_id} has no {key}")


def configure(
    cp_id: CpId,
    key: Annotated[str, typer.Argument(metavar="KEY")],
    value: Annotated[str, typer.Argument(metavar="VALUE")],
    yes: Yes = False,
    data_dir: DataDir = None,
) -> None:
    given = {"cp_id": cp_id, "config_key": key, "config_value": value}
    act_and_say(actions.CONFIGURE, given, data_dir, cp_id, yes=yes)


def local_list(
    cp_id: CpId,
    party: Annotated[str | None, typer.Option(metavar="CC/PID", help="Its cards alone.")] = None,
    none: Annotated[bool, typer.Option("--none", help="Take all cards off it.")] = False,
    data_dir: DataDir = None,
) -> None:
    given = {"cp_id": cp_id, "party": party, "none": none}
    print_json(act_and_say(LOCAL_LIST, given, data_dir, cp_id))


def ocpp_call(
    cp_id: CpId,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="As TriggerMessage.")],
    payload: Annotated[str, typer.Argument(metavar="[JSON]", help="Its payload.")] = "{}",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="It is meant, whatever it does.")] = (
        False
    ),
    data_dir: DataDir = None,
) -> None:
    if action not in actions.HARMLESS and not yes:
        raise CliError(f"{action} may change the station: --yes says that it is meant")
    try:
        content = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise CliError(f"the payload is no JSON: {error}") from None
    given = {"cp_id": cp_id, "ocpp_action": action, "payload": content, "meant": yes}
    print_json(act(actions.CALL, given, data_dir)["answer"])


def add_to(app: typer.Typer) -> None:
    """Put these onto `cpo charge-points`."""
    app.command("stations")(station_list)
    app.command("reset", help=words(actions.RESET))(reset)
    app.command("trigger", help=words(actions.TRIGGER))(trigger)
    app.command("clear-cache", help=words(actions.CLEAR_CACHE))(clear_cache)
    app.command("configuration", help=words(actions.CONFIGURATION))(configuration)
    app.command("configure", help=words(actions.CONFIGURE))(configure)
    app.command("local-list", help=words(LOCAL_LIST))(local_list)
    app.command("ocpp-call", help=words(actions.CALL))(ocpp_call)
