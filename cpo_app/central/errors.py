"""Central's own routes (`/cp/...`): bounded, in time, and every failure ends in the one shape.

Never a traceback, never a value that the caller sent. OCPI's envelope is another room's business.
"""

import asyncio
import contextlib
import inspect
import json
import logging
import random
import sys
from collections.abc import Awaitable, Callable, Coroutine
from functools import lru_cache
from typing import NamedTuple

import orjson
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from auth.charge_point_access import ChargePointRefused
from cpo_app.bounded_body import bounded_body, replayed
from cpo_app.central.door import Overloaded
from cpo_app.central.meter_bodies import meters_of
from cpo_app.central.wire import HeartbeatBody, TelemetryBody
from cpo_app.http_errors import (
    RETRY_AFTER,
    STORE_AWAY,
    HttpError,
    answer_of,
    error_answer,
    problems_of,
)
from cpo_app.late_route import LateRoute
from cpo_app.log_ids import CORRELATION_HEADER, bound, usable_id
from cpo_app.operator_guard import NotTheOperator
from db_interface.database import STORE_ERRORS
from domain.operators.actor import Actor, acting_as
from domain.secrets import SecretUnusable

logger = logging.getLogger("cpo.central")

MAX_BODY_BYTES = 1_000_000
MAX_STRANGERS_BODY_BYTES = 32_768
"""Of whoever shows no token where none is needed: parsed, a body takes twenty times its size. An
engine whose batch is refused as too large sends a smaller one."""
ANSWER_WITHIN_S = 9.0
"""Monitors and engines wait for 10 s: what takes longer is done for nobody, and asked for again."""

SAME_AGAIN: tuple[type[BaseModel], ...] = (HeartbeatBody,)
"""Bodies that mostly say what they said the last time."""
KEPT_BODIES = 10_000
MAX_KEPT_BODY_BYTES = 256
MAX_QUICK_BODY_BYTES = 16_384
"""Of what holds many values orjson takes twice the memory that json does, and a stranger's body may
be larger than this."""

Handler = Callable[[Request], Coroutine[object, object, Response]]
BodyHandler = Callable[[Request, bytes], Coroutine[object, object, Response]]


class Admitted(NamedTuple):
    """Who sends a request, as far as it says so, and how many bytes its body may have."""

    actor: Actor | None
    limit: int = MAX_BODY_BYTES


Look = Callable[[Request], Awaitable[Admitted]]
"""Raises for who may not come in."""


class CentralRoute(LateRoute):
    """A route whose every failure ends in Central's shape, whatever application it stands in.

    `look_first` sees the request before its body is read, and raises for who may not come in.
    What is done is done by whoever it finds.

    An endpoint of `(body, request)`, as charge points' are, is called straight: what FastAPI works
    out for every request anew costs more than all that such an endpoint does. The route stands in
    the docs as every other does.
    """

    look_first: Look | None = None

    def get_route_handler(self) -> Handler:
        handle = self._straight() or self._round_about(super().get_route_handler())

        async def answer(request: Request) -> Response:
            given = usable_id(request.headers.get(CORRELATION_HEADER))
            with bound(request_id=f"{random.getrandbits(128):032x}", correlation_id=given):
                return await in_one_shape(request)

        async def in_one_shape(request: Request) -> Response:
            try:
                who = Admitted(None) if self.look_first is None else await self.look_first(request)
                body = await bounded_body(request, who.limit)
                with contextlib.nullcontext() if who.actor is None else acting_as(who.actor):
                    return await _in_time(handle(request, body))
            except ClientDisconnect:
                return Response(status_code=400)  # nobody is there to read it
            except Exception as error:
                return answer_to(error)

        return answer

    @staticmethod
    def _round_about(handle: Handler) -> BodyHandler:
        async def handle_whole(request: Request, body: bytes) -> Response:
            return await handle(Request(request.scope, replayed(body)))

        return handle_whole

    def _straight(self) -> BodyHandler | None:
        endpoint, field = self.endpoint, self.body_field
        if list(inspect.signature(endpoint).parameters) != ["body", "request"] or field is None:
            return None
        model: type[BaseModel] = field.type_

        async def handle(request: Request, raw: bytes) -> Response:
            return JSONResponse(await endpoint(read_body(model, raw), request))

        return handle


async def _in_time(answering: Coroutine[object, object, Response]) -> Response:
    """Raises asyncio.TimeoutError."""
    if sys.version_info < (3, 11):
        return await asyncio.wait_for(answering, ANSWER_WITHIN_S)
    # No task of its own, of which a fleet would make hundreds a second.
    async with asyncio.timeout(ANSWER_WITHIN_S):
        return await answering


def read_body(model: type[BaseModel], raw: bytes) -> BaseModel:
    """Raises HttpError 400 that names the fields which are wrong."""
    if model in SAME_AGAIN and len(raw) <= MAX_KEPT_BODY_BYTES:
        return _read_before(model, raw)
    return _read(model, raw)


def _read(model: type[BaseModel], raw: bytes) -> BaseModel:
    try:
        told = _plain(raw)
        known = meters_of(told) if model is TelemetryBody else None
        return known or model.parse_obj(told)
    except ValidationError as error:
        raise HttpError(400, problems_of(error.errors())) from None
    except (ValueError, RecursionError):
        raise HttpError(400, "body: not valid JSON") from None


_read_before = lru_cache(maxsize=KEPT_BODIES)(_read)
"""The same bytes mean the same, and what they mean is nobody's to change."""


def _plain(raw: bytes) -> object:
    if len(raw) > MAX_QUICK_BODY_BYTES:
        return json.loads(raw)
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        # What orjson is too strict for, such as half of a character.
        return json.loads(raw)


def looking_first(look: Look) -> type[CentralRoute]:
    """CentralRoute for a router whose requests all have to pass `look`."""

    class LookingFirst(CentralRoute):
        look_first = staticmethod(look)

    return LookingFirst


def answer_to(error: Exception) -> Response:
    """The answer for an error of any kind; unforeseen ones are logged with their traceback."""
    if isinstance(error, NotTheOperator):
        return error_answer(error.http_status, error.detail, dict(error.headers))
    if isinstance(error, ChargePointRefused):
        challenge = {"WWW-Authenticate": "Bearer"} if error.http_status == 401 else None
        return error_answer(error.http_status, error.message, challenge)
    if isinstance(error, Overloaded):
        return error_answer(503, str(error), {"Retry-After": str(error.retry_after_s)})
    if isinstance(error, RequestValidationError):
        return error_answer(400, problems_of(error.errors()))
    if isinstance(error, HTTPException):
        return answer_of(error)
    if isinstance(error, SecretUnusable):
        logger.error("a secret is not usable: %s", error)
        return error_answer(503, "EV_Central is not set up: see /readyz")
    if isinstance(error, (*STORE_ERRORS, asyncio.TimeoutError)):
        logger.warning("the store does not answer: %s", type(error).__name__)
        return error_answer(503, STORE_AWAY, RETRY_AFTER)
    logger.error("unforeseen error", exc_info=error)
    return error_answer(500, "internal error")
