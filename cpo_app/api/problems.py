"""Every error of the API is a problem (RFC 9457): `{"type", "title", "status", "detail"}`.

`detail` is one line for people: what and where. Never a traceback, never a secret.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from http import HTTPStatus

import orjson
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cpo_app.actions.action import Refused
from cpo_app.http_errors import RETRY_AFTER, STORE_AWAY, problems_of
from cpo_app.operator_guard import NotTheOperator
from db_interface.database import STORE_ERRORS
from db_interface.json_data import JsonObject
from domain.exchanges.search_keys import BadSearch
from domain.listing.filters import BadFilter
from domain.objects.finding import NotFoundById
from domain.paging import BadCursor

logger = logging.getLogger("cpo.api")

MEDIA_TYPE = "application/problem+json"


PROBLEM: JsonObject = {
    "title": "Problem (RFC 9457)",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "The status in words"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What and where, in one line"},
    },
}
"""Its JSON Schema."""


def body_of(status: int, detail: str) -> JsonObject:
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "detail": detail}


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    body = orjson.dumps(body_of(status, detail))
    return Response(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def problem_of(error: Exception) -> Response:
    """What is answered for an error, whichever it is."""
    if isinstance(error, NotTheOperator):
        return problem(error.http_status, error.detail, error.headers)
    if isinstance(error, Refused):
        return problem(error.http_status, str(error))
    if isinstance(error, (RequestValidationError, ValidationError)):
        return problem(422, problems_of(error.errors()))
    if isinstance(error, BadFilter) and error.unknown:
        return problem(400, str(error))
    if isinstance(error, (BadCursor, BadFilter, BadSearch)):
        return problem(422, str(error))
    if isinstance(error, NotFoundById):
        return problem(404, str(error))
    if isinstance(error, HTTPException):
        return problem(error.status_code, str(error.detail), error.headers)
    if isinstance(error, (*STORE_ERRORS, asyncio.TimeoutError)):
        return problem(503, STORE_AWAY, RETRY_AFTER)
    logger.error("unforeseen error", exc_info=error)
    return problem(500, "internal error: the log of this server says more")
