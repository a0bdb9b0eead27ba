"""The one envelope of every answer (OCPI 2.2.1, transport_and_format 4.1.7), as bytes.

The only place where answers are put together; `data` arrives rendered, nothing is re-encoded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone

import orjson
from starlette.responses import Response

MEDIA_TYPE = "application/json"


def answer(
    data: bytes | None = None,
    *,
    http_status: int = 200,
    status_code: int = 1000,
    message: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An OCPI answer; `data` is JSON bytes, left out when None."""
    return Response(
        content=envelope(data, status_code, message),
        status_code=http_status,
        headers=None if headers is None else dict(headers),
        media_type=MEDIA_TYPE,
    )


def envelope(data: bytes | None, status_code: int, message: str | None) -> bytes:
    """{data?, status_code, status_message?, timestamp} as JSON bytes."""
    tail = b'"status_code":%d,' % status_code
    if message is not None:
        # The text's string type: printable, at most 255 signs.
        printable = "".join(sign if sign.isprintable() else " " for sign in message)
        tail += b'"status_message":' + orjson.dumps(printable[:255]) + b","
    tail += b'"timestamp":"' + now_text().encode() + b'"}'
    return b"{" + tail if data is None else b'{"data":' + data + b"," + tail


def joined(objects: Iterable[bytes]) -> bytes:
    """A JSON list of rendered objects."""
    return b"[" + b",".join(objects) + b"]"


def now_text() -> str:
    """The present in the wire form: UTC, milliseconds, Z."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
