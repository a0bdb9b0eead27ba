"""A request's body, up to a limit: the one loop that reads what somebody sends us.

Refused before the first byte where Content-Length announces too much, and else as soon as more
has come than may.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from cpo_app.http_errors import HttpError


def too_large(limit_bytes: int) -> Exception:
    """413 in the shape of our own services."""
    return HttpError(413, f"body: larger than {limit_bytes} bytes")


def bounded_receive(
    scope: Scope,
    receive: Receive,
    limit_bytes: int,
    refusal: Callable[[int], Exception] = too_large,
) -> Receive:
    """`receive` of an HTTP request, which raises `refusal(limit_bytes)` beyond the limit.

    Raises it at once, too, where the request itself says that it is too large.
    """
    announced = _content_length(scope)
    if announced is not None and announced > limit_bytes:
        raise refusal(limit_bytes)
    taken = 0

    async def receive_bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit_bytes:
            raise refusal(limit_bytes)
        return message

    return receive_bounded


async def bounded_body(
    request: Request, limit_bytes: int, refusal: Callable[[int], Exception] = too_large
) -> bytes:
    """The whole body. Raises `refusal(limit_bytes)`, or ClientDisconnect."""
    bounded = bounded_receive(request.scope, request.receive, limit_bytes, refusal)
    return await Request(request.scope, bounded).body()


def replayed(body: bytes) -> Receive:
    """A body that has been read, for whoever reads it next."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _content_length(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        # Digits beyond these are far beyond any limit, and slow to read as a number.
        if name == b"content-length" and value.isdigit():
            return int(value[:19])
    return None
