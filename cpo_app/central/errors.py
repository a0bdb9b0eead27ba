"""How Central's own routes (`/cp/...`) say that something went wrong: one place, one shape.

`{"error", "detail", "timestamp"}`: never a traceback, never a value that the caller sent.
OCPI's envelope is another room's business.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime, timezone
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import Message

from auth.charge_point_access import ChargePointRefused
from cpo_app.operator_guard import NotTheOperator
from db_interface.database import STORE_ERRORS
from domain.secrets import SecretUnusable

logger = logging.getLogger("cpo.central")

MAX_BODY_BYTES = 1_000_000
ANSWER_WITHIN_S = 30.0
_NAMES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    501: "not_implemented",
    503: "unavailable",
}

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class CentralError(Exception):
    """A request that cannot be done; `detail` goes to the caller."""

    def __init__(
        self, http_status: int, detail: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.http_status = http_status
        self.detail = detail
        self.headers = headers


class CentralRoute(APIRoute):
    """A route whose every failure ends in Central's shape, whatever application it stands in."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                bounded = Request(request.scope, _bounded(request))
                return await asyncio.wait_for(handle(bounded), ANSWER_WITHIN_S)
            except Exception as error:
                return error_answer(error)

        return answer


def error_answer(error: Exception) -> Response:
    """The answer for an error of any kind; unforeseen ones are logged with their traceback."""
    if isinstance(error, CentralError):
        return _answer(error.http_status, error.detail, error.headers)
    if isinstance(error, NotTheOperator):
        return _answer(error.http_status, error.detail, dict(error.headers))
    if isinstance(error, ChargePointRefused):
        challenge = {"WWW-Authenticate": "Bearer"} if error.http_status == 401 else None
        return _answer(error.http_status, error.message, challenge)
    if isinstance(error, RequestValidationError):
        return _answer(400, _named(error))
    if isinstance(error, HTTPException):
        return _answer(error.status_code, str(error.detail))
    if isinstance(error, SecretUnusable):
        logger.error("a secret is not usable: %s", error)
        return _answer(503, "EV_Central is not set up: see /readyz")
    if isinstance(error, (*STORE_ERRORS, asyncio.TimeoutError)):
        logger.warning("the store does not answer: %s", type(error).__name__)
        return _answer(503, "the store cannot be reached at the moment", {"Retry-After": "2"})
    logger.error("unforeseen error", exc_info=error)
    return _answer(500, "internal error")


def _answer(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = {"error": _NAMES.get(status, "internal_error"), "detail": detail, "timestamp": now}
    return JSONResponse(body, status, headers=headers)


def _named(error: RequestValidationError) -> str:
    """Each bad field and what is wrong with it, never its value."""
    problems = []
    for problem in error.errors()[:5]:
        if problem["type"].startswith("value_error.jsondecode"):
            return "the body is not valid JSON"
        # The first part says "body", "query" or "path"; without more it is the body as a whole.
        where = ".".join(str(part) for part in problem["loc"][1:]) or "body"
        problems.append(f"{where}: {problem['msg']}")
    return "; ".join(problems)


def _bounded(request: Request) -> Callable[[], Coroutine[Any, Any, Message]]:
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        message = await request.receive()
        taken += len(message.get("body", b""))
        if taken > MAX_BODY_BYTES:
            raise HTTPException(413, f"the body is larger than {MAX_BODY_BYTES} bytes")
        return message

    return receive
