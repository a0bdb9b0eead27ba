"""The one envelope of every answer (OCPI 2.2.1, transport_and_format 4.1.7), as bytes.

The only place where answers are put together; `data` arrives rendered, nothing is re-encoded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import orjson
from starlette.responses import Response

from domain.times import format_datetime, utc_now

MEDIA_TYPE = "application/json"


def answer(
    data: bytes | Sequence[bytes] | None = None,
    *,
    http_status: int = 200,
    status_code: int = 1000,
    message: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An OCPI answer; `data` is JSON bytes, or a list of such objects; left out when None."""
    return Response(
        content=envelope(data, status_code, message),
        status_code=http_status,
        headers=None if headers is None else dict(headers),
        media_type=MEDIA_TYPE,
    )


def envelope(data: bytes | Sequence[bytes] | None, status_code: int, message: str | None) -> bytes:
    """{data?, status_code, status_message?, timestamp} as JSON bytes.

    A message is cut at 255 characters, the longest that the text's string type takes there.
    """
    status = _status(status_code, None if message is None else message[:255])
    tail = b'%b"timestamp":"%b"}' % (status, format_datetime(utc_now()).encode())
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


@lru_cache(maxsize=64)
def _status(status_code: int, message: str | None) -> bytes:
    """The two status fields, with a comma behind each; nearly every answer has the same."""
    fields = b'"status_code":%d,' % status_code
    if message is None:
        return fields
    # The text's string type: printable.
    printable = "".join(sign if sign.isprintable() else " " for sign in message)
    return fields + b'"status_message":' + orjson.dumps(printable) + b","
