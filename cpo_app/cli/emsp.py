"""`cpo emsp`: a demonstration eMSP that shakes hands, prints the locations, and listens."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from py_ocpi.core.enums import ModuleID

from cpo_app import logs
from cpo_app.cli.errors import CliError
from cpo_app.cli.files import party_of
from cpo_app.cli.fleet import DEMO_CARDS
from cpo_app.cli.output import note, plain_text, print_line
from cpo_app.cli.secret_input import secret
from cpo_app.cli.signals import until_signalled
from cpo_app.cli.tables import print_table
from cpo_app.demo_emsp.emsp import Emsp
from cpo_app.demo_emsp.registered import Door, Registered, invented_party, registered
from cpo_app.ocpi_caller import CallError
from db_interface.json_data import JsonObject
from domain.times import format_datetime, utc_now

_LOOKS = 30
"""How often, a second apart, a session or CDR is looked for."""
_SINCE = "?date_from=2020-01-01T00:00:00Z"


def emsp(
    versions_url: Annotated[str, typer.Option(help="The CPO's versions URL.")],
    token: Annotated[
        str | None,
        typer.Option(
            envvar="CPO_EMSP_TOKEN",
            help="The token A of the CPO's invitation; - reads it from standard input.",
        ),
    ] = None,
    port: Annotated[int, typer.Option(help="Where to listen; 0: any free port.")] = 0,
    reachable_as: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Where the CPO finds this eMSP (http://host:port, or a proxy's https://name) "
            "if it is not on this host.",
            show_default=False,
        ),
    ] = None,
    stay: Annotated[
        bool, typer.Option("--stay", help="Stay connected and show what the CPO sends.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print neither the locations nor what is sent.")
    ] = False,
    show_token: Annotated[
        bool,
        typer.Option("--show-token", help="Print the token C, for trying the CPO with curl."),
    ] = False,
    party: Annotated[
        str | None,
        typer.Option(
            metavar="CC/PID",
            help="Who to be; else an invented party, as each has one platform at a CPO.",
            show_default=False,
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(metavar="LOCATION_ID", help="Start a session there, show it, stop it."),
    ] = None,
) -> None:
    """Play an eMSP: shake hands with a CPO and print its locations as a table."""
    logs.set_up("WARNING")
    token = secret(token, "--token", "Token A")
    who = party_of(party) or invented_party()
    shown = _Shown(locations=not quiet, token=show_token)
    door = Door(port, reachable_as)
    try:
        asyncio.run(until_signalled(_play(versions_url, token, door, stay, shown, start, who)))
    except CallError as error:
        raise CliError(str(error)) from error
    except OSError as error:
        raise CliError(f"port {port}: {error.strerror}") from error


@dataclass(frozen=True)
class _Shown:
    """What is printed: locations and what the CPO sends, the token C."""

    locations: bool
    token: bool


async def _play(
    versions_url: str,
    token_a: str,
    door: Door,
    stay: bool,
    shown: _Shown,
    start: str | None,
    party: tuple[str, str],
) -> None:
    heard = _show if shown.locations else _ignore
    cards = [_card(uid, party) for uid in DEMO_CARDS]
    async with registered(
        versions_url, token_a, party=party, door=door, cards=cards, heard=heard
    ) as emsp:
        names = ", ".join(role["business_details"]["name"] for role in emsp.cpo["roles"])
        note(f"connected with {names}; its modules: {', '.join(emsp.me.endpoints)}")
        if shown.locations:
            await _print_locations(emsp.me)
        if start is not None:
            await _charge(emsp, start, cards[0])
        if shown.token:
            _print_token(emsp, cards[0])
        if stay:
            note("listening for what the CPO sends; Ctrl-C ends it")
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
    note("unregistered again: the CPO forgets this eMSP's tokens")


def _print_token(emsp: Registered, card: JsonObject) -> None:
    """Lines for another terminal: what curl needs to be this eMSP."""
    token = base64.b64encode(emsp.me.token.encode()).decode()
    shown = json.dumps(card, separators=(",", ":"))
    print_line(f"export TOKEN='{token}'")
    print_line(f"export OCPI='{emsp.me.endpoints['locations'].rpartition('/locations')[0]}'")
    print_line(f"export RESULTS='{emsp.commands_url}'")
    print_line(f"export CARD='{shown}'")
    sys.stdout.flush()


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


async def _charge(emsp: Registered, location_id: str, card: JsonObject) -> None:
    """Start a session, watch it for some seconds, stop it, and show what it cost."""
    me, results = emsp.me, emsp.commands_url
    answer = await me.command(
        "START_SESSION",
        {
            "response_url": f"{results}/START_SESSION/1",
            "token": card,
            "location_id": location_id,
        },
    )
    note(f"START_SESSION at {location_id}: {answer['result']}")
    if answer["result"] != "ACCEPTED":
        return
    session = await _awaited(me, "sessions", lambda row: row["status"] == "ACTIVE" and row["kwh"])
    if session is None:
        note("no session is running")
        return
    note(f"session {session['id']}: {session['kwh']} kWh, {session['status']}")
    answer = await me.command(
        "STOP_SESSION",
        {"response_url": f"{results}/STOP_SESSION/1", "session_id": session["id"]},
    )
    note(f"STOP_SESSION: {answer['result']}")
    cdr = await _awaited(me, "cdrs", lambda row: row["session_id"] == session["id"])
    if cdr is None:
        note("its CDR is not there yet")
        return
    note(f"CDR {cdr['id']}: {cdr['total_energy']} kWh, {_money(cdr)}")


async def _awaited(
    me: Emsp, module: str, wanted: Callable[[JsonObject], object]
) -> JsonObject | None:
    """The newest object of the module that is as wanted; None where none comes in time."""
    for _ in range(_LOOKS):
        found = [row async for row in me.crawl(module, query=_SINCE) if wanted(row)]
        if found:
            return found[-1]
        await asyncio.sleep(1)
    return None


def _money(cdr: JsonObject) -> str:
    total = cdr["total_cost"]
    return f"{total.get('incl_vat', total['excl_vat'])} {cdr['currency']}"


def _show(module: ModuleID, object_id: str, data: Any) -> None:
    shown = data.get("status") or data.get("result") or data.get("total_cost") or ""
    sys.stdout.write(f"{module.value:<10} {object_id:<40} {plain_text(shown)}\n")
    sys.stdout.flush()


def _ignore(module: ModuleID, object_id: str, data: Any) -> None:
    """For an eMSP that only has to be there."""


def _card(uid: str, party: tuple[str, str]) -> JsonObject:
    """The token of one of this eMSP's drivers."""
    country_code, party_id = party
    number = int(uid.rsplit("-", 1)[1])
    return {
        "country_code": country_code,
        "party_id": party_id,
        "uid": uid,
        "type": "RFID",
        "contract_id": f"{country_code}-{party_id}-C{number:06}-X",
        "issuer": "Demonstration eMSP",
        "valid": True,
        "whitelist": "ALLOWED",
        "last_updated": format_datetime(utc_now()),
    }
