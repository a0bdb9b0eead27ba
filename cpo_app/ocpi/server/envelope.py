"""The one envelope of every answer (OCPI 2.2.1, transport_and_format 4.1.7), as bytes.

The only place where answers are put together; `data` arrives rendered, nothing is re-encoded.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from functools import lru_cache

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cpo_app.ocpi.server.context import SCOPE_KEY, RequestContext
from domain.times import format_datetime

MEDIA_TYPE = "application/json"
_CONTENT_TYPE = MEDIA_TYPE.encode()


def answer(
    data: bytes | Sequence[bytes] | None = None,
    *,
    http_status: int = 200,
    status_code: int = 1000,
    message: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An OCPI answer; `data` is JSON bytes, or a list of such objects; left out when None."""
    return _Answer(http_status, headers, envelope(data, status_code, message), status_code)


class _Answer(Response):
    """Its headers are written once, and nothing is looked for among them."""

    media_type = MEDIA_TYPE

    def __init__(
        self, http_status: int, headers: Mapping[str, str] | None, body: bytes, ocpi_status: int
    ) -> None:
        self.status_code = http_status
        self._ocpi_status = ocpi_status
        self.background = None
        self.body = body
        self.raw_headers = [
            (b"content-length", b"%d" % len(body)),
            (b"content-type", _CONTENT_TYPE),
        ]
        for name, value in (headers or {}).items():
            self.raw_headers.append((name.lower().encode("latin-1"), value.encode("latin-1")))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context: RequestContext | None = scope.get(SCOPE_KEY)
        if context is not None:
            context.status_code = self._ocpi_status
        await super().__call__(scope, receive, send)


def envelope(data: bytes | Sequence[bytes] | None, status_code: int, message: str | None) -> bytes:
    """{data?, status_code, status_message?, timestamp} as JSON bytes.

    A message is cut at 255 characters, the longest that the text's string type takes there.
    """
    status = _status(status_code, None if message is None else message[:255])
    tail = b'%b"timestamp":"%b"}' % (status, _now())
    if data is None:
        return b"{" + tail
    if isinstance(data, bytes):
        return b"".join((b'{"data":', data, b",", tail))
    if not data:
        return b'{"data":[],' + tail
    # A page is long: it is copied once, into its place.
    parts = list(data)
    parts[0] = b'{"data":[' + parts[0]
    parts[-1] += b"]," + tail
    return b",".join(parts)


def _now() -> bytes:
    """`format_datetime(utc_now())`, of which all but the milliseconds is the same for a second."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    milliseconds = nanoseconds // 1_000_000
    return (
        b"%b.%03dZ" % (_second(seconds), milliseconds) if milliseconds else _second(seconds) + b"Z"
    )


@lru_cache(maxsize=2)
def _second(seconds: int) -> bytes:
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return format_datetime(moment).removesuffix("Z").encode()


@lru_cache(maxsize=64)
def _status(status_code: int, message: str | None) -> bytes:
    """The two status fields, with a comma behind each; nearly every answer has the same."""
    fields = b'"status_code":%d,' % status_code
    if message is None:
        return fields
    # The text's string type: printable.
    printable = "".join(sign if sign.isprintable() else " " for sign in message)
    return fields + b'"status_message":' + orjson.dumps(printable) + b","
