"""What peers read all day goes from the gate straight to its route.

Starlette would ask some thirty routes in turn whether a path is theirs, below three layers that
such a route has no use for: it raises nothing that the gate does not make an envelope of. Here a
route is found by what stands before its first parameter. Whatever else there is (other routes,
other methods, paths that nothing is under) goes on as before.
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from cpo_app.ocpi.server.direct_route import DirectRoute


class StraightWay:
    """Pure ASGI: `routes` are those of the application, of which the direct ones are called here.
    Paths come plain, as the gate makes them."""

    def __init__(self, app: ASGIApp, *, routes: Iterable[BaseRoute]) -> None:
        self.app = app
        self._routes: dict[str, list[DirectRoute]] = {}
        for route in routes:
            if isinstance(route, DirectRoute) and route.is_straight:
                begins = route.path_format.partition("{")[0].rstrip("/")
                self._routes.setdefault(begins, []).append(route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        straight = self._straight(scope) if scope["type"] == "http" else None
        await (straight or self.app)(scope, receive, send)

    def _straight(self, scope: Scope) -> ASGIApp | None:
        for route in self._routes_of(scope["path"]):
            match, found = route.matches(scope)
            if match is Match.FULL:
                scope.update(found)
                return route.app
        return None

    def _routes_of(self, path: str) -> Iterable[DirectRoute]:
        """Those whose first part the path begins with, if they can be the path's."""
        begins = path
        while begins:
            routes = self._routes.get(begins)
            if routes is not None:
                return routes
            begins = begins.rpartition("/")[0]
        return ()
