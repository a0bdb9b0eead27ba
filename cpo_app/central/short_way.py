"""What charge points ask all day goes straight to its route: a fleet's heartbeats and telemetry.

These routes take no part in what the layers between do (OCPI's gate, compression, HEAD), answer
every failure themselves, and cost less than those layers.
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

MOST_ASKED = ("/cp/heartbeat", "/cp/telemetry")


class ShortWay:
    """Pure ASGI: `routes` are those of the application, of which MOST_ASKED are called here."""

    def __init__(self, app: ASGIApp, *, routes: Iterable[BaseRoute]) -> None:
        self.app = app
        self._straight: dict[str, ASGIApp] = {
            route.path: route.app
            for route in routes
            if isinstance(route, Route) and route.path in MOST_ASKED and route.methods == {"POST"}
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        straight = None
        if scope["type"] == "http" and scope["method"] == "POST":
            straight = self._straight.get(scope["path"])
        await (straight or self.app)(scope, receive, send)
