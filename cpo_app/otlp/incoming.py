"""A span for each HTTP request that a process answers, in the trace of whoever sent it.

Its name and its attributes say nothing of a driver or a card: of the path only what is the same for
all, of the query nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cpo_app.log_ids import usable_id
from cpo_app.observed_requests import method_of
from cpo_app.otlp.spans import Span, in_use, span
from domain.trace import TRACEPARENT, TRACESTATE, bound_ids

LEFT_OUT = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by those who watch over us."""


class Traced:
    """Pure ASGI, outermost. `routes`: those of the application."""

    def __init__(self, app: ASGIApp, *, routes: Iterable[BaseRoute]) -> None:
        self.app = app
        self._routes = routes
        self._fixed: frozenset[str] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not in_use() or scope["path"] in LEFT_OUT:
            await self.app(scope, receive, send)
            return
        method = method_of(scope, otherwise="_OTHER")
        told = {"http.request.method": method}
        with span(method, "server", told, before=_given(scope)) as under_way:
            await self.app(scope, receive, self._noting(under_way, scope, method, send))

    def _noting(self, under_way: Span, scope: Scope, method: str, send: Send) -> Send:
        path: str = scope["path"]  # what is mounted gets another one

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                _tell(under_way, method, self._route(scope, path), message["status"])
            await send(message)

        return noting

    def _route(self, scope: Scope, path: str) -> str:
        """As declared, or a path without parameters; never what a caller wrote."""
        declared = getattr(scope.get("route"), "path", None)
        if isinstance(declared, str):
            return f"{scope.get('root_path', '')}{declared}"
        if self._fixed is None:
            paths = (getattr(route, "path", "") for route in self._routes)
            self._fixed = frozenset(one for one in paths if "{" not in one)
        return path if path in self._fixed else ""


def _tell(under_way: Span, method: str, route: str, status: int) -> None:
    if route:
        under_way.call(f"{method} {route}")
        under_way.tell("http.route", route)
    under_way.tell("http.response.status_code", status)
    # Whoever answers has bound who asks, and for what.
    for name, value in bound_ids().items():
        if name not in (TRACEPARENT, TRACESTATE) and usable_id(value):
            under_way.tell(f"cpo.{name}", value)
    if status >= 500:
        under_way.fail(f"HTTP {status}")


def _given(scope: Scope) -> dict[str, str]:
    named = {TRACEPARENT.encode(): TRACEPARENT, TRACESTATE.encode(): TRACESTATE}
    return {
        named[name]: value.decode("latin-1")
        for name, value in scope["headers"]
        if name in named and len(value) <= 512
    }
