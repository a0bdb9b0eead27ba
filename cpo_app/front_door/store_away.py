"""Requests do not wait for a store that is known to be away: they get their 503 at once. For one
that hangs they wait once, however often they ask."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from db_interface.database import Database


class NoWaitingForTheStore:
    """Pure ASGI, outside of everything that reads the store; `db` None: there is none yet."""

    def __init__(self, app: ASGIApp, *, db: Callable[[], Database | None]) -> None:
        self.app = app
        self._db = db

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        db = self._db()
        if db is None or scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with db.no_waiting():
            await self.app(scope, receive, send)
