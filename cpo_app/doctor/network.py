"""Ports and addresses: what listens, and whether peers would find us where they are told to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

import httpx

from cpo_app.doctor.findings import Finding, fail, ok, warn
from cpo_app.doctor.servers import ask_servers
from cpo_app.settings import Settings

TIMEOUT_S = 5.0


async def check_network(
    settings: Settings, elsewhere: Mapping[str, str] | None = None
) -> list[Finding]:
    """`elsewhere`: {service: where it runs}, as the store knows it."""
    known = elsewhere or {}
    tls = "https" if settings.REGISTRY_TLS_ENABLED else "http"
    central_tls = "https" if settings.CENTRAL_TLS_ENABLED else "http"
    found = list(
        await asyncio.gather(
            _port(
                "EV_Central",
                f"{central_tls}://127.0.0.1:{settings.CENTRAL_PORT}/healthz",
                settings.CENTRAL_PORT,
                known.get("EV_Central"),
            ),
            _port(
                "EV_Registry",
                f"{tls}://127.0.0.1:{settings.REGISTRY_API_PORT}/",
                settings.REGISTRY_API_PORT,
                known.get("EV_Registry"),
            ),
            _versions(settings),
        )
    )
    return found + [finding async for finding in _ready(settings)]


async def _port(service: str, url: str, port: int, elsewhere: str | None) -> Finding:
    """Free, ours, or taken by another program."""
    check = f"port {port}"
    if not await _listens(port):
        if elsewhere is not None:
            return ok(check, f"is free on this host; there is {elsewhere}")
        return ok(check, f"is free for {service} (not running)")
    try:
        # Its certificate names another host than 127.0.0.1; nothing is sent that could be lost.
        async with httpx.AsyncClient(timeout=TIMEOUT_S, verify=False) as client:  # noqa: S501
            status = (await client.get(url)).json().get("status")
    except (httpx.HTTPError, ValueError, AttributeError):
        status = None
    if status == "ok":
        return ok(check, f"{service} answers")
    return fail(
        check, f"another program than {service} listens there", "stop it or choose another port"
    )


async def _ready(settings: Settings) -> AsyncIterator[Finding]:
    """What runs here says of itself; who does not run is said by `_port`."""
    for server in await ask_servers(settings):
        if server.answers:
            do = "its log and the findings above say more"
            ready = ok(server.name, f"says that it is {server.said()} ({server.url}/readyz)")
            yield ready if server.ready else fail(server.name, f"is {server.said()}", do)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), TIMEOUT_S)
    except (OSError, asyncio.TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def _versions(settings: Settings) -> Finding:
    """What a peer gets at the versions URL without a token: 401 and an OCPI envelope."""
    check, url = "versions URL", settings.versions_url
    start = "start the servers (cpo up, cpo serve); else check OCPI_HOST, DNS, proxy and firewall"
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
            answer = await client.get(url)
        body: object = answer.json()
    except httpx.HTTPError as error:
        return warn(check, f"{url} cannot be reached from here ({type(error).__name__})", start)
    except ValueError:
        body = None
    if answer.status_code == 401 and isinstance(body, dict) and "status_code" in body:
        return ok(check, f"{url} answers")
    return fail(
        check,
        f"{url} answers {answer.status_code}, and not as OCPI",
        "OCPI_HOST and OCPI_PREFIX must lead to EV_Central; a proxy must pass paths unchanged",
    )
