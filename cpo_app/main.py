"""The app on port 8000: OCPI (out of `get_application()`), EV_Central and the console.

`uvicorn cpo_app.main:app` runs it on the same defaults as `cpo serve`: the store is found, or
the embedded one started, when the server starts, not when this module is imported.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import AsyncIterator

from fastapi import FastAPI
from py_ocpi.core.enums import ModuleID
from pydantic import ValidationError
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from cpo_app import logs
from cpo_app.add_routes import add_routes
from cpo_app.backend import Backend
from cpo_app.background import Background
from cpo_app.bootstrap import Prepared, prepare
from cpo_app.central.health import build_health_router, central_checks
from cpo_app.central.router import build_router
from cpo_app.central.short_way import ShortWay
from cpo_app.front_door.head_requests import HeadAsGet
from cpo_app.front_door.store_away import NoWaitingForTheStore
from cpo_app.ocpi.server.app import build_ocpi_app
from cpo_app.open_data.room import OpenData, OpenDataDoor
from cpo_app.operator.pages import add_operator_pages
from cpo_app.otlp.incoming import Traced
from cpo_app.otlp.sending import send_over_otlp
from cpo_app.quick_imports import for_good
from cpo_app.settings import Settings, settings_refused
from cpo_app.station_files.router import build_files_router
from crud.charging_profiles import ChargingProfiles
from crud.commands import Commands
from crud.cpo_crud import CpoCrud
from crud.sessions import Sessions

logger = logging.getLogger("cpo")

FAST = 1
"""How hard gzip tries: a page of 50 locations shrinks to less than a tenth within half a
millisecond; trying harder takes up to ten times as long for a few percent."""


def build_app(backend: Backend) -> FastAPI:
    """OCPI, Central and the health pages on one backend; its lifespan runs the background work."""
    app = build_ocpi_app(
        backend.settings,
        _crud(backend),
        backend.authenticator,
        backend.ocpi_throttle,
        backend.recorder,
    )
    settings = backend.settings
    open_data = OpenData(settings, backend.store) if settings.CPO_OPEN_DATA else None
    background = Background(backend, open_data)
    central = background.central
    add_routes(app, build_router(central))
    add_routes(app, build_health_router(central_checks(central)))
    add_operator_pages(app, backend, central)
    add_routes(app, build_files_router(backend.store, backend.settings.max_ocpp_file_bytes))

    app.add_middleware(HeadAsGet)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=FAST)
    if open_data is not None:
        app.state.open_data = open_data
        app.add_middleware(OpenDataDoor, room=open_data)
    app.add_middleware(ShortWay, routes=app.routes)
    app.add_middleware(NoWaitingForTheStore, db=lambda: backend.db)
    app.add_middleware(Traced, routes=app.routes)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        background.start()
        try:
            yield
        finally:
            await background.stop()

    app.router.lifespan_context = lifespan
    return app


def _crud(backend: Backend) -> CpoCrud:
    """What answers the OCPI requests."""
    profiles = ChargingProfiles(
        backend.intake, max_per_minute=backend.settings.CPO_PROFILE_REQUESTS_PER_MINUTE
    )
    return CpoCrud(
        backend.store,
        {
            ModuleID.credentials_and_registration: backend.registration,
            ModuleID.commands: Commands(backend.intake),
            ModuleID.sessions: Sessions(backend.store, backend.intake.wake),
            ModuleID.charging_profile: profiles,
        },
    )


class Server:
    """The ASGI app that finds its ground at start-up: `uvicorn cpo_app.main:app`."""

    def __init__(self) -> None:
        self._app: ASGIApp | None = None
        self._ground: Prepared | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" and self._app is None:
            try:
                try:
                    self._app = self._built()
                    for_good()
                except Exception as error:
                    # Lines for the person who starts it; uvicorn would print a traceback, or go
                    # on without a lifespan.
                    sys.stderr.write("".join(f"cpo: {line}\n" for line in _said_of(error)))
                    await receive()
                    await send({"type": "lifespan.startup.failed", "message": ""})
                    return
                await self._app(scope, receive, send)
            finally:
                if self._ground is not None:
                    self._ground.close()
            return
        if self._app is None:
            raise RuntimeError("the server was started without its lifespan (--lifespan off)")
        await self._app(scope, receive, send)

    def _built(self) -> ASGIApp:
        settings = Settings()
        logs.set_up(settings.CPO_LOG_LEVEL, settings.CPO_LOG_FORMAT)
        send_over_otlp(settings, "cpo-serve")
        if settings.CPO_ALLOW_PRIVATE_URLS:
            logger.warning("CPO_ALLOW_PRIVATE_URLS is on: peers may name private addresses")
        self._ground = prepare(settings, people=True)
        backend = Backend(self._ground.settings, self._ground.database(), self._ground.vault())
        return build_app(backend)


def _said_of(error: Exception) -> list[str]:
    said = settings_refused(error) if isinstance(error, ValidationError) else str(error)
    return said.splitlines()


app = Server()
