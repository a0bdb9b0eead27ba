"""How what was raised becomes an answer; the only place that knows both sides.

A bug of ours answers OCPI 3000 under an id that stands with the traceback in the log.
"""

from __future__ import annotations

import logging
import uuid

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from py_ocpi.core.exceptions import AuthorizationOCPIError, NotFoundOCPIError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match

from cpo_app.ocpi.server.context import version_of_scope
from cpo_app.ocpi.server.envelope import answer
from db_interface.database import STORE_ERRORS
from domain.errors import (
    InvalidParameters,
    MalformedJson,
    MethodNotAllowed,
    NotAuthorized,
    NotFound,
    OcpiError,
    StoreDown,
    TooManyRequests,
)
from domain.peers.peer_document import UnknownPeer
from domain.schemas import SchemaError
from domain.versions import INNER_VERSION, OcpiVersion, Unconvertible

logger = logging.getLogger("cpo.ocpi")


def error_answer(error: Exception, version: OcpiVersion = INNER_VERSION) -> Response:
    """The envelope for anything that was raised while a request of that version was handled."""
    known = _as_ocpi_error(error)
    headers = {"WWW-Authenticate": "Token"} if known.http_status == 401 else None
    if isinstance(known, TooManyRequests):
        headers = {"Retry-After": str(known.retry_after_s)}
    if isinstance(known, StoreDown):
        headers = {"Retry-After": "5"}
    return answer(
        http_status=known.http_status,
        status_code=version.description.status_code(known.status_code),
        message=str(known),
        headers=headers,
    )


def install(app: FastAPI) -> None:
    """Let every exception of the app end in an envelope."""

    async def handle(request: Request, error: Exception) -> Response:
        response = error_answer(error, version_of_scope(request.scope))
        if response.status_code == 405:
            response.headers["Allow"] = _other_methods(request)
        return response

    for kind in (
        OcpiError,
        SchemaError,
        Unconvertible,
        AuthorizationOCPIError,
        NotFoundOCPIError,
        UnknownPeer,
        ClientDisconnect,
        RequestValidationError,
        HTTPException,
        *STORE_ERRORS,
    ):
        app.add_exception_handler(kind, handle)


def _as_ocpi_error(error: Exception) -> OcpiError:
    if isinstance(error, OcpiError):
        return error
    if isinstance(error, SchemaError | Unconvertible):
        return InvalidParameters(str(error))
    if isinstance(error, AuthorizationOCPIError | UnknownPeer):
        # UnknownPeer: removed by the operator after the gate had let it in.
        return NotAuthorized()
    if isinstance(error, NotFoundOCPIError):
        return NotFound()
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        return InvalidParameters(f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}")
    if isinstance(error, HTTPException):
        return _of_http(error)
    if isinstance(error, STORE_ERRORS):
        logger.warning("the store does not answer: %s", type(error).__name__)
        return StoreDown()
    if isinstance(error, ClientDisconnect):
        return MalformedJson("The body ended early")
    return _bug(error)


def _of_http(error: HTTPException) -> OcpiError:
    if error.status_code == 404:
        return NotFound("There is nothing under this path")
    if error.status_code == 405:
        return MethodNotAllowed()
    known = OcpiError(str(error.detail))
    known.http_status = error.status_code
    return known


def _other_methods(request: Request) -> str:
    """What this path takes beside the method that was refused (RFC 9110, 15.5.6)."""
    methods: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            methods |= getattr(route, "methods", None) or set()
    return ", ".join(sorted(methods - {request.method}))


def _bug(error: Exception) -> OcpiError:
    number = uuid.uuid4().hex[:12]
    logger.error("unexpected error %s", number, exc_info=error)
    bug = OcpiError(f"Internal error; please report the id {number}")
    bug.status_code = 3000
    return bug
