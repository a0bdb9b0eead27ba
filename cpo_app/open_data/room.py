"""The room as one ASGI application below `/open-data`, with the routes of each kind of document.

It stands before OCPI's gate and everything that concerns people and peers: there is no token to
look for here, no body to read, and nothing to write.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from cpo_app.front_door.kept_connections import let_go
from cpo_app.http_errors import RETRY_AFTER, STORE_AWAY, error_answer
from cpo_app.open_data.answers import FOR_ALL, PREFLIGHT
from cpo_app.open_data.datex import DatexPages
from cpo_app.open_data.ocpi import OcpiPages
from cpo_app.open_data.strangers import MAX_DOWNLOAD_S, Strangers
from cpo_app.settings import Settings
from db_interface.database import STORE_ERRORS
from db_interface.interface import DbInterface
from domain.errors import InvalidParameters, NotFound, TooManyRequests
from domain.open_data.kept_document import (
    LOOK_EVERY_S,
    TOO_LARGE_PAUSE_S,
    NotReady,
    TooLarge,
)
from domain.rounds import Rounds

logger = logging.getLogger("cpo.open_data")

PATH = "/open-data"
_METHODS = ("GET", "HEAD")
RETRY_TOO_LARGE = {"Retry-After": f"{TOO_LARGE_PAUSE_S:.0f}"}
_MADE_AGAIN_S = 60.0
"""What could not be made at the start is tried again."""


class OpenData:
    """All routes of the room. `start` has the documents made, so that nobody is the first reader;
    `stop` ends what is under way."""

    def __init__(
        self, settings: Settings, store: DbInterface, *, look_every_s: float = LOOK_EVERY_S
    ) -> None:
        self._settings = settings
        self._too_large = (
            "the document is larger than this server may keep (CPO_OPEN_DATA_MAX_MB); "
            f"locations are there in pages: {settings.base_url}{PATH}/ocpi/2.2.1/locations"
        )
        self._strangers = Strangers(settings.CPO_OPEN_DATA_REQUESTS_PER_MINUTE)
        self._ocpi = OcpiPages(settings, store, below=PATH, look_every_s=look_every_s)
        self._datex = DatexPages(settings, store, look_every_s=look_every_s)
        self._making = Rounds("open data", self.prepare, _MADE_AGAIN_S, logger=logger)
        self.routes: Sequence[Route] = (
            Route(PATH, self._contents),
            *(Route(path, answer) for path, answer in self._ocpi.routes()),
            *(Route(f"{PATH}{path}", answer) for path, answer in self._datex.routes()),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=PREFLIGHT)(scope, receive, send)
            return
        try:
            async with self._strangers.admitted(scope):
                answer = await self._answer(scope, receive)
                await asyncio.wait_for(answer(scope, receive, send), MAX_DOWNLOAD_S)
        except asyncio.TimeoutError:
            let_go(scope)
        except TooManyRequests as error:
            headers = {**FOR_ALL, "Retry-After": str(error.retry_after_s)}
            await error_answer(429, str(error), headers)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        if scope["method"] not in _METHODS:
            return error_answer(405, "open data is only read", {**FOR_ALL, "Allow": "GET, HEAD"})
        path = scope["path"].rstrip("/")
        for route in self.routes:
            match, child = route.matches({**scope, "path": path})
            if match is Match.FULL:
                scope.update(child)
                scope["route"] = route  # what a trace calls it
                return await self._of(route, Request(scope, receive))
        return error_answer(404, "there is no such document", FOR_ALL)

    async def _of(self, route: Route, request: Request) -> Response:
        try:
            answer: Response = await route.endpoint(request)
            return answer
        except InvalidParameters as error:
            return error_answer(400, str(error), FOR_ALL)
        except NotFound as error:
            return error_answer(404, str(error), FOR_ALL)
        except STORE_ERRORS:
            return error_answer(503, STORE_AWAY, {**FOR_ALL, **RETRY_AFTER})
        except NotReady:
            detail = "the document is being made for the first time"
            return error_answer(503, detail, {**FOR_ALL, **RETRY_AFTER})
        except TooLarge:
            return error_answer(503, self._too_large, {**FOR_ALL, **RETRY_TOO_LARGE})

    async def _contents(self, _: Request) -> Response:
        """What there is, for who begins at the top."""
        settings = self._settings
        documents = [
            {"url": f"{settings.base_url}{route.path}"}
            for route in self.routes
            if route.path != PATH and not route.param_convertors
        ]
        contents = {"operator": settings.PROJECT_NAME, "documents": documents}
        return JSONResponse(contents, headers=FOR_ALL)

    def start(self) -> None:
        """Once the store is ready."""
        self._making.start()

    async def prepare(self) -> None:
        """Have all documents made that never were, without haste."""
        await self._ocpi.prepare()
        await self._datex.prepare()

    async def stop(self) -> None:
        await self._making.stop()
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
