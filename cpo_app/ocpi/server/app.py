"""The OCPI app: `get_application()` of extrawest-ocpi with our routers in its tables.

The library stays the shell (application, docs, tables, contracts); every wire behaviour is
ours. What the library does otherwise, and which test shows it, is in docs/deviations.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import py_ocpi.main
from fastapi import APIRouter, FastAPI
from py_ocpi.core.config import settings as library_settings
from py_ocpi.core.crud import Crud
from py_ocpi.core.dependencies import get_endpoints, get_versions
from py_ocpi.core.endpoints import ENDPOINTS
from py_ocpi.core.enums import ModuleID, RoleEnum
from py_ocpi.core.routers import ROUTERS
from py_ocpi.main import ExceptionHandlerMiddleware, get_application
from py_ocpi.modules.versions.enums import VersionNumber
from starlette.middleware.cors import CORSMiddleware

from auth.authenticator import OcpiAuthenticator
from auth.throttle import Throttle
from cpo_app.docs_page import add_docs
from cpo_app.ocpi.offered import offered_versions
from cpo_app.ocpi.server import errors
from cpo_app.ocpi.server.gate import Gate
from cpo_app.ocpi.server.library_authenticator import LibraryAuthenticator
from cpo_app.ocpi.server.openapi import describe, kind_of_body
from cpo_app.ocpi.server.peer_shares import PeerLimits
from cpo_app.ocpi.server.recorded import RecordedExchanges
from cpo_app.ocpi.server.routers import (
    cdrs,
    chargingprofiles,
    commands,
    credentials,
    hubclientinfo,
    locations,
    payments,
    sessions,
    tariffs,
    tokens,
    versions,
)
from cpo_app.ocpi.server.straight_way import StraightWay
from cpo_app.settings import Settings, SettingsError
from domain.exchanges.recorder import Recorder
from domain.versions import OcpiVersion


class Module(NamedTuple):
    """A module's routes, the same for every version that has them, and what ends its URL.

    Peers append ids with a slash of their own, as the text writes it for tokens and locations, but
    commands and charging profiles without ("{commands_endpoint_url}{command}").
    """

    router: APIRouter
    end: str = ""


MODULES: dict[str, Module] = {
    "credentials": Module(credentials.router),
    "locations": Module(locations.router),
    "sessions": Module(sessions.router),
    "cdrs": Module(cdrs.router),
    "tariffs": Module(tariffs.router),
    "tokens": Module(tokens.router),
    "commands": Module(commands.router, "/"),
    "chargingprofiles": Module(chargingprofiles.router, "/"),
    "hubclientinfo": Module(hubclientinfo.router),
    "payments": Module(payments.router),
}
"""Which of them a version has, and whose interface of it is a CPO's, the version says."""
_LIBRARY_MODULES = {module.value for module in ModuleID}


class EndpointRow(NamedTuple):
    """A row of the endpoint table, as the library's version schemas have it."""

    identifier: str
    role: str
    url: str


def build_ocpi_app(
    settings: Settings,
    crud: Crud,
    authenticator: OcpiAuthenticator,
    throttle: Throttle | None = None,
    recorder: Recorder | None = None,
) -> FastAPI:
    """The application with all modules of a CPO, in every OCPI version that is offered.

    `crud` is anything that keeps the library's Crud contract; `recorder` is handed every
    exchange. Raises SettingsError where the environment would switch authentication off, or
    offers a version that there is not.
    """
    if settings.NO_AUTH or library_settings.NO_AUTH:
        raise SettingsError("NO_AUTH is set: this server does not run without authentication")
    offered = offered_versions(settings)
    app = _shell(settings, crud, authenticator, offered)
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
    describe(app, settings.OCPI_PREFIX, offered)
    # The library's own middleware swallows exceptions and keeps a connection blocked while
    # background tasks run (audit F015, F077). Its CORS answers preflights without an envelope;
    # behind the gate they could not pass anyway, and OCPI is no interface for browsers.
    app.user_middleware = [
        row
        for row in app.user_middleware
        if row.cls not in (ExceptionHandlerMiddleware, CORSMiddleware)
    ]
    app.add_middleware(StraightWay, routes=app.routes)
    app.add_middleware(
        Gate,
        prefix=settings.OCPI_PREFIX,
        authenticator=authenticator,
        versions=offered,
        parties={party.key for party in settings.parties},
        max_body_bytes=settings.CPO_MAX_BODY_BYTES,
        throttle=throttle or Throttle("ocpi", settings.CPO_MAX_FAILURES_PER_MINUTE),
        limits=PeerLimits(
            at_once=settings.CPO_PEER_REQUESTS_AT_ONCE,
            per_minute=settings.CPO_PEER_REQUESTS_PER_MINUTE,
        ),
        open_paths=(docs_url, openapi_url),
    )
    if recorder is not None:
        app.add_middleware(
            RecordedExchanges,
            prefix=settings.OCPI_PREFIX,
            recorder=recorder,
            page_bytes=settings.CPO_EXCHANGES_PAGE_BYTES,
            open_paths=(docs_url, openapi_url),
        )
    return app


def _shell(
    settings: Settings, crud: Crud, authenticator: OcpiAuthenticator, offered: Sequence[OcpiVersion]
) -> FastAPI:
    """The library's application, with our routers in its tables for the versions that it knows;
    the others beside, in the same form."""
    library_settings.PROJECT_NAME = settings.PROJECT_NAME
    library_settings.OCPI_HOST = settings.ocpi_host
    library_settings.PROTOCOL = settings.PROTOCOL
    library_settings.OCPI_PREFIX = settings.OCPI_PREFIX
    known = {number.value: number for number in ROUTERS}
    base = f"{settings.base_url}/{settings.OCPI_PREFIX}"
    with _tables_put_back():
        for version in offered:
            if version.number in known:
                _fill_tables(known[version.number], version, base)
        py_ocpi.main.versions_router = versions.versions_router
        made: FastAPI = get_application(
            version_numbers=[
                known[version.number] for version in offered if version.number in known
            ],
            roles=[RoleEnum.cpo],
            crud=crud,
            modules=[ModuleID(name) for name in MODULES if name in _LIBRARY_MODULES],
            authenticator=lambda: LibraryAuthenticator(authenticator),
            http_push=False,
            websocket_push=False,
        )
    for version in offered:
        if version.number not in known:
            _stand_beside(made, version, base, settings.OCPI_PREFIX)
    return made


@contextmanager
def _tables_put_back() -> Iterator[None]:
    """The library's tables are the process's: after the block they are as before."""
    tables: list[dict[Any, Any]] = [
        *(routers for routers in ROUTERS.values()),
        *(rows[RoleEnum.cpo] for rows in ENDPOINTS.values()),
    ]
    before = [dict(table) for table in tables]
    router = py_ocpi.main.versions_router
    try:
        yield
    finally:
        py_ocpi.main.versions_router = router
        for table, contents in zip(tables, before, strict=True):
            table.clear()
            table.update(contents)


def _fill_tables(number: VersionNumber, version: OcpiVersion, base: str) -> None:
    routers, rows = ROUTERS[number], ENDPOINTS[number][RoleEnum.cpo]
    routers["version_router"] = versions.details_router(version)
    routers["cpo_router"] = {ModuleID(name): router for name, router in _routers(version)}
    rows.clear()
    rows.update({ModuleID(row.identifier): row for row in _rows(version, base)})


def _stand_beside(app: FastAPI, version: OcpiVersion, base: str, prefix: str) -> None:
    """What get_application() does for a version, for one that it does not know."""
    app.include_router(versions.details_router(version), prefix=f"/{prefix}")
    for _, router in _routers(version):
        app.include_router(router, prefix=f"/{prefix}/cpo/{version.number}")
    app.dependency_overrides[get_endpoints]()[version.number] = _rows(version, base)
    url = f"{base}/{version.number}/details"
    app.dependency_overrides[get_versions]().append({"version": version.number, "url": url})


def _routers(version: OcpiVersion) -> list[tuple[str, APIRouter]]:
    return [
        (endpoint.identifier, _of_version(MODULES[endpoint.identifier].router, version))
        for endpoint in version.description.modules
    ]


def _rows(version: OcpiVersion, base: str) -> list[EndpointRow]:
    return [
        EndpointRow(name, role, f"{base}/cpo/{version.number}/{name}{MODULES[name].end}")
        for name, role in version.description.modules
    ]


def _of_version(router: APIRouter, version: OcpiVersion) -> APIRouter:
    """The routes that the version has: those whose body is an object of it."""
    own = APIRouter(route_class=router.route_class)
    own.routes = [
        route
        for route in router.routes
        if (kind := kind_of_body(route)) is None or version.has(kind)
    ]
    return own
