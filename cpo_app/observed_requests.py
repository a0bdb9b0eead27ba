"""How requests end and how long they take: what every counting of them needs."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

OTHER = "other"
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


async def observed(
    app: ASGIApp, scope: Scope, receive: Receive, send: Send, note: Callable[[int, float], None]
) -> None:
    """Let `app` answer; `note(status, seconds)` however it ends."""
    begun = time.perf_counter()
    status = 500  # of a request that ends without an answer

    async def noting(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        await send(message)

    try:
        await app(scope, receive, noting)
    finally:
        note(status, time.perf_counter() - begun)


def method_of(scope: Scope, otherwise: str = OTHER) -> str:
    """Out of a short list: strangers cannot make new time series."""
    method: str = scope["method"]
    return method if method in _METHODS else otherwise
