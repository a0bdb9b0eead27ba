"""What the gateway's port answers to plain HTTP: is it alive, is it ready, what has it counted.

`/metrics` is for the operator's people and keys, as at the main server.
"""

from __future__ import annotations

import base64
import binascii
import http
from collections.abc import Callable

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from auth.operator_access import Door, NotLetIn, OperatorAccess
from cpo_app.exposition import exposed
from db_interface.database import STORE_ERRORS

_NO_LEASE = b'{"ready": false, "missing": ["lease"]}'


class HttpAnswers:
    """`ready`: whether the process holds its lease."""

    def __init__(self, access: OperatorAccess, ready: Callable[[], bool]) -> None:
        self._access = access
        self._ready = ready

    async def answer(self, request: Request, address: str) -> Response | None:
        """None: it is no such path."""
        path = request.path.partition("?")[0]
        if path == "/healthz":
            return answered(200, b'{"status": "ok"}', "application/json")
        if path == "/readyz":
            ready = self._ready()
            said = b'{"ready": true, "missing": []}' if ready else _NO_LEASE
            return answered(200 if ready else 503, said, "application/json")
        if path == "/metrics":
            return await self._metrics(request, address)
        return None

    async def _metrics(self, request: Request, address: str) -> Response:
        try:
            await self._who(request, address)
        except NotLetIn as refusal:
            challenge = {"WWW-Authenticate": 'Basic realm="operator", Bearer realm="operator"'}
            more = challenge if refusal.http_status == 401 else {}
            return answered(refusal.http_status, refusal.detail.encode() + b"\n", more=more)
        except STORE_ERRORS:
            return answered(503, b"the store cannot say who you are\n", more={"Retry-After": "2"})
        body, content_type = exposed(request.headers.get("Accept", ""))
        return answered(200, body, content_type, {"Cache-Control": "no-store"})

    async def _who(self, request: Request, address: str) -> None:
        """Raises NotLetIn."""
        scheme, _, given = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() == "bearer":
            await self._access.by_key(given.strip(), address, Door.METRICS)
        elif scheme.lower() == "basic":
            try:
                shown = base64.b64decode(given.strip(), validate=True).decode()
            except (binascii.Error, ValueError):
                raise NotLetIn(401, "the Authorization header cannot be read") from None
            name, _, password = shown.partition(":")
            await self._access.by_password(name, password, address)
        else:
            raise NotLetIn(401, "the operator's name and password, or an API key, are needed")


def answered(
    status: int,
    body: bytes,
    content_type: str = "text/plain; charset=utf-8",
    more: dict[str, str] | None = None,
) -> Response:
    headers = Headers(
        {
            "Content-Type": content_type,
            "Content-Length": str(len(body)),
            "Connection": "close",
            **(more or {}),
        }
    )
    return Response(status, http.HTTPStatus(status).phrase, headers, body)
