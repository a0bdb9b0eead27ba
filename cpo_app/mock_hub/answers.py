"""How the hub answers: the OCPI envelope, ids echoed, routing headers swapped, hub errors."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from cpo_app.mock_hub.clients import Party, now_text

UNKNOWN_RECEIVER, NOT_CONNECTED = 4001, 4003
"""Status codes of hubs (status_codes, 4xxx)."""


def envelope(
    request: Request, data: Any = None, code: int = 1000, message: str = "", http: int = 200
) -> Response:
    body = {"status_code": code, "timestamp": now_text()}
    if data is not None:
        body["data"] = data
    if message:
        body["status_message"] = message
    answer = JSONResponse(body, http)
    for name in ("X-Request-ID", "X-Correlation-ID"):
        if name in request.headers:
            answer.headers[name] = request.headers[name]
    _swap(request, answer)
    return answer


def party_in(request: Request, which: str) -> Party | None:
    """OCPI-from or OCPI-to, in upper case."""
    country_code = request.headers.get(f"OCPI-{which}-country-code")
    party_id = request.headers.get(f"OCPI-{which}-party-id")
    return (country_code.upper(), party_id.upper()) if country_code and party_id else None


def token_in(request: Request) -> str | None:
    """The credentials token that was presented, decoded; None where there is none."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "token":
        return None
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _swap(request: Request, answer: Response) -> None:
    for ours, theirs in (("from", "to"), ("to", "from")):
        for part in ("country-code", "party-id"):
            value = request.headers.get(f"OCPI-{theirs}-{part}")
            if value is not None:
                answer.headers[f"OCPI-{ours}-{part}"] = value
