"""Versions and version details (OCPI 2.2.1, version_information_endpoint)."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from py_ocpi.core.dependencies import get_endpoints, get_versions
from starlette.responses import Response

from cpo_app.ocpi.server.context import caller_of
from cpo_app.ocpi.server.quick_route import QuickRoute
from cpo_app.ocpi.server.serving import library_number, one
from domain.peers.offered_versions import offered_to
from domain.versions import OcpiVersion

versions_router = APIRouter(route_class=QuickRoute)


@versions_router.get("/versions", summary="The OCPI versions that this platform speaks")
async def get_versions_list(request: Request, versions: Any = Depends(get_versions)) -> Response:
    urls = {_text(row["version"]): row["url"] for row in versions}
    offered = offered_to(caller_of(request).peer.settings, urls)
    return one([{"version": number, "url": urls[number]} for number in offered])


def details_router(version: OcpiVersion) -> APIRouter:
    router = APIRouter(route_class=QuickRoute)

    @router.get(f"/{version.number}/details", summary=f"The endpoints of OCPI {version.number}")
    async def get_version_details(
        request: Request, endpoints: Any = Depends(get_endpoints)
    ) -> Response:
        rows = [
            {
                "identifier": _text(row.identifier),
                **({"role": _text(row.role)} if version.description.endpoints_have_roles else {}),
                "url": row.url,
            }
            for row in endpoints[library_number(version.number)]
        ]
        return one({"version": version.number, "endpoints": rows})

    return router


def _text(value: object) -> str:
    """Of an enum of the library's, what it stands for."""
    return str(getattr(value, "value", value))
