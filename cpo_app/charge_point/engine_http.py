"""The engine's HTTP face: /health, /link, /command, /active_profile, /sim.

Parses, checks who asks, calls. Nobody commands without Central's key, and nobody sets Central's
key without the link key: there is no trust on first use. Keys are compared in constant time and
before the body is read.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cpo_app.charge_point.central_link import Link
from cpo_app.charge_point.commands import Command
from cpo_app.charge_point.profile import active_profile
from cpo_app.charge_point.simulation import SimAction
from cpo_app.charge_point.states import Refused

if TYPE_CHECKING:
    from cpo_app.charge_point.engine import Engine

logger = logging.getLogger(__name__)

_MAX_BODY_BYTES = 256 * 1024
_MAX_PROFILE_S = 366 * 86400

Body = TypeVar("Body", bound=BaseModel)


class _HttpError(Exception):
    def __init__(self, status: int, error: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.error = error


def build_app(engine: Engine) -> Starlette:
    async def health(request: Request) -> Response:
        facts = engine.health()
        return JSONResponse(facts, 200 if facts["status"] == "ok" else 503)

    async def link(request: Request) -> Response:
        _require(request, engine.link_key)
        handed_over = await _body(request, Link)
        if handed_over.cp_id != engine.settings.cp_id:
            raise _HttpError(409, "wrong_charge_point", f"this is {engine.settings.cp_id}")
        engine.link.take(handed_over)
        return JSONResponse({"status": "ok", "cp_id": engine.settings.cp_id})

    async def command(request: Request) -> Response:
        _require(request, engine.link.command_key)
        return JSONResponse(engine.desk.carry_out(await _body(request, Command)))

    async def profile(request: Request) -> Response:
        _require(request, engine.link.command_key)
        session = engine.evse.session
        if session is None or session.session_id != request.query_params.get("session_id"):
            raise _HttpError(404, "UNKNOWN_SESSION", "no such session runs here")
        duration = request.query_params.get("duration_s", "")
        if not duration.isascii() or not duration.isdigit():
            raise _HttpError(400, "bad_request", "duration_s: whole seconds are needed")
        duration_s = min(int(duration[:12]), _MAX_PROFILE_S)
        supply = engine.evse.meter.supply
        return JSONResponse(active_profile(session.limit, supply, engine.clock.now(), duration_s))

    async def sim(request: Request) -> Response:
        if not (engine.settings.simulation and _from_this_host(request)):
            _require(request, engine.link_key)
        action = await _body(request, SimAction)
        try:
            return JSONResponse(await engine.simulation.play(action))
        except Refused as error:
            raise _HttpError(409, "refused", str(error)) from None
        except ValueError as error:
            raise _HttpError(400, "bad_request", str(error)) from None

    return Starlette(
        routes=[
            Route("/health", _answering(health), methods=["GET"]),
            Route("/link", _answering(link), methods=["PUT"]),
            Route("/command", _answering(command), methods=["POST"]),
            Route("/active_profile", _answering(profile), methods=["GET"]),
            Route("/sim", _answering(sim), methods=["POST"]),
        ]
    )


def _answering(
    handler: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except _HttpError as error:
            return JSONResponse({"error": error.error, "detail": str(error)}, error.status)

    return answer


def _require(request: Request, key: str | None) -> None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    known = scheme.lower() == "bearer" and key is not None
    if not known or not hmac.compare_digest(given.strip().encode(), (key or "").encode()):
        raise _HttpError(401, "unauthorized", "the right key is needed")


def _from_this_host(request: Request) -> bool:
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


async def _body(request: Request, model: type[Body]) -> Body:
    # A page in a browser on this host cannot send this type without being asked first (CORS).
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise _HttpError(415, "unsupported_media_type", "application/json is needed")
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > _MAX_BODY_BYTES:
            raise _HttpError(413, "too_large", f"at most {_MAX_BODY_BYTES} bytes")
    try:
        data: Any = json.loads(raw)
        return model.parse_obj(data)
    except ValidationError as error:
        # Locations and messages only: the values may be secrets.
        detail = "; ".join(
            f"{'.'.join(str(part) for part in row['loc'])}: {row['msg']}" for row in error.errors()
        )
        raise _HttpError(400, "bad_request", detail) from None
    except (ValueError, RecursionError):
        raise _HttpError(400, "bad_request", "malformed JSON") from None
