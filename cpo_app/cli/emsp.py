"""`cpo emsp`: a demonstration eMSP that shakes hands, prints the locations, and listens."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import typer

from cpo_app import logs
from cpo_app.cli.errors import CliError
from cpo_app.cli.faulty_emsp import duration, share
from cpo_app.cli.files import party_of
from cpo_app.cli.fleet import DEMO_CARDS
from cpo_app.cli.ocpi_versions import DEFAULT, VersionNumber, version_named
from cpo_app.cli.output import note, plain_text, print_line
from cpo_app.cli.secret_input import secret
from cpo_app.cli.signals import until_signalled
from cpo_app.cli.tables import print_table
from cpo_app.demo_emsp.emsp import Emsp
from cpo_app.demo_emsp.faults import Faults
from cpo_app.demo_emsp.registered import (
    Door,
    Registered,
    Role,
    invented_party,
    listening,
    registered,
)
from cpo_app.ocpi_caller import CallError
from db_interface.json_data import JsonObject
from domain.times import format_datetime, utc_now
from domain.versions import ObjectKind

_LOOKS = 30
"""How often, a second apart, a session or CDR is looked for."""
_SINCE = "?date_from=2020-01-01T00:00:00Z"


def emsp(
    versions_url: Annotated[
        str | None, typer.Option(help="The CPO's versions URL; none: wait for a CPO to connect.")
    ] = None,
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
    version: VersionNumber = DEFAULT,
    refuse: Annotated[
        str, typer.Option(metavar="SHARE", help="Close so many connections unread, as 5%.")
    ] = "0%",
    slow: Annotated[
        str | None, typer.Option(metavar="TIME", help="Answer late, as 8s.", show_default=False)
    ] = None,
    drop_after_read: Annotated[
        bool, typer.Option("--drop-after-read", help="Take it, and close without an answer.")
    ] = False,
    status: Annotated[
        int | None,
        typer.Option(
            min=400, max=599, help="Answer this HTTP status, take nothing.", show_default=False
        ),
    ] = None,
    half_json: Annotated[
        bool, typer.Option("--half-json", help="Take it, and send half of the answer.")
    ] = False,
    faulty: Annotated[
        str,
        typer.Option(metavar="SHARE", help="How many requests meet one of the last four faults."),
    ] = "100%",
    seed: Annotated[
        int | None,
        typer.Option(help="The same faults again; else invented, and said.", show_default=False),
    ] = None,
) -> None:
    """Play an eMSP: shake hands with a CPO and print its locations as a table.

    With faults, for whoever builds a CPO: they begin after the handshake.
    """
    logs.set_up("WARNING")
    if versions_url is None and (token or start or show_token):
        raise CliError("--token, --start and --show-token need --versions-url: whom to ask")
    faults = Faults(
        refuse=share(refuse, "--refuse"),
        slow_s=None if slow is None else duration(slow, "--slow"),
        drop_after_read=drop_after_read,
        status=status,
        half_json=half_json,
        share=share(faulty, "--faulty"),
        seed=secrets.randbelow(1_000_000) if seed is None else seed,
    )
    who = party_of(party) or invented_party()
    role = Role(
        who,
        [_card(uid, who) for uid in DEMO_CARDS],
        _ignore if quiet else _show,
        version=version_named(version),
        faults=faults,
    )
    shown = _Shown(locations=not quiet, token=show_token)
    door = Door(port, reachable_as)
    if faults:
        note(f"faults with --seed {faults.seed}")
    try:
        if versions_url is None:
            asyncio.run(until_signalled(_wait(role, door)))
        else:
            token = secret(token, "--token", "Token A", variable="CPO_EMSP_TOKEN")
            asyncio.run(until_signalled(_play(versions_url, token, role, door, stay, shown, start)))
    except CallError as error:
        raise CliError(str(error)) from error
    except OSError as error:
        raise CliError(f"port {port}: {error.strerror}") from error


@dataclass(frozen=True)
class _Shown:
    """What is printed: locations and what the CPO sends, the token C."""

    locations: bool
    token: bool


async def _wait(role: Role, door: Door) -> None:
    """Listen until a signal, for a CPO to register and whatever it then sends."""
    async with listening(role, door) as receiver:
        note(
            f"to register: CPO_PEER_TOKEN={receiver.token} cpo peers connect "
            f"--versions-url {receiver.versions_url}"
        )
        try:
            await asyncio.Event().wait()
        finally:
            with contextlib.suppress(CallError):
                await receiver.part()


async def _play(
    versions_url: str,
    token_a: str,
    role: Role,
    door: Door,
    stay: bool,
    shown: _Shown,
    start: str | None,
) -> None:
    async with registered(versions_url, token_a, role, door) as emsp:
        names = ", ".join(role["business_details"]["name"] for role in emsp.cpo["roles"])
        note(f"connected with {names}; its modules: {', '.join(emsp.me.endpoints)}")
        if shown.locations:
            await _print_locations(emsp.me)
        if start is not None:
            await _charge(emsp, start, _shown_card(role))
        if shown.token:
            _print_token(emsp, _shown_card(role))
        if stay:
            note("listening for what the CPO sends; Ctrl-C ends it")
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
    note("unregistered again: the CPO forgets this eMSP's tokens")


def _print_token(emsp: Registered, card: JsonObject) -> None:
    """Lines for another terminal: what curl needs to be this eMSP."""
    token = emsp.me.authorization.removeprefix("Token ")
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
            (_power_w(connector) for evse in evses for connector in evse["connectors"]),
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


def _power_w(connector: JsonObject) -> float:
    """What a connector says of it; not every version has the field."""
    power_w: float = connector.get("max_electric_power", 0)
    if power_w or "voltage" not in connector:
        return power_w
    phases = 3 if connector["power_type"] == "AC_3_PHASE" else 1
    return float(phases * connector["voltage"] * connector["amperage"])


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
    # Not every version's CDR names its session; this party has no other one yet.
    session_id = session["id"]
    cdr = await _awaited(me, "cdrs", lambda row: row.get("session_id", session_id) == session_id)
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
    if isinstance(total, dict):
        total = next(
            total[name] for name in ("incl_vat", "excl_vat", "before_taxes") if name in total
        )
    return f"{total} {cdr['currency']}"


def _show(module: str, object_id: str, data: JsonObject) -> None:
    shown = data.get("status") or data.get("result") or data.get("total_cost") or ""
    sys.stdout.write(f"{module:<10} {object_id:<40} {plain_text(shown)}\n")
    sys.stdout.flush()


def _ignore(module: str, object_id: str, data: JsonObject) -> None:
    """For an eMSP that only has to be there."""


def _shown_card(role: Role) -> JsonObject:
    """The card of the eMSP's driver, as the version has it."""
    return role.version.render(ObjectKind.TOKEN, role.cards[0]).object


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
