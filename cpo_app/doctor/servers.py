"""The running servers, asked: do they live, can they do their work, and what is missing?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx

from cpo_app.settings import Settings

TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Server:
    """`answers`: it is there and is ours; `missing`: what its /readyz says it lacks."""

    name: str
    url: str
    answers: bool
    missing: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        return self.answers and not self.missing

    def said(self) -> str:
        if not self.answers:
            return "does not answer"
        return f"not ready: {', '.join(self.missing)}" if self.missing else "ready"


async def ask_servers(settings: Settings) -> list[Server]:
    """EV_Central and EV_Registry, where `settings` have them: on this host, else EV_Central at
    the address that peers are told."""
    tls = "https" if settings.REGISTRY_TLS_ENABLED else "http"
    central_tls = "https" if settings.CENTRAL_TLS_ENABLED else "http"
    central, registry = await asyncio.gather(
        _ask("EV_Central", f"{central_tls}://127.0.0.1:{settings.CENTRAL_PORT}"),
        _ask("EV_Registry", f"{tls}://127.0.0.1:{settings.REGISTRY_API_PORT}"),
    )
    if not central.answers:
        elsewhere = await _ask("EV_Central", settings.base_url)
        central = elsewhere if elsewhere.answers else central
    return [central, registry]


async def _ask(name: str, url: str) -> Server:
    try:
        # Its certificate names another host than 127.0.0.1; nothing is sent that could be lost.
        async with httpx.AsyncClient(timeout=TIMEOUT_S, verify=False) as client:  # noqa: S501
            answer = await client.get(f"{url}/readyz")
        body: object = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return Server(name, url, answers=False)
    missing = body.get("missing") if isinstance(body, dict) else None
    if not isinstance(missing, list):
        return Server(name, url, answers=False)  # another program
    named = tuple(map(str, missing))
    ready = answer.status_code == 200
    return Server(name, url, True, () if ready else named or ("it does not say what is missing",))
