"""The OCPI app: `get_application()` of extrawest-ocpi with our routers in its tables.

The library stays the shell (application, docs, tables, contracts); every wire behaviour is
ours. What the library does otherwise, and which test shows it, is in docs/deviations.md.
"""

from __future__ import annotations

from typing import Any

import py_ocpi.main
from fastapi import APIRouter, FastAPI
from py_ocpi.core.config import settings as library_settings
from py_ocpi.core.crud import Crud
from py_ocpi.core.endpoints import ENDPOINTS
from py_ocpi.core.enums import ModuleID, RoleEnum
from py_ocpi.core.routers import ROUTERS
from py_ocpi.main import ExceptionHandlerMiddleware, get_application
from py_ocpi.modules.versions.enums import VersionNumber
from py_ocpi.modules.versions.v_2_2_1.enums import InterfaceRole
from py_ocpi.modules.versions.v_2_2_1.schemas import Endpoint
from starlette.middleware.cors import CORSMiddleware

from auth.authenticator import OcpiAuthenticator
from auth.throttle import Throttle
from cpo_app.docs_page import add_docs
from cpo_app.ocpi.server import errors
from cpo_app.ocpi.server.gate import Gate
from cpo_app.ocpi.server.library_authenticator import LibraryAuthenticator
from cpo_app.ocpi.server.openapi import describe
from cpo_app.ocpi.server.peer_shares import PeerLimits
from cpo_app.ocpi.server.routers import (
    cdrs,
    chargingprofiles,
    commands,
    credentials,
    hubclientinfo,
    locations,
    sessions,
    tariffs,
    tokens,
    versions,
)
from cpo_app.settings import Settings, SettingsError
from db_interface.json_data import JsonObject

V_2_2_1 = VersionNumber.v_2_2_1

# Module: its router, the interface that a CPO has, and what ends its URL. Peers append ids
# with a slash of their own, as the text writes it for tokens and locations, but commands and
# charging profiles without ("{commands_endpoint_url}{command}"). Credentials: the text advises
# SENDER for the role that has no meaning there (version_information_endpoint, 6.2.2).
MODULES: dict[ModuleID, tuple[APIRouter, InterfaceRole, str]] = {
    ModuleID.credentials_and_registration: (credentials.router, InterfaceRole.sender, ""),
    ModuleID.locations: (locations.router, InterfaceRole.sender, ""),
    ModuleID.sessions: (sessions.router, InterfaceRole.sender, ""),
    ModuleID.cdrs: (cdrs.router, InterfaceRole.sender, ""),
    ModuleID.tariffs: (tariffs.router, InterfaceRole.sender, ""),
    ModuleID.tokens: (tokens.router, InterfaceRole.receiver, ""),
    ModuleID.commands: (commands.router, InterfaceRole.receiver, "/"),
    ModuleID.charging_profile: (chargingprofiles.router, InterfaceRole.receiver, "/"),
    ModuleID.hub_client_info: (hubclientinfo.router, InterfaceRole.receiver, ""),
}


def build_ocpi_app(
    settings: Settings,
    crud: Crud,
    authenticator: OcpiAuthenticator,
    throttle: Throttle | None = None,
) -> FastAPI:
    """The application with all OCPI 2.2.1 modules of a CPO.

    `crud` is anything that keeps the library's Crud contract. Raises SettingsError where the
    environment would switch authentication off.
    """
    if settings.NO_AUTH or library_settings.NO_AUTH:
        raise SettingsError("NO_AUTH is set: this server does not run without authentication")
    app = _shell(settings, crud, authenticator)
    app.state.settings = settings
    app.state.authenticator = authenticator
    errors.install(app)
    docs_url = f"/{settings.OCPI_PREFIX}/docs"
    openapi_url = str(app.openapi_url)
    app.router.routes = [
        route
        for route in app.router.routes
        if getattr(route, "path", "") not in (docs_url, f"{docs_url}/oauth2-redirect")
        and not getattr(route, "path", "").endswith("/redoc")
    ]
    add_docs(app, docs_url, openapi_url, settings.PROJECT_NAME)
    describe(app, settings.OCPI_PREFIX)
    # The library's own middleware swallows exceptions and keeps a connection blocked while
    # background tasks run (audit F015, F077). Its CORS answers preflights without an envelope;
    # behind the gate they could not pass anyway, and OCPI is no interface for browsers.
    app.user_middleware = [
        row
        for row in app.user_middleware
        if row.cls not in (ExceptionHandlerMiddleware, CORSMiddleware)
    ]
    app.add_middleware(
        Gate,
        prefix=settings.OCPI_PREFIX,
        authenticator=authenticator,
        parties={party.key for party in settings.parties},
        max_body_bytes=settings.CPO_MAX_BODY_BYTES,
        throttle=throttle or Throttle("ocpi", settings.CPO_MAX_FAILURES_PER_MINUTE),
        limits=PeerLimits(
            at_once=settings.CPO_PEER_REQUESTS_AT_ONCE,
            per_minute=settings.CPO_PEER_REQUESTS_PER_MINUTE,
        ),
        open_paths=(docs_url, openapi_url),
    )
    return app


def _shell(settings: Settings, crud: Crud, authenticator: OcpiAuthenticator) -> FastAPI:
    """The library's application; its process-wide tables are put back afterwards."""
    library_settings.PROJECT_NAME = settings.PROJECT_NAME
    library_settings.OCPI_HOST = settings.ocpi_host
    library_settings.PROTOCOL = settings.PROTOCOL
    library_settings.OCPI_PREFIX = settings.OCPI_PREFIX
    routers: JsonObject = ROUTERS[V_2_2_1]
    rows: dict[ModuleID, Any] = ENDPOINTS[V_2_2_1][RoleEnum.cpo]
    before = (dict(routers), dict(rows), py_ocpi.main.versions_router)
    base = f"{settings.base_url}/{settings.OCPI_PREFIX}/cpo/2.2.1"
    try:
        routers["cpo_router"] = {module: row[0] for module, row in MODULES.items()}
        routers["version_router"] = versions.details_router
        py_ocpi.main.versions_router = versions.versions_router
        rows.clear()
        for module, (_router, role, end) in MODULES.items():
            rows[module] = Endpoint(identifier=module, role=role, url=f"{base}/{module.value}{end}")
        made: FastAPI = get_application(
            version_numbers=[V_2_2_1],
            roles=[RoleEnum.cpo],
            crud=crud,
            modules=list(MODULES),
            authenticator=lambda: LibraryAuthenticator(authenticator),
            http_push=False,
            websocket_push=False,
        )
    finally:
        routers.clear()
        routers.update(before[0])
        rows.clear()
        rows.update(before[1])
        py_ocpi.main.versions_router = before[2]
    return made
