"""How a document is sent: in pieces as they are kept, compressed where the reader takes it, and not
at all where he has it already (RFC 9110, conditional requests).

Open data is read by browsers of all sites, and kept by whatever stands in between for a moment.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timezone
from email.utils import format_datetime as http_date
from email.utils import parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from domain.open_data.edition import Edition, Shape
from domain.open_data.gzip_parts import FAST

MAX_AGE_S = 2
"""How long whatever stands between may give it out without asking."""
SHOWN_TO_SCRIPTS = "ETag, Last-Modified, Link, X-Total-Count, X-Limit, Retry-After"
_WORTH_IT = 1000
"""Shorter bodies go out as they are."""
FOR_ALL = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": SHOWN_TO_SCRIPTS,
    "X-Content-Type-Options": "nosniff",
}
PREFLIGHT = {
    **FOR_ALL,
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "If-None-Match, If-Modified-Since, Accept-Encoding",
    "Access-Control-Max-Age": "86400",
}


def document_answer(request: Request, edition: Edition, filename: str = "") -> Response:
    """The whole document, as a file of that name where one is given."""
    headers = validators(edition.tag, edition.made_at)
    if has_it(request, edition.tag, edition.made_at):
        return Response(status_code=304, headers=headers)
    if filename:
        headers["Content-Disposition"] = f'inline; filename="{filename}"'
    zipped = takes_gzip(request)
    size = sum(map(len, edition.gzipped)) if zipped else edition.size
    headers["Content-Length"] = str(size)
    if zipped:
        headers["Content-Encoding"] = "gzip"
    if request.method == "HEAD":
        return Response(headers={**headers, "Content-Type": edition.shape.media_type})
    return _InPieces(_zipped(edition) if zipped else _plain(edition), headers, edition.shape)


class _InPieces(Response):
    """One piece after the other, as the reader takes them. What he still sends is not listened to:
    the framework's own would read a body in order to hear that he is gone."""

    def __init__(
        self, pieces: AsyncIterator[bytes], headers: Mapping[str, str], shape: Shape
    ) -> None:
        super().__init__(headers=dict(headers), media_type=shape.media_type)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        async for piece in self._pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def bytes_answer(
    request: Request, body: bytes, tag: str, media_type: str, headers: Mapping[str, str]
) -> Response:
    """A small answer, made for this request; `tag`: of all that it says."""
    known = {**validators(tag, None), **headers}
    if has_it(request, tag, None):
        return Response(status_code=304, headers=known)
    if takes_gzip(request) and len(body) >= _WORTH_IT:
        body = gzip.compress(body, FAST)
        known["Content-Encoding"] = "gzip"
    return Response(body, headers=known, media_type=media_type)


def validators(tag: str, changed_at: datetime | None) -> dict[str, str]:
    """The headers that all answers of that content have. The tag is a weak one: the same content
    goes out compressed and as it is."""
    headers = {
        **FOR_ALL,
        "ETag": f'W/"{tag}"',
        "Cache-Control": f"public, max-age={MAX_AGE_S}",
        "Vary": "Accept-Encoding",
    }
    if changed_at is not None:
        headers["Last-Modified"] = http_date(changed_at.astimezone(timezone.utc), usegmt=True)
    return headers


def has_it(request: Request, tag: str, changed_at: datetime | None) -> bool:
    """Whether the reader has this very content. Its tag counts before its date."""
    known = request.headers.get("if-none-match")
    if known is not None:
        tags = (one.strip().removeprefix("W/") for one in known.split(","))
        return known.strip() == "*" or f'"{tag}"' in tags
    since = _date(request.headers)
    if since is None or changed_at is None:
        return False
    return changed_at.replace(microsecond=0) <= since


def takes_gzip(request: Request) -> bool:
    """Whether `Accept-Encoding` names gzip, and not only to refuse it."""
    for one in request.headers.get("accept-encoding", "").lower().split(","):
        name, _, parameters = one.partition(";")
        if name.strip() in ("gzip", "x-gzip", "*"):
            return parameters.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _date(headers: Mapping[str, str]) -> datetime | None:
    text = headers.get("if-modified-since")
    if text is None:
        return None
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=timezone.utc)


async def _zipped(edition: Edition) -> AsyncIterator[bytes]:
    for piece in edition.gzipped:
        yield piece


async def _plain(edition: Edition) -> AsyncIterator[bytes]:
    content = edition.content()
    while piece := await asyncio.to_thread(next, content, None):
        yield piece
