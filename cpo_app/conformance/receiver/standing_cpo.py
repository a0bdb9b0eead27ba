"""The CPO that the check registers as where a partner only gives an invitation.

It listens while the check runs, for the partner's side of the handshake and whatever the partner
asks or tells on its own: it has no objects to show, keeps no token, and takes no command.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import string
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from auth.credentials_header import tokens_in
from cpo_app.ocpi_caller import CallError, OcpiCaller
from db_interface.json_data import JsonObject
from domain.times import format_datetime, utc_now
from domain.versions import Context, ObjectKind, OcpiVersion, Party

NAME = "Conformance check"
_LISTS = ("locations", "sessions", "cdrs", "tariffs")
_MODULES = ("credentials", *_LISTS, "tokens", "commands")


@dataclass
class StandingCpo:
    """`token` is what the partner must present."""

    base_url: str
    version: OcpiVersion
    party: tuple[str, str]
    token: str = field(default_factory=lambda: secrets.token_hex(32))

    @property
    def versions_url(self) -> str:
        return f"{self.base_url}/ocpi/versions"

    def credentials(self) -> JsonObject:
        country_code, party_id = self.party
        role = {
            "role": "CPO",
            "country_code": country_code,
            "party_id": party_id,
            "business_details": {"name": NAME},
        }
        ours = {"token": self.token, "url": self.versions_url, "roles": [role]}
        context = Context(party=Party(*self.party))
        return self.version.render(ObjectKind.CREDENTIALS, ours, context).object

    def app(self) -> Starlette:
        below = f"/ocpi/cpo/{self.version.number}"
        return Starlette(
            routes=[
                Route("/ocpi/versions", self._versions),
                Route(below, self._details),
                Route(f"{below}/credentials", self._credentials),
                *(Route(f"{below}/{module}", self._empty_list) for module in _LISTS),
                Route(f"{below}/commands/{{name}}", self._command, methods=["POST"]),
                Route(
                    f"{below}/tokens/{{path:path}}", self._token, methods=["GET", "PUT", "PATCH"]
                ),
            ],
            exception_handlers={404: self._not_there},
        )

    async def _versions(self, request: Request) -> Response:
        url = f"{self.base_url}/ocpi/cpo/{self.version.number}"
        return self._answer(request, [{"version": self.version.number, "url": url}])

    async def _details(self, request: Request) -> Response:
        offered = self.version.description
        rows = [
            {
                "identifier": module.identifier,
                **({"role": module.role} if offered.endpoints_have_roles else {}),
                "url": f"{self.base_url}/ocpi/cpo/{self.version.number}/{module.identifier}",
            }
            for module in offered.modules
            if module.identifier in _MODULES
        ]
        return self._answer(request, {"version": self.version.number, "endpoints": rows})

    async def _credentials(self, request: Request) -> Response:
        return self._answer(request, self.credentials())

    async def _empty_list(self, request: Request) -> Response:
        answer = self._answer(request, [])
        answer.headers.update({"X-Total-Count": "0", "X-Limit": "50"})
        return answer

    async def _command(self, request: Request) -> Response:
        rejected = {"result": "REJECTED", "timeout": 0}
        kind = ObjectKind.COMMAND_RESPONSE
        return self._answer(request, self.version.render(kind, rejected).object)

    async def _token(self, request: Request) -> Response:
        """There is nothing to charge at: a token is read, and not kept."""
        if request.method == "GET":
            return self._said(request, 404, 2004, "unknown token")
        return self._answer(request, None)

    async def _not_there(self, request: Request, _error: Exception) -> Response:
        return self._said(request, 404, 2000, "there is nothing here")

    def _answer(self, request: Request, data: object) -> Response:
        given = tokens_in(request.headers.get("Authorization"))
        if not any(secrets.compare_digest(one.encode(), self.token.encode()) for one in given):
            return self._said(request, 401, 2001, "unknown credentials token")
        return self._said(request, 200, 1000, "", data)

    def _said(
        self, request: Request, http: int, code: int, message: str, data: object = None
    ) -> Response:
        body: JsonObject = {"status_code": code, "timestamp": format_datetime(utc_now())}
        body |= {"status_message": message} if message else {}
        body |= {} if data is None else {"data": data}
        answer = JSONResponse(body, http)
        for name in ("X-Request-ID", "X-Correlation-ID"):
            if name in request.headers:
                answer.headers[name] = request.headers[name]
        return answer


def invented_party() -> tuple[str, str]:
    """A CPO that the partner does not know yet, most likely."""
    signs = string.ascii_uppercase + string.digits
    return "DE", "C" + "".join(secrets.choice(signs) for _ in range(2))


@contextlib.asynccontextmanager
async def registered_as_cpo(
    versions_url: str,
    token_a: str,
    *,
    version: OcpiVersion,
    party: tuple[str, str],
    port: int = 0,
    reachable_as: str | None = None,
) -> AsyncIterator[str]:
    """Be registered with the partner while the block runs; gives the token that it gave us.

    Raises OSError where the port cannot be had, CallError where the partner answers otherwise.
    """
    address = "0.0.0.0" if reachable_as else "127.0.0.1"  # noqa: S104 - asked for
    with socket.create_server((address, port)) as listener:
        base_url = reachable_as or f"http://127.0.0.1:{listener.getsockname()[1]}"
        cpo = StandingCpo(base_url.rstrip("/"), version, party)
        server = uvicorn.Server(
            uvicorn.Config(cpo.app(), log_config=None, timeout_graceful_shutdown=1)
        )
        serving = asyncio.create_task(server._serve(sockets=[listener]))  # signals are ours
        try:
            async with httpx.AsyncClient(timeout=30) as client:
                caller = OcpiCaller(
                    client,
                    versions_url,
                    token_a,
                    version=version.number,
                    encodes_tokens=version.description.encodes_tokens,
                )
                await caller.register(cpo.credentials())
                try:
                    yield caller.token
                finally:
                    with contextlib.suppress(CallError):
                        await caller.unregister()
        finally:
            server.should_exit = True
            with contextlib.suppress(asyncio.CancelledError):
                await serving
