"""Versions and version details (OCPI 2.2.1, version_information_endpoint)."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from py_ocpi.core.dependencies import get_endpoints, get_versions
from py_ocpi.modules.versions.enums import VersionNumber
from starlette.responses import Response

from cpo_app.ocpi.server.serving import one

versions_router = APIRouter(tags=["Versions"])
details_router = APIRouter(tags=["Versions"])


@versions_router.get("/versions", summary="The OCPI versions that this platform speaks")
async def get_versions_list(request: Request, versions: Any = Depends(get_versions)) -> Response:
    return one([{"version": str(row["version"].value), "url": row["url"]} for row in versions])


@details_router.get("/2.2.1/details", summary="The endpoints of OCPI 2.2.1")
async def get_version_details(
    request: Request, endpoints: Any = Depends(get_endpoints)
) -> Response:
    rows = [
        {"identifier": row.identifier.value, "role": row.role.value, "url": row.url}
        for row in endpoints[VersionNumber.v_2_2_1]
    ]
    return one({"version": "2.2.1", "endpoints": rows})
