"""The operator's doors put onto the app: console, API and metrics, bound to what they show and do.

Composition only, as cpo_app/backend.py: no behaviour lives here.
"""

from __future__ import annotations

from fastapi import FastAPI, Request

from auth.operator_access import Door
from cpo_app.add_routes import add_routes
from cpo_app.api import build_api
from cpo_app.api.app import MOUNTED_AT
from cpo_app.backend import Backend
from cpo_app.central.service import Central
from cpo_app.console import Console, build_console_router
from cpo_app.console.map_tiles import MapTiles
from cpo_app.console.oidc import Oidc
from cpo_app.house import house_of
from cpo_app.operator.metrics import build_metrics_router
from cpo_app.operator.request_metrics import OcpiMetrics
from domain.operators.actor import Actor, Role


def add_operator_pages(app: FastAPI, backend: Backend, central: Central) -> None:
    """Add `/`, `/console/...`, `/api/...`, `/metrics` and the counting of OCPI requests."""
    settings = backend.settings
    guard = backend.operator_guard
    house = house_of(backend, central)

    async def identify(request: Request) -> Actor:
        return await guard.actor(request, Door.API, Role.VIEWER)

    console = Console(
        house,
        guard,
        backend.vault,
        title=settings.PROJECT_NAME,
        versions_url=settings.versions_url,
        docs_url=f"/{settings.OCPI_PREFIX}/docs",
        zone=settings.CPO_TIME_ZONE,
        demo_speed=settings.CPO_DEMO_SPEED,
        tiles=(
            MapTiles(settings.CPO_MAP_TILES, settings.CPO_MAP_ATTRIBUTION)
            if settings.CPO_MAP_TILES
            else None
        ),
        oidc=Oidc.of(settings, backend.vault),
    )
    add_routes(app, build_console_router(console))
    app.mount(MOUNTED_AT, build_api(house, identify))
    add_routes(app, build_metrics_router(backend.db, guard))
    app.add_middleware(OcpiMetrics, prefix=settings.OCPI_PREFIX)
