"""The eMSP's receiving side: versions, credentials, tokens to pull and to ask for, and receivers
of what a CPO pushes. Everything is in memory."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import quote

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from auth.credentials_header import tokens_in
from cpo_app.demo_emsp.answers import UNKNOWN_TOKEN, Refusal, bad, envelope, refused
from cpo_app.demo_emsp.emsp import Emsp
from cpo_app.demo_emsp.memory import RECEIVED, Memory, Place
from cpo_app.demo_emsp.pages import page_of
from cpo_app.ocpi_caller import CallError
from db_interface.json_data import JsonObject
from domain.versions import Context, ObjectKind, OcpiVersion, Party

MODULES = ("credentials", "locations", "sessions", "cdrs", "tariffs", "tokens", "commands")
_OTHER_SIDE = {"SENDER": "RECEIVER", "RECEIVER": "SENDER"}

Heard = Callable[[str, str, JsonObject], None]
"""Called with the module, an id, and what the CPO sent."""
Handler = Callable[[Request], Awaitable[Response]]


@dataclass
class Receiver:
    """`base_url` is how others find it; `token` opens its door: for a CPO that is yet to register
    a token A, and the one that it got with our credentials from then on."""

    base_url: str
    version: OcpiVersion
    party: tuple[str, str]
    cards: list[JsonObject]
    heard: Heard
    http: httpx.AsyncClient
    token: str = field(default_factory=lambda: secrets.token_hex(32))
    cpo: Emsp | None = None
    """How we speak with the CPO."""
    registered: bool = False
    """The handshake is done."""

    def __post_init__(self) -> None:
        self.memory = Memory(self.version)

    @property
    def versions_url(self) -> str:
        return f"{self.base_url}/ocpi/versions"

    @property
    def modules_url(self) -> str:
        return f"{self.base_url}/ocpi/emsp/{self.version.number}"

    def credentials(self) -> JsonObject:
        """Ours, with the token that opens our door."""
        country_code, party_id = self.party
        role = {
            "role": "EMSP",
            "country_code": country_code,
            "party_id": party_id,
            "business_details": {"name": "Demonstration eMSP"},
        }
        ours = {"token": self.token, "url": self.versions_url, "roles": [role]}
        context = Context(party=Party(*self.party))
        return self.version.render(ObjectKind.CREDENTIALS, ours, context).object

    async def part(self) -> None:
        """Unregister, where we are registered. Raises CallError."""
        cpo, self.cpo, self.registered = self.cpo, None, False
        if cpo is not None:
            await cpo.unregister()

    def app(self) -> ASGIApp:
        """Its URLs are answered with and without a slash at their end."""
        routes = self._routes()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                scope = {**scope, "path": scope["path"].rstrip("/")}
            await routes(scope, receive, send)

        return app

    def _routes(self) -> Starlette:
        below, open_, known = f"/ocpi/emsp/{self.version.number}", self._let_in, self._to_the_cpo
        everything = ["GET", "PUT", "PATCH", "DELETE"]
        objects = [
            Route(
                f"{below}/{module}/{{country_code}}/{{party_id}}/{{id}}{path}",
                known(partial(self._object, module)),
                methods=["GET"] if module == "cdrs" else everything,
            )
            for module, kinds in RECEIVED.items()
            for path in ("", "/{evse}", "/{evse}/{connector}")[: len(kinds)]
        ]
        return Starlette(
            routes=[
                Route("/ocpi/versions", open_(self._versions)),
                Route(below, open_(self._details)),
                Route(
                    f"{below}/credentials",
                    open_(self._credentials),
                    methods=["GET", "POST", "PUT", "DELETE"],
                ),
                Route(f"{below}/tokens", known(self._tokens)),
                Route(f"{below}/tokens/{{uid}}/authorize", known(self._word), methods=["POST"]),
                Route(f"{below}/commands/{{path:path}}", known(self._result), methods=["POST"]),
                Route(f"{below}/cdrs", known(self._cdr), methods=["POST"]),
                *objects,
            ],
            exception_handlers={
                404: _said(404, "there is nothing here"),
                405: _said(405, "not a method of this interface"),
            },
        )

    # --- who is there

    def _let_in(self, handler: Handler) -> Handler:
        async def answer(request: Request) -> Response:
            try:
                if not self._is_our_token(request):
                    raise Refusal(401, 2001, "unknown credentials token")
                return await handler(request)
            except Refusal as refusal:
                return refused(request, refusal)

        return answer

    def _to_the_cpo(self, handler: Handler) -> Handler:
        async def answer(request: Request) -> Response:
            if self.cpo is None:
                raise Refusal(401, 2001, "register first")
            return await handler(request)

        return self._let_in(answer)

    def _is_our_token(self, request: Request) -> bool:
        given = tokens_in(request.headers.get("Authorization"))
        if self.version.description.encodes_tokens:
            given = given[:-1]  # the last one is the text as it stands
        return any(secrets.compare_digest(one.encode(), self.token.encode()) for one in given)

    async def _versions(self, request: Request) -> Response:
        return envelope(request, [{"version": self.version.number, "url": self.modules_url}])

    async def _details(self, request: Request) -> Response:
        offered = self.version.description
        rows = [
            {
                "identifier": module.identifier,
                **({"role": _OTHER_SIDE[module.role]} if offered.endpoints_have_roles else {}),
                "url": f"{self.modules_url}/{module.identifier}",
            }
            for module in offered.modules
            if module.identifier in MODULES
        ]
        return envelope(request, {"version": self.version.number, "endpoints": rows})

    async def _credentials(self, request: Request) -> Response:
        method = request.method
        if method == "GET":
            return envelope(request, self.credentials())
        if (method == "POST") is (self.cpo is not None):
            raise Refusal(405, 2000, "registered already" if self.cpo else "not registered")
        if method == "DELETE":
            self.cpo, self.registered = None, False
            return envelope(request)
        try:
            theirs = self.version.read(ObjectKind.CREDENTIALS, await _body(request)).object
        except ValueError as error:
            raise bad(str(error)) from error
        cpo = Emsp(self.http, theirs["url"], self.version, theirs["token"])
        try:
            await cpo.discover()
        except CallError as error:
            raise Refusal(200, 3001, str(error)) from error
        self.cpo, self.registered = cpo, True
        self.token = secrets.token_hex(32)
        return envelope(request, self.credentials())

    # --- what we are asked

    async def _tokens(self, request: Request) -> Response:
        rows = [self.version.render(ObjectKind.TOKEN, card).object for card in self.cards]
        return page_of(request, rows, f"{self.modules_url}/tokens")

    async def _word(self, request: Request) -> Response:
        uid = request.path_params["uid"].lower()
        card = next((card for card in self.cards if card["uid"].lower() == uid), None)
        if card is None:
            raise Refusal(404, UNKNOWN_TOKEN, "unknown token")
        info = {"allowed": "ALLOWED", "token": card}
        return envelope(request, self.version.render(ObjectKind.AUTHORIZATION_INFO, info).object)

    # --- what we are told

    async def _result(self, request: Request) -> Response:
        body = await _body(request)
        if not isinstance(body, dict) or not isinstance(body.get("result"), str):
            raise bad("result: required field missing")
        self.heard("commands", request.path_params["path"], body)
        return envelope(request)

    async def _cdr(self, request: Request) -> Response:
        body = await _body(request)
        if not isinstance(body, dict):
            raise bad("value is not an object")
        # A CDR of a version without parties stands below a dash for each.
        named = [str(body.get(name) or "-") for name in ("country_code", "party_id", "id")]
        place = (named[0], named[1], named[2])
        new = self._keep("cdrs", place, (), body)
        answer = envelope(request, http=201 if new else 200)
        answer.headers["Location"] = f"{self.modules_url}/cdrs/" + "/".join(
            quote(part, safe="") for part in place
        )
        return answer

    async def _object(self, module: str, request: Request) -> Response:
        named = request.path_params
        place = (named["country_code"], named["party_id"], named["id"])
        below = [named[part] for part in ("evse", "connector") if part in named]
        if request.method == "GET":
            return envelope(request, self.memory.get(module, place, below))
        if request.method == "DELETE":
            if module != "tariffs":
                raise Refusal(405, 2000, f"nothing is deleted from {module}")
            self.memory.delete(module, place)
            self.heard(module, named["id"], {})
            return envelope(request)
        body = await _body(request)
        if request.method == "PUT":
            new = self._keep(module, place, below, body)
            return envelope(request, http=201 if new else 200)
        self.memory.patch(module, place, below, body)
        self.heard(module, named["id"], self.memory.get(module, place, below))
        return envelope(request)

    def _keep(self, module: str, place: Place, below: Sequence[str], body: object) -> bool:
        new = self.memory.put(module, place, below, body)
        self.heard(module, place[2], self.memory.get(module, place, below))
        return new


async def _body(request: Request) -> object:
    try:
        body: object = json.loads(await request.body())
    except ValueError as error:
        raise bad("the body is not JSON", http=400) from error
    return body


def _said(http: int, message: str) -> Callable[[Request, Exception], Response]:
    def say(request: Request, _error: Exception) -> Response:
        return envelope(request, code=2000, message=message, http=http)

    return say
