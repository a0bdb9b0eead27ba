"""EV_Registry as an app: who a charge point is, registration, credentials, tokens.

It shares nothing with EV_Central but the store. It starts without a database, says so in
/readyz, and takes up work once one answers.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from cpo_app.add_routes import add_routes
from cpo_app.docs_page import add_docs
from cpo_app.front_door.head_requests import HeadAsGet
from cpo_app.front_door.store_away import NoWaitingForTheStore
from cpo_app.loop_lag import LoopLag
from cpo_app.otlp.incoming import Traced
from cpo_app.registry.context import Registry
from cpo_app.registry.errors import add_error_handlers
from cpo_app.registry.metrics import RegistryMetrics, metrics_routes
from cpo_app.registry.routes import charge_point_routes
from cpo_app.registry.views import time_text
from cpo_app.server_presence import REGISTRY, ServerPresence
from cpo_app.settings import Settings
from db_interface.database import Database, StoreUnavailable
from db_interface.interface import DbInterface
from domain.places import geonames
from domain.upgrades.readiness import until_ready

logger = logging.getLogger("cpo.registry")

TITLE = "EV_Registry"
VERSION = version("ocpi-cpo-backend")
READY_WITHIN_S = 1.5
"""Longer than that the store is not waited for to say whether it is there."""


def build_registry(settings: Settings, store: DbInterface | None = None) -> FastAPI:
    """EV_Registry on `store`, or on the database that CPO_MONGO_URL names.

    A store that is handed in is ready to use and stays open. Raises SettingsError for settings
    that cannot be used, StoreUnavailable where no database is named.
    """
    if store is None and not settings.CPO_MONGO_URL:
        raise StoreUnavailable("CPO_MONGO_URL is not set: EV_Registry has no database")
    registry = Registry(settings, store)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if registry.open_to_new:
            logger.warning(
                "REGISTRY_ADMIN_API_KEY is not set: anybody who reaches this port may register "
                "new charge points"
            )
        if store is not None:
            yield
            return
        db = Database.connect(settings.CPO_MONGO_URL)
        presence = ServerPresence(db, REGISTRY, settings.REGISTRY_API_PORT, settings)
        preparing = asyncio.create_task(_prepare(registry, db, presence))
        loop_lag = LoopLag()
        loop_lag.start()
        try:
            yield
        finally:
            loop_lag.stop()
            preparing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await preparing
            if registry.store is not None:
                await presence.stop()
            db.close()

    app = FastAPI(title=TITLE, version=VERSION, lifespan=lifespan, docs_url=None, redoc_url=None)
    add_error_handlers(app)
    _add_health(app, registry)
    app.add_middleware(RegistryMetrics)
    app.add_middleware(HeadAsGet)
    app.add_middleware(
        NoWaitingForTheStore, db=lambda: registry.store.db if registry.store else None
    )
    app.add_middleware(Traced, routes=app.routes)
    add_docs(app, "/docs", "/openapi.json", TITLE)
    add_routes(app, charge_point_routes(registry))
    add_routes(app, metrics_routes(registry))
    return app


async def _prepare(registry: Registry, db: Database, presence: ServerPresence) -> None:
    """Let the routes have the store once it answers and has its indexes; never give up."""
    # The gazetteer takes a second to load: not while a charge point waits for its answer.
    await geonames.loaded()
    store = DbInterface(db)
    await until_ready(store)
    registry.throttle.share(db)
    registry.store = store
    presence.start()
    logger.info("database ready")


def _add_health(app: FastAPI, registry: Registry) -> None:
    async def reachable() -> bool:
        if registry.store is None:
            return False
        try:
            await asyncio.wait_for(registry.store.db.ping(), READY_WITHIN_S)
        except (StoreUnavailable, asyncio.TimeoutError):
            return False
        return True

    @app.get("/", tags=["Health"], summary="Who answers here, and whether it can work")
    async def health() -> dict[str, Any]:
        return {
            "service": TITLE,
            "status": "ok" if registry.store is not None else "starting",
            "version": VERSION,
            "timestamp": time_text(registry.now()),
        }

    @app.get("/healthz", tags=["Health"], summary="The process lives")
    async def healthz() -> dict[str, Any]:
        return {"status": "ok"}

    @app.get("/readyz", tags=["Health"], summary="Requests can be served; 503 says what is missing")
    async def readyz() -> JSONResponse:
        missing = [] if await reachable() else ["database"]
        if registry.store is not None and not registry.store.db.host_clock_is_right:
            missing.append("clock")
        if missing:
            return JSONResponse({"status": "not ready", "missing": missing}, 503)
        return JSONResponse({"status": "ready", "missing": []})
