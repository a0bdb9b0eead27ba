"""The engine's HTTP face: /health, /link, /command, /active_profile, /sim.

Parses, checks who asks, calls. Nobody commands without Central's key, and nobody sets Central's
key without the link key: there is no trust on first use. Keys are compared in constant time and
before the body is read. What is open without a key is not open to a page in a browser, whatever
name points here.
"""

from __future__ import annotations

import hmac
import json
import logging
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cpo_app.addresses.host_names import can_be_rebound, name_in
from cpo_app.bounded_body import bounded_body
from cpo_app.charge_point.central_link import Link
from cpo_app.charge_point.commands import Command, NotKept
from cpo_app.charge_point.profile import active_profile
from cpo_app.charge_point.simulation import SimAction
from cpo_app.charge_point.states import Refused
from cpo_app.http_errors import HttpError, answer_of, error_answer, problems_of
from cpo_app.log_ids import CORRELATION_HEADER, bound, usable_id
from cpo_app.this_host import is_from_this_host

if TYPE_CHECKING:
    from cpo_app.charge_point.engine import Engine

logger = logging.getLogger(__name__)

_MAX_BODY_BYTES = 256 * 1024
_MAX_ACTION_BYTES = 4096
_MAX_PROFILE_S = 366 * 86400

Body = TypeVar("Body", bound=BaseModel)


def build_app(engine: Engine) -> Starlette:
    async def health(request: Request) -> Response:
        # A page whose name was made to point here cannot read it; the monitor shows its key.
        if can_be_rebound(name_in(request.headers.get("host", ""))):
            _require(request, engine.link_key)
        facts = engine.health()
        return JSONResponse(facts, 200 if facts["status"] == "ok" else 503)

    async def link(request: Request) -> Response:
        _require(request, engine.link_key)
        handed_over = await _body(request, Link)
        if handed_over.cp_id != engine.settings.cp_id:
            raise HttpError(409, f"this is {engine.settings.cp_id}")
        engine.link.take(handed_over)
        return JSONResponse({"status": "ok", "cp_id": engine.settings.cp_id})

    async def command(request: Request) -> Response:
        _require(request, engine.link.command_key)
        asked = await _body(request, Command)
        correlation_id = usable_id(request.headers.get(CORRELATION_HEADER))
        cp_id, command_id = engine.settings.cp_id, usable_id(asked.command_id)
        with bound(correlation_id=correlation_id, cp_id=cp_id, command_id=command_id):
            try:
                return JSONResponse(engine.desk.carry_out(asked))
            except NotKept:
                raise HttpError(503, "the disk does not take it: ask again") from None

    async def profile(request: Request) -> Response:
        _require(request, engine.link.command_key)
        session = engine.evse.session
        if session is None or session.session_id != request.query_params.get("session_id"):
            raise HttpError(404, "no such session runs here", error="UNKNOWN_SESSION")
        duration = request.query_params.get("duration_s", "")
        if not duration.isascii() or not duration.isdigit():
            raise HttpError(400, "duration_s: whole seconds are needed")
        duration_s = min(int(duration[:12]), _MAX_PROFILE_S)
        supply = engine.evse.meter.supply
        return JSONResponse(active_profile(session.limit, supply, engine.clock.now(), duration_s))

    async def sim(request: Request) -> Response:
        if not (engine.settings.simulation and is_from_this_host(request)):
            _require(request, engine.link_key)
        action = await _body(request, SimAction, _MAX_ACTION_BYTES)
        try:
            return JSONResponse(await engine.simulation.play(action))
        except Refused as error:
            raise HttpError(409, str(error)) from None
        except ValueError as error:
            raise HttpError(400, str(error)) from None

    return Starlette(
        routes=[
            Route("/health", health, methods=["GET"]),
            Route("/link", link, methods=["PUT"]),
            Route("/command", command, methods=["POST"]),
            Route("/active_profile", profile, methods=["GET"]),
            Route("/sim", sim, methods=["POST"]),
        ],
        exception_handlers={
            HTTPException: _failed,
            ClientDisconnect: _failed,
            Exception: _failed,
        },
    )


async def _failed(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        return answer_of(error)
    if isinstance(error, ClientDisconnect):
        return Response(status_code=400)  # nobody is there to read it
    # Starlette raises it again behind this answer: the server logs the traceback.
    return error_answer(500, "internal error")


def _require(request: Request, key: str | None) -> None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    known = scheme.lower() == "bearer" and key is not None
    if not known or not hmac.compare_digest(given.strip().encode(), (key or "").encode()):
        raise HttpError(401, "the right key is needed")


async def _body(request: Request, model: type[Body], limit_bytes: int = _MAX_BODY_BYTES) -> Body:
    # A page in a browser on this host cannot send this type without being asked first (CORS).
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HttpError(415, "application/json is needed")
    raw = await bounded_body(request, limit_bytes)
    try:
        data: object = json.loads(raw)
        return model.parse_obj(data)
    except ValidationError as error:
        raise HttpError(400, problems_of(error.errors())) from None
    except (ValueError, RecursionError):
        raise HttpError.bad_field("body", "not valid JSON") from None
