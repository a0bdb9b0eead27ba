"""Who gives EV_Registry's errors; their shape is cpo_app.http_errors'.

Of what a caller does wrong no line is written: strangers call, too.

Every error leaves through here, the router's own 404 and 405 and a crash included.
"""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from cpo_app.http_errors import (
    RETRY_AFTER,
    STORE_AWAY,
    HttpError,
    answer_of,
    error_answer,
    problems_of,
)
from db_interface.database import STORE_ERRORS

logger = logging.getLogger("cpo.registry")


def unauthorized(detail: str) -> HttpError:
    return HttpError(401, detail, {"WWW-Authenticate": "Bearer"})


def not_registered(cp_id: str) -> HttpError:
    return HttpError(404, f"no charge point {cp_id!r} is registered")


def not_ready() -> HttpError:
    return HttpError(503, STORE_AWAY, RETRY_AFTER)


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error of `app` in the one shape."""

    async def known(request: Request, error: HTTPException) -> JSONResponse:
        return answer_of(error)

    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return error_answer(400, problems_of(error.errors()))

    async def unreachable(request: Request, error: Exception) -> JSONResponse:
        logger.warning("the store does not answer: %s", type(error).__name__)
        return answer_of(not_ready())

    async def gone(request: Request, error: Exception) -> Response:
        return Response(status_code=400)  # nobody is there to read it

    async def crashed(request: Request, error: Exception) -> JSONResponse:
        # Starlette raises it again behind this answer: the server logs the traceback.
        return error_answer(500, "internal error")

    app.add_exception_handler(HTTPException, known)
    app.add_exception_handler(RequestValidationError, invalid)
    for kind in STORE_ERRORS:
        app.add_exception_handler(kind, unreachable)
    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(Exception, crashed)
