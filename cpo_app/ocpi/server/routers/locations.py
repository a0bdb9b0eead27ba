"""Locations, sender interface (OCPI 2.2.1, mod_locations 8.2.1)."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from py_ocpi.core.crud import Crud
from py_ocpi.core.dependencies import get_crud
from py_ocpi.core.enums import ModuleID
from starlette.responses import Response

from cpo_app.ocpi.server.direct_route import DirectRoute
from cpo_app.ocpi.server.openapi import paged
from cpo_app.ocpi.server.serving import CPO, crud_keywords, one, page_of, rendered
from db_interface.json_data import JsonObject
from domain.errors import UnknownLocation
from domain.objects.locations import connector_of, evse_of
from domain.rendered import Rendered

router = APIRouter(prefix="/locations", route_class=DirectRoute)


@router.get("", summary="Locations that this peer may see, in pages", openapi_extra=paged())
async def get_locations(request: Request, crud: Crud = Depends(get_crud)) -> Response:
    return await page_of(request, crud, ModuleID.locations)


@router.get("/{location_id}", summary="One Location")
async def get_location(
    request: Request, location_id: str, crud: Crud = Depends(get_crud)
) -> Response:
    return one(await _location(request, crud, location_id))


@router.get("/{location_id}/{evse_uid}", summary="One EVSE of a Location")
async def get_evse(
    request: Request, location_id: str, evse_uid: str, crud: Crud = Depends(get_crud)
) -> Response:
    return one(_evse(await _location(request, crud, location_id), evse_uid))


@router.get("/{location_id}/{evse_uid}/{connector_id}", summary="One Connector of an EVSE")
async def get_connector(
    request: Request,
    location_id: str,
    evse_uid: str,
    connector_id: str,
    crud: Crud = Depends(get_crud),
) -> Response:
    evse = _evse(await _location(request, crud, location_id), evse_uid)
    connector = connector_of(evse, connector_id)
    if connector is None:
        raise UnknownLocation(f"Unknown Connector {connector_id}")
    return one(connector)


async def _location(request: Request, crud: Crud, location_id: str) -> Any:
    location = await crud.get(ModuleID.locations, CPO, location_id, **crud_keywords(request))
    if location is None:
        raise UnknownLocation(f"Unknown Location {location_id}")
    return location


def _evse(location: object, evse_uid: str) -> JsonObject:
    evse = evse_of(Rendered(rendered(location)).plain(), evse_uid)
    if evse is None:
        raise UnknownLocation(f"Unknown EVSE {evse_uid}")
    return evse
