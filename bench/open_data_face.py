"""Open data as it runs in the product, in a process of its own."""

from __future__ import annotations

import os

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cpo_app.open_data.room import PATH, OpenData, OpenDataDoor
from cpo_app.quick_imports import quick_imports
from cpo_app.settings import Settings
from db_interface.database import Database
from db_interface.interface import DbInterface

MADE = f"{PATH}/made"
"""Answered once it has made all documents, as it does by itself in the product."""


def create_app() -> OpenDataDoor:
    with quick_imports():
        return OpenDataDoor(Starlette(), room=_Room())


class _Room(OpenData):
    """Made at the first request: by then there is an event loop."""

    def __init__(self) -> None:
        self._made: OpenData | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._made is None:
            db = Database.connect(os.environ["CPO_MONGO_URL"], os.environ["BENCH_DATABASE"])
            self._made = OpenData(Settings(), DbInterface(db))
        if scope["path"] == MADE:
            await self._made.prepare()
            await Response()(scope, receive, send)
        else:
            await self._made(scope, receive, send)
