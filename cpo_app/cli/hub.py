"""`cpo hub`: a mock roaming hub with eMSPs behind it, that shows what arrives for whom.

Commands on stdin while it runs, a line each: `start CC/PID LOCATION [EVSE]`, `stop CC/PID
[SESSION]`, `offline|online CC/PID`, `fault KIND=RATE`, `clients`, `quit`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import typer
import uvicorn

from cpo_app import logs
from cpo_app.cli.errors import CliError
from cpo_app.cli.output import note, plain_text, print_line
from cpo_app.cli.secret_input import secret
from cpo_app.cli.signals import until_signalled
from cpo_app.mock_hub.app import build_hub_app
from cpo_app.mock_hub.clients import CONNECTED, DEFAULT_PARTIES, OFFLINE
from cpo_app.mock_hub.faults import KINDS, SLOW_S, Faults
from cpo_app.mock_hub.hub import DEFAULT_PARTY, Hub
from cpo_app.mock_hub.mailbox import Arrived
from cpo_app.ocpi_caller import CallError

HELP = "start CC/PID LOCATION [EVSE], stop CC/PID [SESSION], offline|online CC/PID, clients, quit"


def hub(
    versions_url: Annotated[
        str | None, typer.Option(help="The CPO's versions URL; none: wait for the CPO to connect.")
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="CPO_HUB_TOKEN",
            help="The token A of the CPO's invitation; - reads it from standard input.",
        ),
    ] = None,
    port: Annotated[int, typer.Option(help="Where to listen; 0: any free port.")] = 0,
    party: Annotated[
        str, typer.Option(metavar="CC/PID", help="The hub's own party.")
    ] = DEFAULT_PARTY,
    client: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CC/PID", help=f"An eMSP behind it, each; else {', '.join(DEFAULT_PARTIES)}."
        ),
    ] = None,
    clients_as_roles: Annotated[
        bool,
        typer.Option("--clients-as-roles", help="List the clients as roles, as some platforms do."),
    ] = False,
    fault: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND=RATE", help=f"{', '.join(KINDS)}; as 500=0.3. Each."),
    ] = None,
    slow_s: Annotated[float, typer.Option(min=0, help="How slow a slow answer is.")] = SLOW_S,
) -> None:
    """Play a roaming hub: eMSPs behind it charge, and what the CPO sends is shown with for whom."""
    logs.set_up("WARNING")
    if (versions_url is None) is not (token is None):
        raise CliError("--versions-url and --token go together")
    if token is not None:
        token = secret(token, "--token", "Token A", variable="CPO_HUB_TOKEN")
    faults = Faults(slow_s=slow_s)
    try:
        for text in fault or ():
            faults.set(text)
        made = Hub(
            "",
            httpx.AsyncClient(timeout=30),
            party=party,
            clients=client or DEFAULT_PARTIES,
            clients_as_roles=clients_as_roles,
            faults=faults,
        )
        asyncio.run(until_signalled(_play(made, port, versions_url, token)))
    except (CallError, ValueError) as error:
        raise CliError(str(error)) from error


async def _play(hub: Hub, port: int, versions_url: str | None, token: str | None) -> None:
    hub.mailbox.heard = _show
    async with hub.http, _serving(hub, port):
        if versions_url is not None and token is not None:
            await hub.register(versions_url, token)
            cpo = ", ".join("/".join(party) for party in hub.cpo_parties)
            note(f"registered with {cpo}; {HELP}")
        else:
            note(
                f"to register: CPO_PEER_TOKEN={hub.token_for_cpo} cpo peers connect --hub "
                f"--any-party --versions-url {hub.versions_url}"
            )
        try:
            await _obey(hub)
        finally:
            if hub.cpo_parties:
                with contextlib.suppress(CallError):
                    await asyncio.shield(hub.unregister())


@contextlib.asynccontextmanager
async def _serving(hub: Hub, port: int) -> AsyncIterator[None]:
    """The hub's app on that port of loopback; sets `hub.base_url`."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        raise CliError(f"port {port}: {error.strerror}") from error
    hub.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(
        uvicorn.Config(build_hub_app(hub), log_config=None, timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server._serve(sockets=[listener]))  # signals are ours
    try:
        yield
    finally:
        server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        listener.close()


async def _obey(hub: Hub) -> None:
    """Do what stdin says until it says quit; where stdin has ended, go on until a signal."""
    async for line in _lines():
        words = line.split()
        if words == ["quit"]:
            return
        try:
            if words:
                print_line(await obey(hub, words))
        except (CallError, ValueError) as error:
            note(f"cpo hub: {error}")
        sys.stdout.flush()
    await asyncio.Event().wait()


async def obey(hub: Hub, words: list[str]) -> str:
    """One command; what came of it. Raises CallError, ValueError."""
    match words:
        case ["start", name, location, *evse] if len(evse) <= 1:
            return f"START_SESSION of {name}: {await hub.start(name, location, *evse)}"
        case ["stop", name, *session] if len(session) <= 1:
            return f"STOP_SESSION of {name}: {await hub.stop(name, *session)}"
        case [("offline" | "online") as word, name]:
            await hub.set_status(name, OFFLINE if word == "offline" else CONNECTED)
            return f"{name} is {word}"
        case ["fault", text]:
            hub.faults.set(text)
            return f"faults: {plain_text(hub.faults.rates)}"
        case ["clients"]:
            return "\n".join(f"{client.name} {client.status}" for client in hub.clients.values())
    raise ValueError(f"say one of: {HELP}, fault KIND=RATE")


async def _lines() -> AsyncIterator[str]:
    """stdin's lines, until its end; none where it cannot be waited for (a file, /dev/null)."""
    loop = asyncio.get_running_loop()
    read: asyncio.Queue[bytes] = asyncio.Queue()
    try:
        number = sys.stdin.fileno()
        loop.add_reader(number, lambda: read.put_nowait(os.read(number, 4096)))
    except (OSError, ValueError):
        return
    try:
        rest = b""
        while chunk := await read.get():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield line.decode("utf-8", "replace")
    finally:
        loop.remove_reader(number)


def _show(message: Arrived) -> None:
    for_whom = " ".join("/".join(party) for party in message.clients) or "nobody"
    body = message.body if isinstance(message.body, dict) else {}
    shown = body.get("status") or body.get("result") or body.get("total_cost")
    print_line(
        f"{for_whom:<22} {message.method:<6} {message.module:<12} {message.path:<50} "
        f"{'' if shown is None else plain_text(shown)}"
    )
    sys.stdout.flush()
