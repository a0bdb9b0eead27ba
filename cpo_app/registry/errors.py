"""EV_Registry's one error shape, {error, detail, timestamp}, and who gives it.

Every error leaves through here, the router's own 404 and 405 and a crash included. A detail
says what and where; it never repeats a credential or token, and never a traceback.
"""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from db_interface.database import STORE_ERRORS
from domain.schemas import format_datetime

logger = logging.getLogger("cpo.registry")

_PLACES = ("body", "query", "path", "header")
_RETRY_AFTER_S = "2"


class RegistryError(HTTPException):
    """An answer that is not 2xx; `detail` is for whoever called."""

    def __init__(
        self, status: HTTPStatus, detail: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, detail, headers)

    @classmethod
    def bad_field(cls, field: str, problem: str) -> RegistryError:
        return cls(HTTPStatus.BAD_REQUEST, f"{field}: {problem}")

    @classmethod
    def unauthorized(cls, detail: str) -> RegistryError:
        return cls(HTTPStatus.UNAUTHORIZED, detail, {"WWW-Authenticate": "Bearer"})

    @classmethod
    def forbidden(cls, detail: str) -> RegistryError:
        return cls(HTTPStatus.FORBIDDEN, detail)

    @classmethod
    def not_found(cls, cp_id: str) -> RegistryError:
        return cls(HTTPStatus.NOT_FOUND, f"no charge point {cp_id!r} is registered")

    @classmethod
    def not_ready(cls) -> RegistryError:
        return cls(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "the database cannot be reached; try again",
            {"Retry-After": _RETRY_AFTER_S},
        )


def error_answer(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(
        {
            "error": HTTPStatus(status).phrase,
            "detail": detail,
            "timestamp": format_datetime(datetime.now(timezone.utc)),
        },
        status,
        headers,
    )


def problem_of(errors: RequestValidationError) -> str:
    """The first problem as "field: what is wrong"."""
    error = errors.errors()[0]
    path = [str(part) for part in error["loc"]]
    field = ".".join(path[1:] if path[0] in _PLACES and len(path) > 1 else path)
    return f"{field}: {error['msg']}"


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error of `app` in the one shape."""

    async def known(request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers) if error.headers else None
        return error_answer(error.status_code, str(error.detail), headers)

    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return error_answer(HTTPStatus.BAD_REQUEST, problem_of(error))

    async def unreachable(request: Request, error: Exception) -> JSONResponse:
        logger.warning("%s %s: the database cannot be reached", request.method, request.url.path)
        return await known(request, RegistryError.not_ready())

    async def crashed(request: Request, error: Exception) -> JSONResponse:
        # Starlette raises it again behind this answer: the server logs the traceback.
        return error_answer(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error")

    app.add_exception_handler(HTTPException, known)
    app.add_exception_handler(RequestValidationError, invalid)
    for kind in STORE_ERRORS:
        app.add_exception_handler(kind, unreachable)
    app.add_exception_handler(Exception, crashed)
