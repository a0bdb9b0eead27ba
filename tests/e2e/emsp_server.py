"""An eMSP's OCPI interface on loopback that keeps all it is told, in order, and judges it.

Plain Starlette by the text of OCPI 2.2.1; no code of ours in it, so that a mistake of ours cannot
hide in both ends. What a request lacks goes into `complaints`: no test ends with one.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import secrets
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.conftest import Loop
from tests.serving import listener, served, url_of

Json = dict[str, Any]
CPO_PARTY = ("DE", "CPO")
_IDENTITY = ("country_code", "party_id", "id")
_REQUIRED = {
    "locations": (*_IDENTITY, "publish", "coordinates", "evses", "time_zone", "last_updated"),
    "tariffs": (*_IDENTITY, "currency", "elements", "last_updated"),
    "sessions": (
        *_IDENTITY,
        "start_date_time",
        "kwh",
        "cdr_token",
        "auth_method",
        "location_id",
        "evse_uid",
        "connector_id",
        "currency",
        "status",
        "last_updated",
    ),
    "cdrs": (
        *_IDENTITY,
        "start_date_time",
        "end_date_time",
        "session_id",
        "cdr_token",
        "auth_method",
        "cdr_location",
        "currency",
        "charging_periods",
        "total_cost",
        "total_energy",
        "total_time",
        "last_updated",
    ),
}


@dataclass(frozen=True)
class Result:
    """What was POSTed to a response_url, and when (monotonic seconds)."""

    body: Json
    at: float


@dataclass
class EmspServer:
    """`objects`: (module, id) -> every state that it was told of, the present one last."""

    party: tuple[str, str]
    base_url: str = ""
    token: str = field(default_factory=lambda: secrets.token_hex(24))
    """What the CPO has to show us."""
    cpo_credentials: Json | None = None
    """What the CPO has sent us, where it was the one to register."""
    tokens: list[Json] = field(default_factory=list)
    """What our Tokens sender interface has."""
    allowed: str = "ALLOWED"
    mute: bool = False
    """As long as this holds no question for authorization is answered."""
    broken: bool = False
    """As long as this holds whatever is sent meets HTTP 500."""

    objects: dict[tuple[str, str], list[Json]] = field(default_factory=lambda: defaultdict(list))
    evse_states: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    results: dict[str, list[Result]] = field(default_factory=lambda: defaultdict(list))
    active_profiles: dict[str, list[Json]] = field(default_factory=lambda: defaultdict(list))
    questions: list[tuple[str, Json]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    _request_ids: set[str] = field(default_factory=set)

    @property
    def versions_url(self) -> str:
        return f"{self.base_url}/versions"

    def response_url(self, name: str) -> str:
        return f"{self.base_url}/results/{name}"

    def told(self, module: str) -> dict[str, Json]:
        """The present state of every object of a module, by id."""
        return {key[1]: states[-1] for key, states in self.objects.items() if key[0] == module}

    def app(self) -> Starlette:
        """Everything under one root; modules where the details say that they are."""
        routes = [
            Route("/versions", self._open(self._versions)),
            Route("/2.2.1", self._open(self._details)),
            Route("/credentials", self._open(self._credentials), methods=["GET", "POST", "PUT"]),
            Route("/credentials", self._open(self._parted), methods=["DELETE"]),
            Route("/tokens", self._checked(self._token_list)),
            Route("/tokens/{uid}/authorize", self._checked(self._authorize), methods=["POST"]),
            Route("/results/{name:path}", self._checked(self._result), methods=["POST"]),
            Route("/chargingprofiles/{id}", self._checked(self._active_profile), methods=["PUT"]),
            Route("/cdrs", self._checked(self._cdr), methods=["POST"]),
            Route("/cdrs/{id}", self._checked(self._kept_cdr)),
        ]
        everything = ["GET", "PUT", "PATCH", "DELETE"]
        for path in ("", "/{evse}", "/{evse}/{connector}"):
            path = "/{module}/{country}/{party}/{id}" + path
            routes.append(Route(path, self._checked(self._object), methods=everything))
        return Starlette(routes=routes)

    # --- who is there -------------------------------------------------------------------------

    async def _versions(self, request: Request) -> Response:
        return _ok([{"version": "2.2.1", "url": f"{self.base_url}/2.2.1"}])

    async def _details(self, request: Request) -> Response:
        rows = [("credentials", "SENDER"), ("tokens", "SENDER"), ("chargingprofiles", "SENDER")]
        rows += [("commands", "SENDER")]
        rows += [(module, "RECEIVER") for module in ("locations", "tariffs", "sessions", "cdrs")]
        endpoints = [
            {"identifier": module, "role": role, "url": f"{self.base_url}/{module}"}
            for module, role in rows
        ]
        return _ok({"version": "2.2.1", "endpoints": endpoints})

    async def _credentials(self, request: Request) -> Response:
        if request.method != "GET":
            self.cpo_credentials = await request.json()
        return _ok(self.credentials())

    async def _parted(self, request: Request) -> Response:
        self.cpo_credentials = None
        return _ok(None)

    def credentials(self) -> Json:
        role = {
            "role": "EMSP",
            "country_code": self.party[0],
            "party_id": self.party[1],
            "business_details": {"name": f"eMSP {self.party[1]}"},
        }
        return {"token": self.token, "url": self.versions_url, "roles": [role]}

    # --- what we are asked --------------------------------------------------------------------

    async def _token_list(self, request: Request) -> Response:
        """Two of a page, so that there is a Link to follow."""
        offset, limit = int(request.query_params.get("offset", 0)), 2
        page = self.tokens[offset : offset + limit]
        headers = {"X-Total-Count": str(len(self.tokens)), "X-Limit": str(limit)}
        if offset + limit < len(self.tokens):
            url = request.url.include_query_params(offset=offset + limit)
            headers["Link"] = f'<{url}>; rel="next"'
        return _ok(page, headers=headers)

    async def _authorize(self, request: Request) -> Response:
        uid = request.path_params["uid"]
        if request.query_params.get("type", "RFID") != "RFID":
            self._complain(request, "not the type of a card")
        place = await request.json()
        if "location_id" not in place:
            self._complain(request, "does not say where")
        self.questions.append((uid, place))
        while self.mute:
            await asyncio.sleep(0.02)
        token = next((token for token in self.tokens if token["uid"] == uid), None)
        if token is None:
            return _error(404, 2004)
        answer = {"allowed": self.allowed, "token": token, "location": place}
        if self.allowed == "ALLOWED":
            answer["authorization_reference"] = f"REF-{uid}"
        return _ok({**answer, "info": {"language": "en", "text": f"said {self.allowed}"}})

    # --- what we are told ---------------------------------------------------------------------

    async def _result(self, request: Request) -> Response:
        body = await request.json()
        if not isinstance(body.get("result"), str):
            self._complain(request, "a result without `result`")
        self.results[request.path_params["name"]].append(Result(body, time.monotonic()))
        return _ok(None)

    async def _active_profile(self, request: Request) -> Response:
        body = await request.json()
        if not {"start_date_time", "charging_profile"} <= body.keys():
            self._complain(request, "not an ActiveChargingProfile")
        self.active_profiles[request.path_params["id"]].append(body)
        return _ok(None)

    async def _cdr(self, request: Request) -> Response:
        body = await request.json()
        self._complete(request, "cdrs", body)
        self.objects["cdrs", body["id"]].append(body)
        return _ok(None, 201, {"Location": f"{self.base_url}/cdrs/{body['id']}"})

    async def _kept_cdr(self, request: Request) -> Response:
        kept = self.objects.get(("cdrs", request.path_params["id"]))
        return _ok(kept[-1]) if kept else _error(404, 2000)

    async def _object(self, request: Request) -> Response:
        named = request.path_params
        module, object_id = named["module"], named["id"]
        states = self.objects.get((module, object_id))
        if request.method == "GET":
            return _ok(states[-1]) if states else _error(404, 2003)
        if request.method == "DELETE":
            self.objects.pop((module, object_id), None)
            return _ok(None)
        body = await request.json()
        if "last_updated" not in body:
            self._complain(request, "no last_updated")
        if "evse" in named:
            if states is None:
                return _error(404, 2003)
            body = _with_evse(states[-1], named["evse"], body)
        elif request.method == "PATCH":
            if states is None:
                return _error(404, 2003)
            body = {**states[-1], **body}
        identity = (named["country"], named["party"], object_id)
        if identity != tuple(body.get(name) for name in _IDENTITY):
            self._complain(request, "URL and object name different things")
        self._complete(request, module, body)
        self.objects[module, object_id].append(body)
        for evse in body.get("evses", ()) if module == "locations" else ():
            if self.evse_states[evse["uid"]][-1:] != [evse["status"]]:
                self.evse_states[evse["uid"]].append(evse["status"])
        return _ok(None, 200 if states else 201)

    # --- judging ------------------------------------------------------------------------------

    def _open(self, handler: Callable[[Request], Awaitable[Response]]) -> Any:
        """For the handshake: authenticated, without routing headers."""

        async def handle(request: Request) -> Response:
            if not self._authenticated(request):
                self._complain(request, "not the token that it was given")
                return _error(401, 2001)
            self._check_ids(request)
            return await handler(request)

        return handle

    def _checked(self, handler: Callable[[Request], Awaitable[Response]]) -> Any:
        """For functional modules: routing headers, too."""

        async def judged(request: Request) -> Response:
            sender = _party(request, "from")
            if sender != CPO_PARTY:
                self._complain(request, f"from {sender}")
            if _party(request, "to") not in (self.party, (None, None)):
                self._complain(request, f"to {_party(request, 'to')}")
            if request.method in ("POST", "PUT", "PATCH"):
                if not request.headers.get("content-type", "").startswith("application/json"):
                    self._complain(request, "not application/json")
                try:
                    json.loads(await request.body())
                except ValueError:
                    self._complain(request, "not JSON")
                    return _error(400, 2001)
            if self.broken:
                return _error(500, 3000)
            return await handler(request)

        return self._open(judged)

    def _authenticated(self, request: Request) -> bool:
        expected = base64.b64encode(self.token.encode()).decode()
        return request.headers.get("authorization") == f"Token {expected}"

    def _check_ids(self, request: Request) -> None:
        request_id = request.headers.get("x-request-id")
        if not request_id or not request.headers.get("x-correlation-id"):
            self._complain(request, "without its ids")
        elif request_id in self._request_ids:
            self._complain(request, "a request id twice")
        else:
            self._request_ids.add(request_id)

    def _complete(self, request: Request, module: str, body: Json) -> None:
        missing = [name for name in _REQUIRED[module] if body.get(name) is None]
        if missing:
            self._complain(request, f"without {', '.join(missing)}")

    def _complain(self, request: Request, what: str) -> None:
        self.complaints.append(f"{request.method} {request.url.path}: {what}")


def _with_evse(location: Json, uid: str, news: Json) -> Json:
    evses = [{**evse, **news} if evse["uid"] == uid else evse for evse in location.get("evses", ())]
    return {**location, "evses": evses, "last_updated": news.get("last_updated")}


def _party(request: Request, which: str) -> tuple[str | None, str | None]:
    return tuple(  # type: ignore[return-value]
        request.headers.get(f"ocpi-{which}-{name}") for name in ("country-code", "party-id")
    )


def _ok(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"status_code": 1000, "timestamp": _now(), "data": data}, status, headers)


def _error(status: int, code: int) -> Response:
    body = {"status_code": code, "status_message": "refused", "timestamp": _now()}
    return JSONResponse(body, status)


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextlib.contextmanager
def emsp_serving(loop: Loop, party: tuple[str, str]) -> Iterator[EmspServer]:
    """The eMSP on a free loopback port while the block runs."""
    listening = listener()
    server = EmspServer(party, url_of(listening))
    with served(server.app(), loop, listening):
        yield server
