"""How the eMSP answers: OCPI envelopes, message ids that come back, errors by the text."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from domain.times import format_datetime, utc_now

UNKNOWN_OBJECT, UNKNOWN_LOCATION, UNKNOWN_TOKEN = 2000, 2003, 2004


class Refusal(Exception):
    """What is wrong with a request; `str()` is the status message."""

    def __init__(self, http: int, code: int, message: str) -> None:
        super().__init__(message)
        self.http = http
        self.code = code


def envelope(
    request: Request, data: object = None, *, code: int = 1000, message: str = "", http: int = 200
) -> Response:
    body: dict[str, object] = {"status_code": code, "timestamp": format_datetime(utc_now())}
    if data is not None:
        body["data"] = data
    if message:
        body["status_message"] = message
    answer = JSONResponse(body, http)
    for name in ("X-Request-ID", "X-Correlation-ID"):
        if name in request.headers:
            answer.headers[name] = request.headers[name]
    for asked, answered in (("to", "from"), ("from", "to")):
        for part in ("country-code", "party-id"):
            if value := request.headers.get(f"OCPI-{asked}-{part}"):
                answer.headers[f"OCPI-{answered}-{part}"] = value
    return answer


def refused(request: Request, refusal: Refusal) -> Response:
    return envelope(request, code=refusal.code, message=str(refusal), http=refusal.http)


def bad(message: str, http: int = 200) -> Refusal:
    """OCPI 2001: invalid or missing parameters."""
    return Refusal(http, 2001, message)
