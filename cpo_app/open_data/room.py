"""The room as one ASGI application below `/open-data`, with the routes of each kind of document.

It stands before OCPI's gate and everything that concerns people and peers: there is no token to
look for here, no body to read, and nothing to write.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from cpo_app.http_errors import RETRY_AFTER, STORE_AWAY, error_answer
from cpo_app.open_data.answers import FOR_ALL, PREFLIGHT
from cpo_app.open_data.datex import DatexPages
from cpo_app.open_data.ocpi import OcpiPages
from cpo_app.settings import Settings
from db_interface.database import STORE_ERRORS
from db_interface.interface import DbInterface
from domain.open_data.kept_document import LOOK_EVERY_S, NotReady, TooLarge

PATH = "/open-data"
_METHODS = ("GET", "HEAD")


class OpenData:
    """All routes of the room. `stop` ends what is under way."""

    def __init__(
        self, settings: Settings, store: DbInterface, *, look_every_s: float = LOOK_EVERY_S
    ) -> None:
        self._ocpi = OcpiPages(settings, store, look_every_s=look_every_s)
        self._datex = DatexPages(settings, store, look_every_s=look_every_s)
        self.routes: Sequence[Route] = (
            *(Route(f"{PATH}{path}", answer) for path, answer in self._ocpi.routes()),
            *(Route(f"{PATH}{path}", answer) for path, answer in self._datex.routes()),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(scope, receive)
        await answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        if scope["method"] == "OPTIONS":
            return Response(status_code=204, headers=PREFLIGHT)
        if scope["method"] not in _METHODS:
            return error_answer(405, "open data is only read", {**FOR_ALL, "Allow": "GET, HEAD"})
        for route in self.routes:
            match, child = route.matches(scope)
            if match is Match.FULL:
                scope.update(child)
                return await self._of(route, Request(scope, receive))
        return error_answer(404, "there is no such document", FOR_ALL)

    async def _of(self, route: Route, request: Request) -> Response:
        try:
            answer: Response = await route.endpoint(request)
            return answer
        except STORE_ERRORS:
            return error_answer(503, STORE_AWAY, {**FOR_ALL, **RETRY_AFTER})
        except NotReady:
            detail = "the document is being made for the first time"
            return error_answer(503, detail, {**FOR_ALL, **RETRY_AFTER})
        except TooLarge:
            detail = "the document is larger than this server may keep (CPO_OPEN_DATA_MAX_MB)"
            return error_answer(503, detail, {**FOR_ALL, "Retry-After": "600"})

    async def stop(self) -> None:
        await self._ocpi.stop()
        await self._datex.stop()


class OpenDataDoor:
    """ASGI middleware: what is below PATH is the room's, all else passes."""

    def __init__(self, app: ASGIApp, *, room: OpenData) -> None:
        self.app = app
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and (path == PATH or path.startswith(f"{PATH}/")):
            await self._room(scope, receive, send)
        else:
            await self.app(scope, receive, send)
