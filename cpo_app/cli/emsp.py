"""`cpo emsp`: a demonstration eMSP that shakes hands, prints the locations, and listens."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import socket
import sys
from typing import Annotated, Any

import httpx
import typer
import uvicorn
from py_ocpi.core.enums import ModuleID

from cpo_app import logs
from cpo_app.cli.errors import CliError
from cpo_app.cli.fleet import DEMO_CARDS
from cpo_app.cli.output import note, plain_text, print_table
from cpo_app.cli.signals import until_signalled
from cpo_app.demo_emsp.emsp import COUNTRY_CODE, PARTY_ID, Emsp
from cpo_app.demo_emsp.receiver import build_receiver
from cpo_app.ocpi_caller import CallError
from db_interface.json_data import JsonObject
from domain.times import format_datetime, utc_now


def emsp(
    versions_url: Annotated[str, typer.Option(help="The CPO's versions URL.")],
    token: Annotated[
        str, typer.Option(help="The token A of the CPO's invitation.", envvar="CPO_EMSP_TOKEN")
    ],
    port: Annotated[int, typer.Option(help="Where to listen; 0: any free port.")] = 0,
    stay: Annotated[
        bool, typer.Option("--stay", help="Stay connected and show what the CPO sends.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print neither the locations nor what is sent.")
    ] = False,
    start: Annotated[
        str | None,
        typer.Option(metavar="LOCATION_ID", help="Start a session there, show it, stop it."),
    ] = None,
) -> None:
    """Play an eMSP: shake hands with a CPO and print its locations as a table."""
    logs.set_up("WARNING")
    # The library has a handler of its own and warns of every object that is new to it.
    logging.getLogger("OCPI-Logger").handlers.clear()
    logging.getLogger("OCPI-Logger").setLevel(logging.ERROR)
    try:
        asyncio.run(until_signalled(_play(versions_url, token, port, stay, quiet, start)))
    except CallError as error:
        raise CliError(str(error)) from error


async def _play(
    versions_url: str, token_a: str, port: int, stay: bool, quiet: bool, start: str | None
) -> None:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        raise CliError(f"port {port}: {error.strerror}") from error
    host = f"127.0.0.1:{listener.getsockname()[1]}"
    token_b = secrets.token_hex(32)
    app, _memory = build_receiver(
        host, token_b, [_card(uid) for uid in DEMO_CARDS], _ignore if quiet else _show
    )
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, log_level="warning", timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server._serve(sockets=[listener]))  # signals are ours
    try:
        async with httpx.AsyncClient(timeout=30) as client:
            me = Emsp(client, versions_url)
            theirs = await me.handshake(token_a, token_b, f"http://{host}/ocpi/versions")
            names = ", ".join(role["business_details"]["name"] for role in theirs["roles"])
            note(f"connected with {names}; its modules: {', '.join(me.endpoints)}")
            if not quiet:
                await _print_locations(me)
            if start is not None:
                await _charge(me, host, start)
            if stay:
                note("listening for what the CPO sends; Ctrl-C ends it")
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()
            await me.unregister()
            note("unregistered again: the CPO forgets this eMSP's tokens")
    finally:
        server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        listener.close()


async def _print_locations(me: Emsp) -> None:
    rows = []
    async for location in me.crawl("locations"):
        evses = location.get("evses", [])
        power = max(
            (
                connector.get("max_electric_power", 0)
                for evse in evses
                for connector in evse["connectors"]
            ),
            default=0,
        )
        states = sorted({evse["status"] for evse in evses})
        rows.append(
            (
                location["id"],
                location["city"],
                location["country"],
                f"{location['coordinates']['latitude']}, {location['coordinates']['longitude']}",
                len(evses),
                f"{power / 1000:g} kW" if power else "-",
                " ".join(states),
            )
        )
    columns = ("Location", "City", "Country", "Coordinates", "EVSEs", "Up to", "Status")
    print_table(columns, rows, title=f"{len(rows)} locations")


async def _charge(me: Emsp, host: str, location_id: str) -> None:
    """Start a session, watch it for some seconds, stop it."""
    base = f"http://{host}/ocpi/emsp/2.2.1/commands"
    answer = await me.command(
        "START_SESSION",
        {
            "response_url": f"{base}/start",
            "token": _card(DEMO_CARDS[0]),
            "location_id": location_id,
        },
    )
    note(f"START_SESSION at {location_id}: {answer['result']}")
    if answer["result"] != "ACCEPTED":
        return
    await asyncio.sleep(12)
    me.endpoints["sessions"] += "?date_from=2020-01-01T00:00:00Z"
    running = [row async for row in me.crawl("sessions") if row["status"] in ("ACTIVE", "PENDING")]
    if not running:
        note("no session is running")
        return
    session = running[-1]
    note(f"session {session['id']}: {session['kwh']} kWh, {session['status']}")
    answer = await me.command(
        "STOP_SESSION", {"response_url": f"{base}/stop", "session_id": session["id"]}
    )
    note(f"STOP_SESSION: {answer['result']}")
    await asyncio.sleep(3)


def _show(module: ModuleID, object_id: str, data: Any) -> None:
    shown = data.get("status") or data.get("result") or data.get("total_cost") or ""
    sys.stdout.write(f"{module.value:<10} {object_id:<40} {plain_text(shown)}\n")
    sys.stdout.flush()


def _ignore(module: ModuleID, object_id: str, data: Any) -> None:
    """For an eMSP that only has to be there."""


def _card(uid: str) -> JsonObject:
    """The token of one of this eMSP's drivers."""
    number = int(uid.rsplit("-", 1)[1])
    return {
        "country_code": COUNTRY_CODE,
        "party_id": PARTY_ID,
        "uid": uid,
        "type": "RFID",
        "contract_id": f"{COUNTRY_CODE}-{PARTY_ID}-C{number:06}-X",
        "issuer": "Demonstration eMSP",
        "valid": True,
        "whitelist": "ALLOWED",
        "last_updated": format_datetime(utc_now()),
    }
